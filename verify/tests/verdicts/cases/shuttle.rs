//! Step 5.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{
    agent, agent_given, condition, grant_too, grants, minutes, node_pod, node_role, node_role_given, nodes,
    pod_metrics, pods, rows, seen, starbase, status, unknown,
};
use starform_verify::evidence::{Evidence, NodeJoin, Observed, Phase, Reason, Source};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    fails("SF501", "no Deployment shuttle in namespace starform-system")
        .when("no agent", |e| e.shuttle.agent = Observed::Absent),
    fails("SF501", "is scaled to 0").when("agent scaled to zero", |e| agent(e).desired = 0),
    warns("SF501", "Deployment shuttle has 1 of 2 pods ready")
        .when("agent ready, and not for long enough", |e| agent(e).available = Some(1)),
    fails("SF501", "has 0 of 2 pods ready").when("agent down", |e| agent(e).ready = 0),
    unseen(
        "SF501",
        "Deployment shuttle has 2 pods ready, and the list of pods has none of it",
    )
    .when("agent ready in no pod", |e| {
        pods(e).retain(|pod| !pod.name.starts_with("shuttle-6"));
    }),
    fails("SF501", "has 0 of 2 pods ready").when("agent without a pod", |e| {
        agent(e).ready = 0;
        pods(e).retain(|pod| !pod.name.starts_with("shuttle-6"));
        rows(e).rows.retain(|row| !row.pod.starts_with("shuttle-6"));
    }),
    warns("SF501", "").when("agent rolls out and is not active", |e| {
        agent(e).observed = false;
        status(e).phase = Phase::Registering;
    }),
    warns("SF501", "has 1 of 2 pods ready").when("agent one of two", |e| agent(e).ready = 1),
    warns("SF501", "is rolling out").when("agent rolls out", |e| agent(e).observed = false),
    warns("SF501", "they run, and say why: registering").when("agent says why", |e| {
        agent(e).ready = 0;
        status(e).phase = Phase::Registering;
    }),
    fails("SF501", "has 0 of 2 pods ready (Stuck: timed out)").when("agent crashes behind an old status", |e| {
        agent(e).ready = 0;
        agent(e).trouble = Some("Stuck: timed out".into());
        for pod in pods(e).iter_mut().filter(|pod| pod.name.starts_with("shuttle-6")) {
            pod.status = Arc::from("CrashLoopBackOff");
        }
    }),
    fails("SF502", "1 Ready node without a pod of it: node2")
        .when("node left out", |e| node_pod(e, "node2").node = None),
    fails("SF502", "1 Ready node on which it does not run: node1").when("node pod crashes", |e| {
        node_pod(e, "node1").status = Arc::from("CrashLoopBackOff");
    }),
    fails("SF502", "2 Ready nodes without a pod of it").when("an agent s pod is none of the node role", |e| {
        pods(e).retain(|pod| !pod.name.starts_with("shuttle-node-"));
        rows(e).rows.retain(|row| !row.pod.starts_with("shuttle-node-"));
        pod_metrics(e).retain(|metrics| !metrics.name.starts_with("shuttle-node-"));
    }),
    warns("SF502", "is rolling out: 1 of 2").when("node role rolls out", |e| node_role(e).updated = 1),
    warns("SF502", "has 1 of 2 pods ready").when("node role not ready", |e| node_role(e).ready = 1),
    fails("SF502", "no DaemonSet shuttle-node").when("no node role", |e| e.shuttle.node = Observed::Absent),
    unseen("SF502", "no Ready node is older than 5m").when("new nodes only, one of them without a pod yet", |e| {
        all_new(e);
        node_pod(e, "node2").node = None;
    }),
    passes("SF502", "2 nodes").when("new nodes only, a pod on each", all_new),
    unseen("SF507", "no Ready node is older than 5m").when("new nodes only, one of them not proven yet", |e| {
        all_new(e);
        nodes(e)[1].telemetry = None;
    }),
    passes("SF507", "2 nodes").when("new nodes only, all of them proven", all_new),
    warns("SF502", "does not run on 1 Ready node not older than 5m: node2").when(
        "a new node without the node role",
        |e| {
            nodes(e)[1].created = e.now(Source::Nodes);
            node_pod(e, "node2").node = None;
        },
    ),
    warns("SF502", "does not run on 1 Ready node that goes away: node1").when("the node role left a node first", |e| {
        nodes(e)[0].deleting = Some(true);
        node_pod(e, "node1").node = None;
    }),
    passes("SF502", "1 node").when("a new node with the node role", |e| {
        nodes(e)[1].created = e.now(Source::Nodes);
    }),
    warns("SF507", "1 Ready node not older than 5m not proven: node2").when("a new node not proven yet", |e| {
        nodes(e)[1].created = e.now(Source::Nodes);
        nodes(e)[1].telemetry = None;
    }),
    warns("SF507", "1 Ready node that goes away not proven: node1").when("a node that goes away unproven", |e| {
        nodes(e)[0].deleting = Some(true);
        nodes(e)[0].telemetry = Some(condition("False", "CadvisorRefused", "403"));
    }),
    // Which cluster it is.
    fails("SF503", "told region \"fra1\", and nodes are in nyc3").when("region of another", |e| {
        status(e).region = "fra1".into();
        starbase(e).region = "fra1".into();
    }),
    fails("SF503", "another starform.io/cluster-id than \"blue\"")
        .when("id of another", |e| status(e).cluster_id = "blue".into()),
    fails(
        "SF503",
        "1 pod with another starform.io/region than \"nyc3\": starform-system/shuttle-6",
    )
    .when("one pod of another", |e| {
        let pod = pods(e)
            .iter_mut()
            .find(|pod| pod.name.starts_with("shuttle-6"))
            .unwrap();
        let (uid, label) = (pod.uid.clone(), Some(Arc::from("fra1")));
        pod.labels[1].clone_from(&label);
        rows(e).rows.iter_mut().find(|row| row.uid == uid).unwrap().labels[1] = label;
    }),
    unseen("SF503", "has not read this cluster's UID").when("uid not read", |e| {
        status(e).uid.clear();
        status(e).phase = Phase::Verifying;
    }),
    warns("SF503", "no node says in which region").when("nodes without region", |e| {
        for node in nodes(e) {
            node.region = None;
        }
    }),
    not_applicable("SF503", "no status").when("nobody says", |e| e.shuttle.status = Observed::Absent),
    // What it proved.
    fails("SF504", "no ConfigMap shuttle-status in namespace starform-system")
        .when("no status", |e| e.shuttle.status = Observed::Absent),
    fails("SF504", "active, written 5m 19s ago by shuttle-6").when("old status", |e| {
        let stored = &mut seen(&mut e.shuttle.status).stored;
        *stored = stored.map(|stored| stored - minutes(5));
    }),
    unseen("SF504", "does not say when the status was stored")
        .when("stored at no time", |e| seen(&mut e.shuttle.status).stored = None),
    unseen("SF504", "is of shuttle.starform.io/v9").when("another status", |e| {
        status(e).api_version = "shuttle.starform.io/v9".into();
    }),
    unseen("SF504", "forbidden").when("status forbidden", |e| e.shuttle.status = unknown(Reason::Forbidden)),
    unseen("SF504", "carry no Date").when("no clock for the status", |e| seen(&mut e.api_server).date = None),
    fails("SF505", "has not looked for").when("canary not looked for", |e| status(e).canary.observed = None),
    fails("SF505", "has not looked for").when("canary without uid", |e| status(e).canary.uid.clear()),
    fails("SF505", "has not got its labels").when("canary not labelled", |e| status(e).canary.labelled = None),
    fails("SF505", "no row of kube_pod_labels is of pod shuttle-6")
        .when("canary without row", |e| status(e).canary.row = false),
    fails("SF505", "does not show 1 of 5 labels: starform.io/app").when("canary lacks a key", |e| {
        status(e).canary.missing = vec!["starform.io/app".into()];
    }),
    fails("SF505", "has no PodMetrics").when("canary without metrics", |e| status(e).canary.metrics_age_ms = None),
    fails("SF505", "are 45s old").when("canary with old metrics", |e| {
        status(e).canary.metrics_age_ms = Some(45_001);
    }),
    fails("SF505", "31m 11s before the status was written").when("canary long ago", |e| {
        let observed = &mut status(e).canary.observed;
        *observed = observed.map(|observed| observed - minutes(31));
    }),
    fails("SF506", "not read every kubelet yet: 1 of 2 nodes").when("join not whole", |e| {
        status(e).join.complete = false;
        status(e).join.joined.pop();
    }),
    fails("SF506", "not read every kubelet yet: 0 of 2 nodes")
        .when("join of nothing", |e| status(e).join.joined.clear()),
    fails(
        "SF506",
        "1 node whose container metrics do not join: node2 (node2: 403)",
    )
    .when("join fails", |e| {
        status(e).join.failed.push(NodeJoin {
            node: "node2".into(),
            problem: "403".into(),
        });
    }),
    fails("SF506", "3 nodes whose container metrics do not join")
        .when("join fails beyond the list", |e| status(e).join.failed_nodes = 3),
    fails("SF506", "1 Ready node that Shuttle has not read: node2").when("join lacks a node", |e| {
        status(e).join.joined.pop();
    }),
    passes("SF506", "10 pods on 1 node").when("join lacks a new node", |e| {
        status(e).join.joined.pop();
        nodes(e)[1].created = e.now(Source::Nodes);
    }),
    fails("SF506", "no pod at all").when("join without pods", |e| status(e).join.pods = 0),
    fails("SF506", "31m 41s before the status was written").when("join long ago", |e| {
        let oldest = &mut status(e).join.oldest;
        *oldest = oldest.map(|oldest| oldest - minutes(31));
    }),
    fails("SF506", "not read every kubelet yet").when("join at no time", |e| status(e).join.oldest = None),
    fails("SF507", "1 of 2 Ready nodes not proven: node1 (CadvisorRefused: 403)").when("node not proven", |e| {
        nodes(e)[0].telemetry = Some(condition("False", "CadvisorRefused", "403"));
    }),
    fails("SF507", "node2 (it has no such condition)").when("node without condition", |e| nodes(e)[1].telemetry = None),
    fails("SF507", "node2 (renewed 11m ago)").when("node proven long ago", |e| {
        let now = e.now(Source::Nodes).unwrap();
        nodes(e)[1].telemetry_renewed = Some(now - minutes(11));
    }),
    fails("SF507", "does not say when").when("node proven at no time", |e| nodes(e)[1].telemetry_renewed = None),
    // What it is given.
    fails("SF508", "the contract does not name ConfigMap relabel").when("a config map more", |e| {
        seen(&mut e.shuttle.config_maps).push("relabel".into());
    }),
    fails("SF508", "flag --scrape in Deployment shuttle").when("a flag more", |e| {
        agent_given(e).containers[0].flags.push("--scrape".into());
    }),
    fails("SF508", "1 more words on the command line")
        .when("a word more", |e| agent_given(e).containers[0].other_arguments = 1),
    fails("SF508", "variable STORE in DaemonSet shuttle-node").when("a variable more", |e| {
        node_role_given(e).containers[0].environment.push("STORE".into());
    }),
    fails("SF508", "variables from ConfigMap relabel").when("variables from elsewhere", |e| {
        let container = &mut agent_given(e).containers[0];
        container.environment_from.push("ConfigMap relabel".into());
    }),
    fails("SF508", "volume relabel in DaemonSet shuttle-node")
        .when("a volume more", |e| node_role_given(e).volumes.push("relabel".into())),
    fails("SF508", "container vmagent").when("a container more", |e| {
        let mut more = agent_given(e).containers[0].clone();
        more.name = "vmagent".into();
        agent_given(e).containers.push(more);
    }),
    fails("SF508", "ServiceAccount default")
        .when("another account", |e| agent_given(e).service_account = "default".into()),
    unseen("SF508", "has no ConfigMap").when("no config map at all", |e| seen(&mut e.shuttle.config_maps).clear()),
    fails("SF509", "shuttle may get secrets (ClusterRoleBinding more)")
        .when("a permission more", |e| grant_too(e, None, "get", "secrets")),
    fails("SF509", "shuttle may * pods").when("a permission through a group", |e| {
        grant_too(e, Some("system:serviceaccounts:starform-system"), "*", "pods");
    }),
    warns("SF509", "shuttle may get secrets").when("a permission of everyone", |e| {
        grant_too(e, Some("system:serviceaccounts"), "get", "secrets");
    }),
    passes("SF509", "5 bindings").when("what collectors need", |e| grant_too(e, None, "list", "nodes")),
    fails("SF509", "shuttle-node may list nodes").when("the node role collects nothing", |e| {
        grant_too(e, None, "list", "nodes");
        grants(e).last_mut().unwrap().account = "shuttle-node".into();
    }),
    unseen("SF509", "Role shuttle, which RoleBinding shuttle names, is not there")
        .when("a role is not there", |e| grants(e)[1].rules = None),
    unseen(
        "SF509",
        "no ClusterRoleBinding binds ServiceAccount starform-system/shuttle-node",
    )
    .when("no binding", |e| {
        grants(e).pop();
    }),
    unseen("SF509", "no RoleBinding binds ServiceAccount starform-system/shuttle:").when("no role binding", |e| {
        grants(e).remove(1);
    }),
    unseen("SF503", "the cluster has no node or no pod, and Shuttle is one")
        .when("no node was seen", |e| nodes(e).clear()),
    passes("SF505", "").when("canary's metrics are as old as they may be", |e| {
        let canary = &mut status(e).canary;
        canary.metrics_age_ms = Some(canary.metrics_age_limit_ms);
    }),
];

/// Every node was added a moment ago.
fn all_new(evidence: &mut Evidence) {
    let now = evidence.now(Source::Nodes);
    for node in nodes(evidence) {
        node.created = now;
    }
}
