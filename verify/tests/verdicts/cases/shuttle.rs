//! Step 5.

use crate::case::Case;
use crate::given::{
    agent, agent_given, condition, grant_too, grants, minutes, node_pod, node_role, node_role_given, nodes,
    pod_metrics, pods, rows, seen, starbase, status, unknown,
};
use starform_verify::evidence::{Evidence, NodeJoin, Observed, Phase, Reason, Source};
use starform_verify::report::Verdict::{Fail, NotApplicable, Pass, Unknown as Unseen, Warn};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "no agent",
        code: "SF501",
        verdict: Fail,
        says: "no Deployment shuttle in namespace starform-system",
        change: |e| {
            e.shuttle.agent = Observed::Absent;
        },
    },
    Case {
        name: "agent scaled to zero",
        code: "SF501",
        verdict: Fail,
        says: "is scaled to 0",
        change: |e| agent(e).desired = 0,
    },
    Case {
        name: "agent ready, and not for long enough",
        code: "SF501",
        verdict: Warn,
        says: "Deployment shuttle has 1 of 2 pods ready",
        change: |e| agent(e).available = Some(1),
    },
    Case {
        name: "agent down",
        code: "SF501",
        verdict: Fail,
        says: "has 0 of 2 pods ready",
        change: |e| agent(e).ready = 0,
    },
    Case {
        name: "agent ready in no pod",
        code: "SF501",
        verdict: Unseen,
        says: "Deployment shuttle has 2 pods ready, and the list of pods has none of it",
        change: |e| pods(e).retain(|pod| !pod.name.starts_with("shuttle-6")),
    },
    Case {
        name: "agent without a pod",
        code: "SF501",
        verdict: Fail,
        says: "has 0 of 2 pods ready",
        change: |e| {
            agent(e).ready = 0;
            pods(e).retain(|pod| !pod.name.starts_with("shuttle-6"));
            rows(e).rows.retain(|row| !row.pod.starts_with("shuttle-6"));
        },
    },
    Case {
        name: "agent rolls out and is not active",
        code: "SF501",
        verdict: Warn,
        says: "",
        change: |e| {
            agent(e).observed = false;
            status(e).phase = Phase::Registering;
        },
    },
    Case {
        name: "agent one of two",
        code: "SF501",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| agent(e).ready = 1,
    },
    Case {
        name: "agent rolls out",
        code: "SF501",
        verdict: Warn,
        says: "is rolling out",
        change: |e| agent(e).observed = false,
    },
    Case {
        name: "agent says why",
        code: "SF501",
        verdict: Warn,
        says: "they run, and say why: registering",
        change: |e| {
            agent(e).ready = 0;
            status(e).phase = Phase::Registering;
        },
    },
    Case {
        name: "agent crashes behind an old status",
        code: "SF501",
        verdict: Fail,
        says: "has 0 of 2 pods ready (Stuck: timed out)",
        change: |e| {
            agent(e).ready = 0;
            agent(e).trouble = Some("Stuck: timed out".into());
            for pod in pods(e).iter_mut().filter(|pod| pod.name.starts_with("shuttle-6")) {
                pod.status = Arc::from("CrashLoopBackOff");
            }
        },
    },
    Case {
        name: "node left out",
        code: "SF502",
        verdict: Fail,
        says: "1 Ready node without a pod of it: node2",
        change: |e| node_pod(e, "node2").node = None,
    },
    Case {
        name: "node pod crashes",
        code: "SF502",
        verdict: Fail,
        says: "1 Ready node on which it does not run: node1",
        change: |e| node_pod(e, "node1").status = Arc::from("CrashLoopBackOff"),
    },
    Case {
        name: "an agent s pod is none of the node role",
        code: "SF502",
        verdict: Fail,
        says: "2 Ready nodes without a pod of it",
        change: |e| {
            pods(e).retain(|pod| !pod.name.starts_with("shuttle-node-"));
            rows(e).rows.retain(|row| !row.pod.starts_with("shuttle-node-"));
            pod_metrics(e).retain(|metrics| !metrics.name.starts_with("shuttle-node-"));
        },
    },
    Case {
        name: "node role rolls out",
        code: "SF502",
        verdict: Warn,
        says: "is rolling out: 1 of 2",
        change: |e| node_role(e).updated = 1,
    },
    Case {
        name: "node role not ready",
        code: "SF502",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| node_role(e).ready = 1,
    },
    Case {
        name: "no node role",
        code: "SF502",
        verdict: Fail,
        says: "no DaemonSet shuttle-node",
        change: |e| e.shuttle.node = Observed::Absent,
    },
    Case {
        name: "new nodes only, one of them without a pod yet",
        code: "SF502",
        verdict: Unseen,
        says: "no Ready node is older than 5m",
        change: |e| {
            all_new(e);
            node_pod(e, "node2").node = None;
        },
    },
    Case {
        name: "new nodes only, a pod on each",
        code: "SF502",
        verdict: Pass,
        says: "2 nodes",
        change: all_new,
    },
    Case {
        name: "new nodes only, one of them not proven yet",
        code: "SF507",
        verdict: Unseen,
        says: "no Ready node is older than 5m",
        change: |e| {
            all_new(e);
            nodes(e)[1].telemetry = None;
        },
    },
    Case {
        name: "new nodes only, all of them proven",
        code: "SF507",
        verdict: Pass,
        says: "2 nodes",
        change: all_new,
    },
    // Which cluster it is.
    Case {
        name: "region of another",
        code: "SF503",
        verdict: Fail,
        says: "told region \"fra1\", and nodes are in nyc3",
        change: |e| {
            status(e).region = "fra1".into();
            starbase(e).region = "fra1".into();
        },
    },
    Case {
        name: "id of another",
        code: "SF503",
        verdict: Fail,
        says: "another starform.io/cluster-id than \"blue\"",
        change: |e| status(e).cluster_id = "blue".into(),
    },
    Case {
        name: "one pod of another",
        code: "SF503",
        verdict: Fail,
        says: "1 pod with another starform.io/region than \"nyc3\": starform-system/shuttle-6",
        change: |e| {
            let pod = pods(e)
                .iter_mut()
                .find(|pod| pod.name.starts_with("shuttle-6"))
                .unwrap();
            let (uid, label) = (pod.uid.clone(), Some(Arc::from("fra1")));
            pod.labels[1].clone_from(&label);
            rows(e).rows.iter_mut().find(|row| row.uid == uid).unwrap().labels[1] = label;
        },
    },
    Case {
        name: "uid not read",
        code: "SF503",
        verdict: Unseen,
        says: "has not read this cluster's UID",
        change: |e| {
            status(e).uid.clear();
            status(e).phase = Phase::Verifying;
        },
    },
    Case {
        name: "nodes without region",
        code: "SF503",
        verdict: Warn,
        says: "no node says in which region",
        change: |e| {
            for node in nodes(e) {
                node.region = None;
            }
        },
    },
    Case {
        name: "nobody says",
        code: "SF503",
        verdict: NotApplicable,
        says: "no status",
        change: |e| e.shuttle.status = Observed::Absent,
    },
    // What it proved.
    Case {
        name: "no status",
        code: "SF504",
        verdict: Fail,
        says: "no ConfigMap shuttle-status in namespace starform-system",
        change: |e| e.shuttle.status = Observed::Absent,
    },
    Case {
        name: "old status",
        code: "SF504",
        verdict: Fail,
        says: "active, written 5m 19s ago by shuttle-6",
        change: |e| {
            let stored = &mut seen(&mut e.shuttle.status).stored;
            *stored = stored.map(|stored| stored - minutes(5));
        },
    },
    Case {
        name: "stored at no time",
        code: "SF504",
        verdict: Unseen,
        says: "does not say when the status was stored",
        change: |e| seen(&mut e.shuttle.status).stored = None,
    },
    Case {
        name: "another status",
        code: "SF504",
        verdict: Unseen,
        says: "is of shuttle.starform.io/v9",
        change: |e| status(e).api_version = "shuttle.starform.io/v9".into(),
    },
    Case {
        name: "status forbidden",
        code: "SF504",
        verdict: Unseen,
        says: "forbidden",
        change: |e| e.shuttle.status = unknown(Reason::Forbidden),
    },
    Case {
        name: "no clock for the status",
        code: "SF504",
        verdict: Unseen,
        says: "carry no Date",
        change: |e| seen(&mut e.api_server).date = None,
    },
    Case {
        name: "canary not looked for",
        code: "SF505",
        verdict: Fail,
        says: "has not looked for",
        change: |e| status(e).canary.observed = None,
    },
    Case {
        name: "canary without uid",
        code: "SF505",
        verdict: Fail,
        says: "has not looked for",
        change: |e| status(e).canary.uid.clear(),
    },
    Case {
        name: "canary not labelled",
        code: "SF505",
        verdict: Fail,
        says: "has not got its labels",
        change: |e| status(e).canary.labelled = None,
    },
    Case {
        name: "canary without row",
        code: "SF505",
        verdict: Fail,
        says: "no row of kube_pod_labels is of pod shuttle-6",
        change: |e| status(e).canary.row = false,
    },
    Case {
        name: "canary lacks a key",
        code: "SF505",
        verdict: Fail,
        says: "does not show 1 of 5 labels: starform.io/app",
        change: |e| status(e).canary.missing = vec!["starform.io/app".into()],
    },
    Case {
        name: "canary without metrics",
        code: "SF505",
        verdict: Fail,
        says: "has no PodMetrics",
        change: |e| status(e).canary.metrics_age_ms = None,
    },
    Case {
        name: "canary with old metrics",
        code: "SF505",
        verdict: Fail,
        says: "are 45s old",
        change: |e| status(e).canary.metrics_age_ms = Some(45_001),
    },
    Case {
        name: "canary long ago",
        code: "SF505",
        verdict: Fail,
        says: "31m 11s before the status was written",
        change: |e| {
            let observed = &mut status(e).canary.observed;
            *observed = observed.map(|observed| observed - minutes(31));
        },
    },
    Case {
        name: "join not whole",
        code: "SF506",
        verdict: Fail,
        says: "not read every kubelet yet: 1 of 2 nodes",
        change: |e| {
            status(e).join.complete = false;
            status(e).join.joined.pop();
        },
    },
    Case {
        name: "join of nothing",
        code: "SF506",
        verdict: Fail,
        says: "not read every kubelet yet: 0 of 2 nodes",
        change: |e| status(e).join.joined.clear(),
    },
    Case {
        name: "join fails",
        code: "SF506",
        verdict: Fail,
        says: "1 node whose container metrics do not join: node2 (node2: 403)",
        change: |e| {
            status(e).join.failed.push(NodeJoin {
                node: "node2".into(),
                problem: "403".into(),
            });
        },
    },
    Case {
        name: "join fails beyond the list",
        code: "SF506",
        verdict: Fail,
        says: "3 nodes whose container metrics do not join",
        change: |e| status(e).join.failed_nodes = 3,
    },
    Case {
        name: "join lacks a node",
        code: "SF506",
        verdict: Fail,
        says: "1 Ready node that Shuttle has not read: node2",
        change: |e| {
            status(e).join.joined.pop();
        },
    },
    Case {
        name: "join lacks a new node",
        code: "SF506",
        verdict: Pass,
        says: "10 pods on 1 node",
        change: |e| {
            status(e).join.joined.pop();
            nodes(e)[1].created = e.now(Source::Nodes);
        },
    },
    Case {
        name: "join without pods",
        code: "SF506",
        verdict: Fail,
        says: "no pod at all",
        change: |e| status(e).join.pods = 0,
    },
    Case {
        name: "join long ago",
        code: "SF506",
        verdict: Fail,
        says: "31m 41s before the status was written",
        change: |e| {
            let oldest = &mut status(e).join.oldest;
            *oldest = oldest.map(|oldest| oldest - minutes(31));
        },
    },
    Case {
        name: "join at no time",
        code: "SF506",
        verdict: Fail,
        says: "not read every kubelet yet",
        change: |e| status(e).join.oldest = None,
    },
    Case {
        name: "node not proven",
        code: "SF507",
        verdict: Fail,
        says: "1 of 2 Ready nodes not proven: node1 (CadvisorRefused: 403)",
        change: |e| nodes(e)[0].telemetry = Some(condition("False", "CadvisorRefused", "403")),
    },
    Case {
        name: "node without condition",
        code: "SF507",
        verdict: Fail,
        says: "node2 (it has no such condition)",
        change: |e| nodes(e)[1].telemetry = None,
    },
    Case {
        name: "node proven long ago",
        code: "SF507",
        verdict: Fail,
        says: "node2 (renewed 11m ago)",
        change: |e| {
            let now = e.now(Source::Nodes).unwrap();
            nodes(e)[1].telemetry_renewed = Some(now - minutes(11));
        },
    },
    Case {
        name: "node proven at no time",
        code: "SF507",
        verdict: Fail,
        says: "does not say when",
        change: |e| nodes(e)[1].telemetry_renewed = None,
    },
    // What it is given.
    Case {
        name: "a config map more",
        code: "SF508",
        verdict: Fail,
        says: "the contract does not name ConfigMap relabel",
        change: |e| seen(&mut e.shuttle.config_maps).push("relabel".into()),
    },
    Case {
        name: "a flag more",
        code: "SF508",
        verdict: Fail,
        says: "flag --scrape in Deployment shuttle",
        change: |e| agent_given(e).containers[0].flags.push("--scrape".into()),
    },
    Case {
        name: "a word more",
        code: "SF508",
        verdict: Fail,
        says: "1 more words on the command line",
        change: |e| agent_given(e).containers[0].other_arguments = 1,
    },
    Case {
        name: "a variable more",
        code: "SF508",
        verdict: Fail,
        says: "variable STORE in DaemonSet shuttle-node",
        change: |e| node_role_given(e).containers[0].environment.push("STORE".into()),
    },
    Case {
        name: "variables from elsewhere",
        code: "SF508",
        verdict: Fail,
        says: "variables from ConfigMap relabel",
        change: |e| {
            let container = &mut agent_given(e).containers[0];
            container.environment_from.push("ConfigMap relabel".into());
        },
    },
    Case {
        name: "a volume more",
        code: "SF508",
        verdict: Fail,
        says: "volume relabel in DaemonSet shuttle-node",
        change: |e| node_role_given(e).volumes.push("relabel".into()),
    },
    Case {
        name: "a container more",
        code: "SF508",
        verdict: Fail,
        says: "container vmagent",
        change: |e| {
            let mut more = agent_given(e).containers[0].clone();
            more.name = "vmagent".into();
            agent_given(e).containers.push(more);
        },
    },
    Case {
        name: "another account",
        code: "SF508",
        verdict: Fail,
        says: "ServiceAccount default",
        change: |e| agent_given(e).service_account = "default".into(),
    },
    Case {
        name: "no config map at all",
        code: "SF508",
        verdict: Unseen,
        says: "has no ConfigMap",
        change: |e| seen(&mut e.shuttle.config_maps).clear(),
    },
    Case {
        name: "a permission more",
        code: "SF509",
        verdict: Fail,
        says: "shuttle may get secrets (ClusterRoleBinding more)",
        change: |e| grant_too(e, None, "get", "secrets"),
    },
    Case {
        name: "a permission through a group",
        code: "SF509",
        verdict: Fail,
        says: "shuttle may * pods",
        change: |e| grant_too(e, Some("system:serviceaccounts:starform-system"), "*", "pods"),
    },
    Case {
        name: "a permission of everyone",
        code: "SF509",
        verdict: Warn,
        says: "shuttle may get secrets",
        change: |e| grant_too(e, Some("system:serviceaccounts"), "get", "secrets"),
    },
    Case {
        name: "what collectors need",
        code: "SF509",
        verdict: Pass,
        says: "5 bindings",
        change: |e| grant_too(e, None, "list", "nodes"),
    },
    Case {
        name: "the node role collects nothing",
        code: "SF509",
        verdict: Fail,
        says: "shuttle-node may list nodes",
        change: |e| {
            grant_too(e, None, "list", "nodes");
            grants(e).last_mut().unwrap().account = "shuttle-node".into();
        },
    },
    Case {
        name: "a role is not there",
        code: "SF509",
        verdict: Unseen,
        says: "Role shuttle, which RoleBinding shuttle names, is not there",
        change: |e| grants(e)[1].rules = None,
    },
    Case {
        name: "no binding",
        code: "SF509",
        verdict: Unseen,
        says: "no ClusterRoleBinding binds ServiceAccount starform-system/shuttle-node",
        change: |e| {
            grants(e).pop();
        },
    },
    Case {
        name: "no role binding",
        code: "SF509",
        verdict: Unseen,
        says: "no RoleBinding binds ServiceAccount starform-system/shuttle:",
        change: |e| {
            grants(e).remove(1);
        },
    },
    Case {
        name: "no node was seen",
        code: "SF503",
        verdict: Unseen,
        says: "the cluster has no node or no pod, and Shuttle is one",
        change: |e| nodes(e).clear(),
    },
    Case {
        name: "canary's metrics are as old as they may be",
        code: "SF505",
        verdict: Pass,
        says: "",
        change: |e| {
            let canary = &mut status(e).canary;
            canary.metrics_age_ms = Some(canary.metrics_age_limit_ms);
        },
    },
];

/// Every node was added a moment ago.
fn all_new(evidence: &mut Evidence) {
    let now = evidence.now(Source::Nodes);
    for node in nodes(evidence) {
        node.created = now;
    }
}
