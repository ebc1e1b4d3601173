//! Step 3, kube-state-metrics.

use crate::case::Case;
use crate::given::{
    ALLOWLIST, FIVE, changed, flag, nodes, pod_metrics, pods, rows, scrape, seen, state_endpoints, state_metrics,
    state_services, unknown, unread,
};
use starform_verify::evidence::{Evidence, Observed, Reason, Rollout, RolloutCondition, Source, WorkloadKind};
use starform_verify::report::Verdict::{Fail, NotApplicable, Pass, Unknown as Unseen, Warn};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "elsewhere",
        code: "SF320",
        verdict: Fail,
        says: "only where the contract does not accept it: monitoring/kube-state-metrics",
        change: |e| {
            let service = &mut state_services(e)[0];
            service.namespace = "monitoring".into();
            service.accepted = false;
        },
    },
    Case {
        name: "in default",
        code: "SF320",
        verdict: Warn,
        says: "stands in namespace default",
        change: |e| state_services(e)[0].namespace = "default".into(),
    },
    Case {
        name: "two of it",
        code: "SF320",
        verdict: Pass,
        says: "kube-system/kube-state-metrics, default/kube-state-metrics",
        change: |e| {
            let mut other = state_services(e)[0].clone();
            other.namespace = "default".into();
            state_services(e).push(other);
        },
    },
    Case {
        name: "shard not installed",
        code: "SF321",
        verdict: Fail,
        says: "of 3 shards these are not installed: 1, 2",
        change: |e| {
            flag(state_metrics(e), "--shard", "0");
            flag(state_metrics(e), "--total-shards", "3");
        },
    },
    Case {
        name: "shard not ready",
        code: "SF321",
        verdict: Fail,
        says: "has 1 of 2 pods ready",
        change: |e| {
            flag(state_metrics(e), "--total-shards", "2");
            state_metrics(e).desired = 2;
        },
    },
    Case {
        name: "replica not ready",
        code: "SF321",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| state_metrics(e).desired = 2,
    },
    Case {
        name: "shards that are being replaced, each ready",
        code: "SF321",
        verdict: Warn,
        says: "StatefulSet kube-state-metrics is rolling out: 1 of 2 pods are of the newest revision",
        change: |e| {
            shards(e, [2, 1]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "a shard that is being replaced",
        code: "SF321",
        verdict: Warn,
        says: "StatefulSet kube-state-metrics has 1 of 2 pods ready: its rollout began 40s ago",
        change: |e| {
            shards(e, [1, 1]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "the last shard that is being replaced",
        code: "SF321",
        verdict: Warn,
        says: "has 1 of 2 pods ready: its rollout began 10m ago",
        change: |e| {
            shards(e, [1, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 600));
        },
    },
    Case {
        name: "a shard that is still not replaced after the deadline",
        code: "SF321",
        verdict: Fail,
        says: "StatefulSet kube-state-metrics has 1 of 2 pods ready",
        change: |e| {
            shards(e, [1, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 601));
        },
    },
    Case {
        name: "a shard that is being replaced, nobody knows since when",
        code: "SF321",
        verdict: Fail,
        says: "StatefulSet kube-state-metrics has 1 of 2 pods ready",
        change: |e| shards(e, [1, 1]),
    },
    Case {
        name: "a shard that is down right after a change that rolled out nothing",
        code: "SF321",
        verdict: Fail,
        says: "StatefulSet kube-state-metrics has 1 of 2 pods ready",
        change: |e| {
            shards(e, [1, 2]);
            rollout(e).revision = Some("a".into());
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "every shard is being replaced at once",
        code: "SF321",
        verdict: Fail,
        says: "StatefulSet kube-state-metrics has 0 of 2 pods ready",
        change: |e| {
            shards(e, [0, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "shards of a Deployment that makes progress",
        code: "SF321",
        verdict: Warn,
        says: "Deployment kube-state-metrics has 1 of 2 pods ready: its rollout began 1h ago",
        change: |e| {
            shards_of_deployment(e, "True", "ReplicaSetUpdated");
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 3_600));
        },
    },
    Case {
        name: "shards of a Deployment that makes no progress",
        code: "SF321",
        verdict: Fail,
        says: "Deployment kube-state-metrics has 1 of 2 pods ready (ProgressDeadlineExceeded: timed out)",
        change: |e| {
            shards_of_deployment(e, "False", "ProgressDeadlineExceeded");
            state_metrics(e).trouble = Some("ProgressDeadlineExceeded: timed out".into());
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "shards of a Deployment of which one went down",
        code: "SF321",
        verdict: Fail,
        says: "Deployment kube-state-metrics has 1 of 2 pods ready",
        change: |e| {
            shards_of_deployment(e, "True", "NewReplicaSetAvailable");
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "a Deployment that is rolling out",
        code: "SF321",
        verdict: Warn,
        says: "Deployment kube-state-metrics is rolling out: 0 of 1 pods are of the newest revision",
        change: |e| state_metrics(e).updated = 0,
    },
    Case {
        name: "sharded by node, and not ready on one",
        code: "SF321",
        verdict: Fail,
        says: "DaemonSet kube-state-metrics has 1 of 2 pods ready",
        change: |e| shards_by_node(e),
    },
    Case {
        name: "sharded by node, and just changed",
        code: "SF321",
        verdict: Warn,
        says: "DaemonSet kube-state-metrics has 1 of 2 pods ready: its rollout began 40s ago",
        change: |e| {
            shards_by_node(e);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    },
    Case {
        name: "sharded by node, on no node",
        code: "SF321",
        verdict: Fail,
        says: "DaemonSet kube-state-metrics wants a pod on no node",
        change: |e| {
            shards_by_node(e);
            state_metrics(e).desired = 0;
        },
    },
    Case {
        name: "one of two replicas of a StatefulSet that is told its pod alone",
        code: "SF321",
        verdict: Warn,
        says: "StatefulSet kube-state-metrics has 1 of 2 pods ready",
        change: |e| {
            shards(e, [1, 2]);
            state_metrics(e).flags.remove("--pod-namespace");
        },
    },
    Case {
        name: "no state endpoint",
        code: "SF321",
        verdict: Fail,
        says: "no ready endpoint",
        change: |e| state_endpoints(e).clear(),
    },
    Case {
        name: "old state metrics",
        code: "SF322",
        verdict: Fail,
        says: "kube-state-metrics 2.10.0 is not accepted",
        change: |e| state_metrics(e).version = Some("2.10.0".into()),
    },
    Case {
        name: "scrape times out",
        code: "SF323",
        verdict: Fail,
        says: "did not answer within 10s",
        change: |e| scrape(e).rows = unknown(Reason::TimedOut),
    },
    Case {
        name: "scrape unreachable",
        code: "SF323",
        verdict: Fail,
        says: "was not reached",
        change: |e| scrape(e).rows = unknown(Reason::Unreachable),
    },
    Case {
        name: "scrape cut short",
        code: "SF323",
        verdict: Unseen,
        says: "truncated",
        change: |e| scrape(e).rows = unknown(Reason::Truncated),
    },
    Case {
        name: "scrape not tried",
        code: "SF323",
        verdict: Unseen,
        says: "not collected",
        change: |e| scrape(e).rows = unknown(Reason::NotCollected),
    },
    Case {
        name: "service gone",
        code: "SF323",
        verdict: Fail,
        says: "is gone",
        change: |e| scrape(e).rows = Observed::Absent,
    },
    Case {
        name: "nothing to scrape",
        code: "SF323",
        verdict: Unseen,
        says: "nothing to scrape",
        change: |e| e.scrapes = Observed::Seen(vec![]),
    },
    Case {
        name: "flags from a file",
        code: "SF324",
        verdict: Unseen,
        says: "sets flags from a file",
        change: |e| state_metrics(e).unread_flags = Some("--config".into()),
    },
    Case {
        name: "malformed allowlist",
        code: "SF324",
        verdict: Fail,
        says: "is malformed",
        change: |e| flag(state_metrics(e), ALLOWLIST, "pods=[a,]"),
    },
    Case {
        name: "listed twice",
        code: "SF324",
        verdict: Fail,
        says: "lacks",
        change: |e| {
            flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],pods=[app]"));
        },
    },
    Case {
        name: "another shows all but the pods",
        code: "SF324",
        verdict: Pass,
        says: "5 labels",
        change: |e| {
            let mut other = state_metrics(e).clone();
            other.flags.clear();
            flag(&mut other, "--resources", "nodes,services");
            seen(&mut e.kube_state_metrics.workloads).push(other);
        },
    },
    Case {
        name: "no other shows the pods",
        code: "SF324",
        verdict: Fail,
        says: "no --metric-labels-allowlist",
        change: |e| {
            state_metrics(e).flags.clear();
            flag(state_metrics(e), "--resources", "nodes,services");
        },
    },
    Case {
        name: "another may show the pods",
        code: "SF324",
        verdict: Fail,
        says: "no --metric-labels-allowlist",
        change: |e| {
            let mut other = state_metrics(e).clone();
            other.flags.clear();
            unread(&mut other, "--resources");
            seen(&mut e.kube_state_metrics.workloads).push(other);
        },
    },
    Case {
        name: "everything",
        code: "SF324",
        verdict: Warn,
        says: "shows every label",
        change: |e| flag(state_metrics(e), ALLOWLIST, "pods=[*]"),
    },
    Case {
        name: "pattern on 2 20",
        code: "SF324",
        verdict: Pass,
        says: "5 labels",
        change: |e| flag(state_metrics(e), ALLOWLIST, "pods=[starform.io/*]"),
    },
    Case {
        name: "two wildcards",
        code: "SF324",
        verdict: Fail,
        says: "more than one *",
        change: |e| {
            flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],nodes=[*a*]"));
        },
    },
    Case {
        name: "a list by a variable that was not read, and rows that show it",
        code: "SF324",
        verdict: Pass,
        says: "5 labels, by the rows: --metric-labels-allowlist of Deployment kube-state-metrics is not known: \
               variable SOME comes from a ConfigMap",
        change: |e| unread(state_metrics(e), ALLOWLIST),
    },
    Case {
        name: "any flag by a variable that was not read, and rows that show the labels",
        code: "SF324",
        verdict: Pass,
        says: "5 labels, by the rows",
        change: |e| {
            unread(state_metrics(e), ALLOWLIST);
            state_metrics(e).flags.clear();
            state_metrics(e).unread_arguments[0].flag = None;
        },
    },
    Case {
        name: "a list by a variable that was not read, and rows that lack a label",
        code: "SF324",
        verdict: Fail,
        says: "starform.io/project on no row of a pod that carries it",
        change: |e| {
            unread(state_metrics(e), ALLOWLIST);
            for row in &mut rows(e).rows {
                row.labels[2] = None;
            }
        },
    },
    Case {
        name: "a list by a variable that was not read, and no pod with labels",
        code: "SF324",
        verdict: Unseen,
        says: "no pod with a row carries starform.io/cluster-id",
        change: |e| {
            unread(state_metrics(e), ALLOWLIST);
            for pod in pods(e) {
                pod.labels.fill(None);
            }
        },
    },
    Case {
        name: "a list by a variable that was not read, and no row",
        code: "SF324",
        verdict: Unseen,
        says: "no pod with a row carries starform.io/cluster-id",
        change: |e| {
            unread(state_metrics(e), ALLOWLIST);
            rows(e).rows.clear();
        },
    },
    Case {
        name: "a list by a variable that was not read, and no answer",
        code: "SF324",
        verdict: Unseen,
        says: "is not known: variable SOME comes from a ConfigMap; truncated",
        change: |e| {
            unread(state_metrics(e), ALLOWLIST);
            scrape(e).rows = unknown(Reason::Truncated);
        },
    },
    Case {
        name: "shards numbered by a variable that was not read",
        code: "SF321",
        verdict: Unseen,
        says: "--shard of Deployment kube-state-metrics is not known",
        change: |e| {
            flag(state_metrics(e), "--total-shards", "2");
            unread(state_metrics(e), "--shard");
        },
    },
    Case {
        name: "one of two, of which not known whether they are shards",
        code: "SF321",
        verdict: Unseen,
        says: "has 1 of 2 pods ready; --total-shards of Deployment kube-state-metrics is not known",
        change: |e| {
            unread(state_metrics(e), "--total-shards");
            state_metrics(e).desired = 2;
        },
    },
    Case {
        name: "version untold",
        code: "SF324",
        verdict: Unseen,
        says: "tells no version",
        change: |e| state_metrics(e).version = None,
    },
    Case {
        name: "one row missing",
        code: "SF325",
        verdict: Warn,
        says: "1 of",
        change: |e| {
            rows(e).rows.pop();
        },
    },
    Case {
        name: "many rows missing",
        code: "SF325",
        verdict: Fail,
        says: "without a row",
        change: |e| rows(e).rows.truncate(1),
    },
    Case {
        name: "no pods listed",
        code: "SF325",
        verdict: Unseen,
        says: "the list of pods is empty",
        change: |e| pods(e).clear(),
    },
    Case {
        name: "one row stale",
        code: "SF326",
        verdict: Warn,
        says: "of pods that are gone",
        change: |e| {
            let uid = rows(e).rows[0].uid.clone();
            pods(e).retain(|pod| pod.uid != uid);
        },
    },
    Case {
        name: "label lost",
        code: "SF327",
        verdict: Fail,
        says: "starform.io/project on no row",
        change: |e| {
            for row in &mut rows(e).rows {
                row.labels[2] = None;
            }
        },
    },
    Case {
        name: "one label late",
        code: "SF327",
        verdict: Warn,
        says: "1 of 7 labelled pods with another value",
        change: |e| {
            let row = rows(e).rows.iter_mut().find(|row| &*row.namespace == "shop").unwrap();
            row.labels[3] = Some(Arc::from("old"));
        },
    },
    Case {
        name: "nothing labelled",
        code: "SF327",
        verdict: NotApplicable,
        says: "no pod carries a contract label yet",
        change: |e| {
            for pod in pods(e) {
                pod.labels.fill(None);
            }
        },
    },
    Case {
        name: "collision",
        code: "SF328",
        verdict: Fail,
        says: "label_starform_io_app_conflict1 instead of the plain column, on shop/a",
        change: |e| {
            rows(e).conflicts = vec!["label_starform_io_app_conflict1".into()];
            rows(e).conflict_pods = vec!["shop/a".into()];
        },
    },
    Case {
        name: "unreadable row",
        code: "SF328",
        verdict: Fail,
        says: "1 row cannot be read: duplicate label",
        change: |e| {
            rows(e).row_errors = 1;
            rows(e).first_row_errors = vec!["duplicate label".into()];
        },
    },
    Case {
        name: "two rows of a pod",
        code: "SF329",
        verdict: Warn,
        says: "with more than one row",
        change: |e| {
            let name = pod_metrics(e)[0].name.clone();
            let row = rows(e).rows.iter().find(|row| row.pod == name).unwrap().clone();
            rows(e).rows.push(row);
        },
    },
    Case {
        name: "replicas taken for shards",
        code: "SF329",
        verdict: Fail,
        says: "with more than one row",
        change: |e| {
            let again = scrape(e).clone();
            seen(&mut e.scrapes).push(again);
        },
    },
    Case {
        name: "one of two shards does not answer",
        code: "SF323",
        verdict: Fail,
        says: "(1 of 2 targets)",
        change: |e| {
            let mut second = scrape(e).clone();
            second.rows = unknown(Reason::Unreachable);
            seen(&mut e.scrapes).push(second);
        },
    },
    Case {
        name: "no row of the pods, of a kube-state-metrics in default",
        code: "SF325",
        verdict: Fail,
        says: "without a row",
        change: |e| {
            state_services(e)[0].namespace = "default".into();
            rows(e).rows.clear();
        },
    },
    Case {
        name: "a pod that is being deleted has no row",
        code: "SF325",
        verdict: Pass,
        says: "pods",
        change: |e| {
            let gone = pods(e)[0].uid.clone();
            pods(e)[0].deleting = true;
            rows(e).rows.retain(|row| row.uid != gone);
        },
    },
    Case {
        name: "one of two replicas",
        code: "SF321",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| {
            state_metrics(e).desired = 2;
            flag(state_metrics(e), "--total-shards", "1");
            flag(state_metrics(e), "--pod", "$(POD_NAME)");
        },
    },
    Case {
        name: "a list of no label",
        code: "SF324",
        verdict: Fail,
        says: "an allow-list without pods lacks",
        change: |e| flag(state_metrics(e), ALLOWLIST, "pods=[]"),
    },
    Case {
        name: "its pod waits for a cordoned node",
        code: "SF321",
        verdict: Fail,
        says: "has 0 of 1 pods ready",
        change: |e| {
            state_metrics(e).ready = 0;
            nodes(e)[1].unschedulable = true;
            wait(e, "kube-state-metrics-");
        },
    },
    Case {
        name: "its pod waits, and no node is cordoned",
        code: "SF321",
        verdict: Fail,
        says: "has 0 of 1 pods ready",
        change: |e| {
            state_metrics(e).ready = 0;
            wait(e, "kube-state-metrics-");
        },
    },
    Case {
        name: "another pod waits for a cordoned node",
        code: "SF321",
        verdict: Fail,
        says: "has 0 of 1 pods ready",
        change: |e| {
            state_metrics(e).ready = 0;
            nodes(e)[1].unschedulable = true;
            wait(e, "coredns-");
        },
    },
    Case {
        name: "another team's pod waits for a cordoned node",
        code: "SF321",
        verdict: Fail,
        says: "has 0 of 1 pods ready",
        change: |e| {
            state_metrics(e).ready = 0;
            nodes(e)[1].unschedulable = true;
            wait(e, "kube-state-metrics-");
            let mut waiting = pods(e).iter_mut().filter(|pod| pod.node.is_none());
            waiting.next().unwrap().namespace = Arc::from("shop");
        },
    },
];

/// Makes it a StatefulSet of two shards, so many of which are ready and of the newest revision, in the middle of a rollout.
fn shards(evidence: &mut Evidence, [ready, updated]: [u32; 2]) {
    let workload = state_metrics(evidence);
    workload.kind = WorkloadKind::StatefulSet;
    (workload.desired, workload.ready, workload.updated) = (2, ready, updated);
    flag(workload, "--pod", "$(POD_NAME)");
    flag(workload, "--pod-namespace", "$(POD_NAMESPACE)");
    workload.rollout = Some(Rollout {
        revision: Some("b".into()),
        whole_revision: Some("a".into()),
        ..Rollout::default()
    });
}

/// Makes it a Deployment of two shards, one of which is ready, whose condition `Progressing` is so.
fn shards_of_deployment(evidence: &mut Evidence, status: &str, reason: &str) {
    let workload = state_metrics(evidence);
    (workload.desired, workload.ready, workload.updated) = (2, 1, 2);
    flag(workload, "--total-shards", "2");
    let progressing = RolloutCondition {
        kind: "Progressing".into(),
        status: status.into(),
        reason: reason.into(),
        since: None,
        updated: None,
    };
    workload.rollout = Some(Rollout {
        progress_deadline_seconds: Some(600),
        conditions: vec![progressing],
        ..Rollout::default()
    });
}

/// Makes it a DaemonSet that shows each node's pods, ready on one of two nodes.
fn shards_by_node(evidence: &mut Evidence) {
    let workload = state_metrics(evidence);
    workload.kind = WorkloadKind::DaemonSet;
    (workload.desired, workload.ready, workload.updated) = (2, 1, 2);
    flag(workload, "--node", "$(NODE_NAME)");
}

fn rollout(evidence: &mut Evidence) -> &mut Rollout {
    state_metrics(evidence).rollout.as_mut().unwrap()
}

/// The pod whose name begins so is bound to no node.
fn wait(evidence: &mut Evidence, name: &str) {
    let mut pods = pods(evidence).iter_mut();
    let is = |pod: &&mut starform_verify::evidence::Pod| &*pod.namespace == "kube-system" && pod.name.starts_with(name);
    pods.find(is).unwrap().node = None;
}
