//! Step 3, kube-state-metrics.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{
    ALLOWLIST, FIVE, changed, flag, nodes, pod_metrics, pods, rows, scrape, seen, state_endpoints, state_metrics,
    state_services, unknown, unread,
};
use starform_verify::evidence::{
    Evidence, Observed, PodAgain, Reason, Rollout, RolloutCondition, RowAgain, SecondLook, Source, Termination,
    Workload, WorkloadKind,
};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    fails(
        "SF320",
        "only where the contract does not accept it: monitoring/kube-state-metrics",
    )
    .when("elsewhere", |e| {
        let service = &mut state_services(e)[0];
        service.namespace = "monitoring".into();
        service.accepted = false;
    }),
    fails(
        "SF320",
        "Deployment kube-system/kube-state-metrics runs kube-state-metrics, and its Service ksm is not found: it has no label app",
    )
    .when("a service without its label", |e| unfound(e, Some(&["ksm"]))),
    fails("SF320", "runs kube-state-metrics, and no Service selects its pods")
        .when("no service of what runs", |e| unfound(e, Some(&[]))),
    fails("SF320", "runs kube-state-metrics, and no Service of its label leads to it")
        .when("services that were not listed", |e| unfound(e, None)),
    fails("SF320", "its Service ksm is not found").when("a service without its label, beside one of custom resources", |e| {
        let (services, workloads) = (state_services(e).clone(), seen(&mut e.kube_state_metrics.workloads).clone());
        unfound(e, Some(&["ksm"]));
        *state_services(e) = services;
        e.kube_state_metrics.workloads = Observed::Seen(workloads);
        flag(state_metrics(e), "--custom-resource-state-only", "true");
    }),
    fails("SF320", "no Service app.kubernetes.io/name=kube-state-metrics in the cluster").when(
        "no service, and one for custom resources that runs",
        |e| {
            unfound(e, Some(&["flux"]));
            flag(&mut e.kube_state_metrics.unfound[0], "--custom-resource-state-only", "true");
        },
    ),
    warns("SF320", "stands in namespace default").when("in default", |e| {
        state_services(e)[0].namespace = "default".into();
        state_metrics(e).namespace = "default".into();
        state_endpoints(e)[0].namespace = "default".into();
    }),
    warns(
        "SF320",
        "kube-state-metrics stands in another namespace too: default/kube-state-metrics",
    )
    .when("one in default too", |e| {
        let mut other = state_services(e)[0].clone();
        other.namespace = "default".into();
        state_services(e).push(other);
    }),
    passes("SF324", "5 labels").when("one in default too, without an allow-list", |e| {
        beside(e, "default", |other| other.flags.clear());
    }),
    passes("SF324", "5 labels").when("one in default that shows more, without an allow-list", |e| {
        beside(e, "default", |other| other.flags.clear());
        flag(state_metrics(e), "--namespaces", "shop");
    }),
    fails("SF325", "9 of 10 pods without a row").when("one in default that shows more, and its own lacks rows", |e| {
        beside(e, "default", |_| {});
        flag(state_metrics(e), "--namespaces", "shop");
        rows(e).rows.truncate(1);
    }),
    passes("SF321", "1 pod").when("one in default too, that does not run", |e| {
        beside(e, "default", |other| (other.ready, other.desired) = (0, 2));
    }),
    passes("SF321", "1 pod").when("another for custom resources, that starts again and again", |e| {
        beside(e, "kube-system", |other| {
            flag(other, "--custom-resource-state-only", "true");
            other.name = "coredns".into();
        });
        let now = e.now(Source::Pods).unwrap();
        let mut its = pods(e).iter_mut().filter(|pod| pod.name.starts_with("coredns-"));
        let pod = its.next().unwrap();
        pod.restarts = 41;
        pod.last_termination = Some(Box::new(Termination {
            container: "c".into(),
            reason: "Error".into(),
            exit_code: 1,
            finished: Some(now - jiff::SignedDuration::from_mins(5)),
        }));
    }),
    passes(
        "SF320",
        "kube-system/kube-state-metrics; beside it kube-system/flux of custom resources",
    )
    .when("another for custom resources", |e| {
        beside(e, "kube-system", |other| {
            flag(other, "--custom-resource-state-only", "true");
        });
    }),
    passes("SF324", "5 labels").when("another for custom resources, without an allow-list", |e| {
        beside(e, "kube-system", |other| {
            other.flags.clear();
            flag(other, "--custom-resource-state-only", "true");
        });
    }),
    passes("SF322", "2.20.0").when("another of some namespaces, of a version that is not accepted", |e| {
        beside(e, "kube-system", |other| {
            other.version = Some("2.1.0".into());
            flag(other, "--namespaces", "team-a");
        });
    }),
    passes("SF321", "1 pod").when("another for custom resources, that does not run", |e| {
        beside(e, "kube-system", |other| {
            flag(other, "--custom-resource-state-only", "true");
            other.ready = 0;
        });
    }),
    fails("SF321", "Deployment flux has 0 of 1 pods ready").when("another that shows all and does not run", |e| {
        beside(e, "kube-system", |other| other.ready = 0);
    }),
    warns(
        "SF321",
        "2 pods of an unsharded kube-state-metrics: every series comes 2 times",
    )
    .when("two replicas", |e| {
        let workload = state_metrics(e);
        (workload.desired, workload.ready, workload.updated) = (2, 2, 2);
    }),
    warns("SF321", "2 pods of an unsharded kube-state-metrics").when("two that show all", |e| {
        beside(e, "kube-system", |_| {});
    }),
    passes("SF321", "2 pods").when("one for the pods, and one for all else", |e| {
        beside(e, "kube-system", |other| flag(other, "--resources", "nodes"));
    }),
    passes("SF321", "2 pods").when("two that share the namespaces", |e| {
        beside(e, "kube-system", |other| flag(other, "--namespaces", "team-b"));
        flag(state_metrics(e), "--namespaces", "team-a");
    }),
    passes("SF321", "2 pods").when("two shards", |e| {
        let workload = state_metrics(e);
        flag(workload, "--total-shards", "2");
        (workload.desired, workload.ready, workload.updated) = (2, 2, 2);
    }),
    fails("SF321", "of 3 shards these are not installed: 1, 2").when("shard not installed", |e| {
        flag(state_metrics(e), "--shard", "0");
        flag(state_metrics(e), "--total-shards", "3");
    }),
    fails("SF321", "has 1 of 2 pods ready").when("shard not ready", |e| {
        flag(state_metrics(e), "--total-shards", "2");
        state_metrics(e).desired = 2;
    }),
    warns("SF321", "has 1 of 2 pods ready").when("replica not ready", |e| state_metrics(e).desired = 2),
    warns(
        "SF321",
        "StatefulSet kube-state-metrics is rolling out: 1 of 2 pods are of the newest revision",
    )
    .when("shards that are being replaced, each ready", |e| {
        shards(e, [2, 1]);
        state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
    }),
    warns(
        "SF321",
        "StatefulSet kube-state-metrics has 1 of 2 pods ready: its rollout began 40s ago",
    )
    .when("a shard that is being replaced", |e| {
        shards(e, [1, 1]);
        state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
    }),
    warns("SF321", "has 1 of 2 pods ready: its rollout began 10m ago").when(
        "the last shard that is being replaced",
        |e| {
            shards(e, [1, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 600));
        },
    ),
    fails("SF321", "StatefulSet kube-state-metrics has 1 of 2 pods ready").when(
        "a shard that is still not replaced after the deadline",
        |e| {
            shards(e, [1, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 601));
        },
    ),
    fails("SF321", "StatefulSet kube-state-metrics has 1 of 2 pods ready").when(
        "a shard that is being replaced, nobody knows since when",
        |e| {
            shards(e, [1, 1]);
        },
    ),
    fails("SF321", "StatefulSet kube-state-metrics has 1 of 2 pods ready").when(
        "a shard that is down right after a change that rolled out nothing",
        |e| {
            shards(e, [1, 2]);
            rollout(e).revision = Some("a".into());
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    ),
    fails("SF321", "StatefulSet kube-state-metrics has 0 of 2 pods ready").when(
        "every shard is being replaced at once",
        |e| {
            shards(e, [0, 2]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    ),
    warns(
        "SF321",
        "Deployment kube-state-metrics has 1 of 2 pods ready: its rollout began 1h ago",
    )
    .when("shards of a Deployment that makes progress for an hour", |e| {
        shards_of_deployment(e, "True", "ReplicaSetUpdated");
        state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 3_600));
    }),
    fails(
        "SF321",
        "Deployment kube-state-metrics has 1 of 2 pods ready (ProgressDeadlineExceeded: timed out)",
    )
    .when("shards of a Deployment that makes no progress", |e| {
        shards_of_deployment(e, "False", "ProgressDeadlineExceeded");
        state_metrics(e).trouble = Some("ProgressDeadlineExceeded: timed out".into());
        state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
    }),
    fails("SF321", "Deployment kube-state-metrics has 1 of 2 pods ready").when(
        "shards of a Deployment of which one went down",
        |e| {
            shards_of_deployment(e, "True", "NewReplicaSetAvailable");
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    ),
    fails("SF321", "Deployment kube-state-metrics has 1 of 2 pods ready").when(
        "shards of a Deployment that makes progress for longer",
        |e| {
            shards_of_deployment(e, "True", "ReplicaSetUpdated");
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 3_601));
        },
    ),
    fails("SF321", "Deployment kube-state-metrics has 1 of 2 pods ready").when(
        "shards of a Deployment whose controller tells of no more progress",
        |e| {
            shards_of_deployment(e, "True", "ReplicaSetUpdated");
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 900));
            let told = changed(e, Source::StateMetricsWorkloads, 601).time;
            rollout(e).conditions[0].updated = Some(told);
        },
    ),
    fails("SF321", "Deployment kube-state-metrics has 1 of 2 pods ready").when(
        "shards of a Deployment of which one cannot be made again",
        |e| {
            shards_of_deployment(e, "True", "NewReplicaSetAvailable");
            state_metrics(e).updated = 1;
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
        },
    ),
    fails("SF321", "Deployment kube-state-metrics has 1 of 2 pods ready").when(
        "shards of a Deployment without a deadline",
        |e| {
            shards_of_deployment(e, "True", "ReplicaSetUpdated");
            rollout(e).progress_deadline_seconds = Some(2_147_483_647);
            rollout(e).conditions.clear();
            state_metrics(e).updated = 1;
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 700));
        },
    ),
    fails("SF321", "StatefulSet kube-state-metrics has 1 of 2 pods ready").when(
        "a shard that is being replaced since a time to come",
        |e| {
            shards(e, [1, 1]);
            state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, -120));
        },
    ),
    warns(
        "SF321",
        "Deployment kube-state-metrics is rolling out: 0 of 1 pods are of the newest revision",
    )
    .when("a Deployment that is rolling out", |e| state_metrics(e).updated = 0),
    fails("SF321", "DaemonSet kube-state-metrics has 1 of 2 pods ready")
        .when("sharded by node, and not ready on one", shards_by_node),
    warns(
        "SF321",
        "DaemonSet kube-state-metrics has 1 of 2 pods ready: its rollout began 40s ago",
    )
    .when("sharded by node, and just changed", |e| {
        shards_by_node(e);
        state_metrics(e).last_change = Some(changed(e, Source::StateMetricsWorkloads, 40));
    }),
    fails("SF321", "DaemonSet kube-state-metrics wants a pod on no node").when("sharded by node, on no node", |e| {
        shards_by_node(e);
        state_metrics(e).desired = 0;
    }),
    warns("SF321", "StatefulSet kube-state-metrics has 1 of 2 pods ready").when(
        "one of two replicas of a StatefulSet that is told its pod alone",
        |e| {
            shards(e, [1, 2]);
            state_metrics(e).flags.remove("--pod-namespace");
        },
    ),
    fails("SF321", "no ready endpoint").when("no state endpoint", |e| state_endpoints(e).clear()),
    fails("SF322", "kube-state-metrics 2.10.0 is not accepted").when("old state metrics", |e| {
        state_metrics(e).version = Some("2.10.0".into());
    }),
    fails("SF323", "did not answer within 10s")
        .when("scrape times out", |e| scrape(e).rows = unknown(Reason::TimedOut)),
    fails("SF323", "was not reached").when("scrape unreachable", |e| scrape(e).rows = unknown(Reason::Unreachable)),
    unseen("SF323", "truncated").when("scrape cut short", |e| scrape(e).rows = unknown(Reason::Truncated)),
    unseen("SF323", "not collected").when("scrape not tried", |e| scrape(e).rows = unknown(Reason::NotCollected)),
    fails("SF323", "is gone").when("service gone", |e| scrape(e).rows = Observed::Absent),
    unseen("SF323", "nothing to scrape").when("nothing to scrape", |e| e.scrapes = Observed::Seen(vec![])),
    unseen("SF324", "sets flags from a file").when("flags from a file", |e| {
        state_metrics(e).unread_flags = Some("--config".into());
    }),
    fails("SF324", "is malformed").when("malformed allowlist", |e| {
        flag(state_metrics(e), ALLOWLIST, "pods=[a,]");
    }),
    fails("SF324", "lacks").when("listed twice", |e| {
        flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],pods=[app]"));
    }),
    passes("SF324", "5 labels").when("another shows all but the pods", |e| {
        let mut other = state_metrics(e).clone();
        other.flags.clear();
        flag(&mut other, "--resources", "nodes,services");
        seen(&mut e.kube_state_metrics.workloads).push(other);
    }),
    fails("SF324", "no --metric-labels-allowlist").when("no other shows the pods", |e| {
        state_metrics(e).flags.clear();
        flag(state_metrics(e), "--resources", "nodes,services");
    }),
    unseen("SF324", "sets flags from a file").when("another may show the pods, by a file", |e| {
        let mut other = state_metrics(e).clone();
        other.flags.clear();
        flag(&mut other, "--resources", "nodes");
        other.unread_flags = Some("--config".into());
        seen(&mut e.kube_state_metrics.workloads).push(other);
    }),
    fails("SF324", "no --metric-labels-allowlist").when("another names no resource", |e| {
        let mut other = state_metrics(e).clone();
        other.flags.clear();
        flag(&mut other, "--resources", "");
        seen(&mut e.kube_state_metrics.workloads).push(other);
    }),
    fails("SF324", "no --metric-labels-allowlist").when("another may show the pods", |e| {
        let mut other = state_metrics(e).clone();
        other.flags.clear();
        unread(&mut other, "--resources");
        seen(&mut e.kube_state_metrics.workloads).push(other);
    }),
    warns("SF324", "shows every label").when("everything", |e| flag(state_metrics(e), ALLOWLIST, "pods=[*]")),
    warns(
        "SF324",
        "by starform.io/* another label can hide starform.io/cluster-id, ",
    )
    .when("pattern on 2 20", |e| {
        flag(state_metrics(e), ALLOWLIST, "pods=[starform.io/*]");
    }),
    warns("SF324", "by *_id another label can hide starform.io/cluster-id").when("a pattern beside the keys", |e| {
        flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE},*_id]"));
    }),
    warns("SF324", "by starform.io/App another label can hide starform.io/app").when("a twin beside the keys", |e| {
        flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE},starform.io/App]"));
    }),
    passes("SF324", "5 labels").when("a pattern that matches no twin", |e| {
        flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE},example.com/*]"));
    }),
    fails("SF324", "more than one *").when("two wildcards", |e| {
        flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],nodes=[*a*]"));
    }),
    passes(
        "SF324",
        "5 labels, by the rows: --metric-labels-allowlist of Deployment kube-state-metrics is not \
         known: \
               variable SOME comes from a ConfigMap",
    )
    .when("a list by a variable that was not read, and rows that show it", |e| {
        unread(state_metrics(e), ALLOWLIST);
    }),
    passes("SF324", "5 labels, by the rows").when(
        "any flag by a variable that was not read, and rows that show the labels",
        |e| {
            unread(state_metrics(e), ALLOWLIST);
            state_metrics(e).flags.clear();
            state_metrics(e).unread_arguments[0].flag = None;
        },
    ),
    fails("SF324", "starform.io/project on no row of a pod that carries it").when(
        "a list by a variable that was not read, and rows that lack a label",
        |e| {
            unread(state_metrics(e), ALLOWLIST);
            for row in &mut rows(e).rows {
                row.labels[2] = None;
            }
        },
    ),
    unseen("SF324", "no pod with a row carries starform.io/cluster-id").when(
        "a list by a variable that was not read, and no pod with labels",
        |e| {
            unread(state_metrics(e), ALLOWLIST);
            for pod in pods(e) {
                pod.labels.fill(None);
            }
        },
    ),
    unseen("SF324", "no pod with a row carries starform.io/cluster-id").when(
        "a list by a variable that was not read, and no row",
        |e| {
            unread(state_metrics(e), ALLOWLIST);
            rows(e).rows.clear();
        },
    ),
    unseen("SF324", "is not known: variable SOME comes from a ConfigMap; truncated").when(
        "a list by a variable that was not read, and no answer",
        |e| {
            unread(state_metrics(e), ALLOWLIST);
            scrape(e).rows = unknown(Reason::Truncated);
        },
    ),
    unseen("SF321", "--shard of Deployment kube-state-metrics is not known").when(
        "shards numbered by a variable that was not read",
        |e| {
            flag(state_metrics(e), "--total-shards", "2");
            unread(state_metrics(e), "--shard");
        },
    ),
    unseen(
        "SF321",
        "has 1 of 2 pods ready; --total-shards of Deployment kube-state-metrics is not known",
    )
    .when("one of two, of which not known whether they are shards", |e| {
        unread(state_metrics(e), "--total-shards");
        state_metrics(e).desired = 2;
    }),
    unseen("SF324", "tells no version").when("version untold", |e| state_metrics(e).version = None),
    warns("SF325", "1 of").when("one row missing", |e| {
        rows(e).rows.pop();
    }),
    fails("SF325", "without a row").when("many rows missing", |e| rows(e).rows.truncate(1)),
    unseen("SF325", "the list of pods is empty").when("no pods listed", |e| pods(e).clear()),
    warns("SF326", "of pods that are gone").when("one row stale", |e| {
        let uid = rows(e).rows[0].uid.clone();
        pods(e).retain(|pod| pod.uid != uid);
    }),
    passes("SF325", "10 pods; 1 came or went while they were read").when("a pod went before it was scraped", |e| {
        let uid = rows(e).rows.pop().unwrap().uid;
        look_again(e).pods = vec![without_row(&uid, false, None, None)];
    }),
    passes("SF325", "10 pods; 1 came or went while they were read").when("a row that came late", |e| {
        let uid = rows(e).rows.pop().unwrap().uid;
        look_again(e).pods = vec![without_row(&uid, true, Some(true), None)];
    }),
    fails("SF325", "9 of 10 pods without a row").when("pods that are there still, and still without a row", |e| {
        let gone: Vec<_> = rows(e).rows.drain(1..).map(|row| row.uid).collect();
        let again = |uid: &str| without_row(uid, true, Some(false), Some(true));
        look_again(e).pods = gone.iter().map(|uid| again(uid)).collect();
    }),
    warns("SF325", "1 of 10 pods without a row").when("a single pod, and nobody could look again", |e| {
        rows(e).rows.pop();
        e.second_look = Some(unknown(Reason::TimedOut));
    }),
    unseen("SF325", "9 of 10 pods without a row").when("many pods, and nobody could look again", |e| {
        rows(e).rows.truncate(1);
        e.second_look = Some(unknown(Reason::TimedOut));
    }),
    unseen("SF325", "9 of 10 pods without a row").when("many pods, and no time to look again to the end", |e| {
        let gone: Vec<_> = rows(e).rows.drain(1..).map(|row| row.uid).collect();
        let again = |uid: &str| without_row(uid, true, None, None);
        look_again(e).pods = gone.iter().map(|uid| again(uid)).collect();
    }),
    passes("SF326", "10 rows; 1 came or went while they were read").when("a pod was made after the list", |e| {
        let uid = pods(e).pop().unwrap().uid;
        look_again(e).rows = vec![without_pod(&uid, true, None)];
    }),
    warns("SF326", "1 of 10 rows of pods that are gone").when("a row that stays, of a pod that is gone", |e| {
        let uid = pods(e).pop().unwrap().uid;
        look_again(e).rows = vec![without_pod(&uid, false, Some(true))];
    }),
    passes("SF329", "9 pods").when("a pod with metrics went before it was scraped", |e| {
        let uid = rows(e).rows.remove(0).uid;
        look_again(e).pods = vec![without_row(&uid, false, None, None)];
    }),
    fails("SF327", "starform.io/project on no row").when("label lost", |e| {
        for row in &mut rows(e).rows {
            row.labels[2] = None;
        }
    }),
    warns("SF327", "1 of 7 labelled pods with another value").when("one label late", |e| {
        let row = rows(e).rows.iter_mut().find(|row| &*row.namespace == "shop").unwrap();
        row.labels[3] = Some(Arc::from("old"));
    }),
    not_applicable("SF327", "no pod carries a contract label yet").when("nothing labelled", |e| {
        for pod in pods(e) {
            pod.labels.fill(None);
        }
    }),
    fails(
        "SF328",
        "label_starform_io_app_conflict1 instead of the plain column, on shop/a",
    )
    .when("collision", |e| {
        rows(e).conflicts = vec!["label_starform_io_app_conflict1".into()];
        rows(e).conflict_pods = vec!["shop/a".into()];
    }),
    fails("SF328", "1 row cannot be read: duplicate label").when("unreadable row", |e| {
        rows(e).row_errors = 1;
        rows(e).first_row_errors = vec!["duplicate label".into()];
    }),
    warns("SF329", "with more than one row").when("two rows of a pod", |e| {
        let name = pod_metrics(e)[0].name.clone();
        let row = rows(e).rows.iter().find(|row| row.pod == name).unwrap().clone();
        rows(e).rows.push(row);
    }),
    fails("SF329", "with more than one row").when("replicas taken for shards", |e| {
        let again = scrape(e).clone();
        seen(&mut e.scrapes).push(again);
    }),
    fails("SF323", "(1 of 2 targets)").when("one of two shards does not answer", |e| {
        let mut second = scrape(e).clone();
        second.rows = unknown(Reason::Unreachable);
        seen(&mut e.scrapes).push(second);
    }),
    fails("SF325", "without a row").when("no row of the pods, of a kube-state-metrics in default", |e| {
        state_services(e)[0].namespace = "default".into();
        state_metrics(e).namespace = "default".into();
        state_endpoints(e)[0].namespace = "default".into();
        rows(e).rows.clear();
    }),
    passes("SF325", "pods").when("a pod that is being deleted has no row", |e| {
        let gone = pods(e)[0].uid.clone();
        pods(e)[0].deleting = true;
        rows(e).rows.retain(|row| row.uid != gone);
    }),
    warns("SF321", "has 1 of 2 pods ready").when("one of two replicas", |e| {
        state_metrics(e).desired = 2;
        flag(state_metrics(e), "--total-shards", "1");
        flag(state_metrics(e), "--pod", "$(POD_NAME)");
    }),
    fails("SF324", "an allow-list without pods lacks")
        .when("a list of no label", |e| flag(state_metrics(e), ALLOWLIST, "pods=[]")),
    fails("SF321", "has 0 of 1 pods ready").when("its pod waits for a cordoned node", |e| {
        state_metrics(e).ready = 0;
        nodes(e)[1].unschedulable = true;
        wait(e, "kube-state-metrics-");
    }),
    fails("SF321", "has 0 of 1 pods ready").when("its pod waits, and no node is cordoned", |e| {
        state_metrics(e).ready = 0;
        wait(e, "kube-state-metrics-");
    }),
    fails("SF321", "has 0 of 1 pods ready").when("another pod waits for a cordoned node", |e| {
        state_metrics(e).ready = 0;
        nodes(e)[1].unschedulable = true;
        wait(e, "coredns-");
    }),
    fails("SF321", "has 0 of 1 pods ready").when("another team's pod waits for a cordoned node", |e| {
        state_metrics(e).ready = 0;
        nodes(e)[1].unschedulable = true;
        wait(e, "kube-state-metrics-");
        let mut waiting = pods(e).iter_mut().filter(|pod| pod.node.is_none());
        waiting.next().unwrap().namespace = Arc::from("shop");
    }),
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
    let updated = Some(changed(evidence, Source::StateMetricsWorkloads, 60).time);
    let progressing = RolloutCondition {
        kind: "Progressing".into(),
        status: status.into(),
        reason: reason.into(),
        since: None,
        updated,
    };
    let workload = state_metrics(evidence);
    (workload.desired, workload.ready, workload.updated) = (2, 1, 2);
    flag(workload, "--total-shards", "2");
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

/// Another kube-state-metrics, with a Service of its own: `flux`, of custom resources or whatever it is made.
fn beside(evidence: &mut Evidence, namespace: &str, change: fn(&mut Workload)) {
    let mut service = state_services(evidence)[0].clone();
    (service.namespace, service.name) = (namespace.into(), "flux".into());
    state_services(evidence).push(service);
    state_metrics(evidence).services = Some(vec!["kube-state-metrics".into()]);
    let mut other = state_metrics(evidence).clone();
    (other.namespace, other.name) = (namespace.into(), "flux".into());
    other.services = Some(vec!["flux".into()]);
    change(&mut other);
    seen(&mut evidence.kube_state_metrics.workloads).push(other);
}

/// What a second look said: of no pod and of no row.
fn look_again(evidence: &mut Evidence) -> &mut SecondLook {
    seen(evidence.second_look.insert(Observed::Seen(SecondLook::default())))
}

fn without_row(uid: &str, listed: bool, row: Option<bool>, listed_last: Option<bool>) -> PodAgain {
    PodAgain {
        uid: uid.into(),
        listed,
        row,
        listed_last,
    }
}

fn without_pod(uid: &str, listed: bool, row: Option<bool>) -> RowAgain {
    RowAgain {
        uid: uid.into(),
        listed,
        row,
    }
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

/// What runs kube-state-metrics is selected by these Services, which have not its label.
fn unfound(evidence: &mut Evidence, services: Option<&[&str]>) {
    let mut workload = state_metrics(evidence).clone();
    workload.services = services.map(|services| services.iter().map(|name| (*name).to_owned()).collect());
    let component = &mut evidence.kube_state_metrics;
    component.unfound = vec![workload];
    seen(&mut component.services).clear();
    (component.endpoints, component.workloads) = (Observed::Absent, Observed::Absent);
    evidence.scrapes = Observed::Absent;
}
