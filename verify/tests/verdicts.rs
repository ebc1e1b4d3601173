//! What a check says of a cluster that differs from a healthy one in one thing: the healthy recording, changed by hand where
//! no scenario of the testbed goes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

#[path = "shuttle/installed.rs"]
mod installed;
#[path = "releases/installed.rs"]
mod releases_installed;

use rstest::rstest;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{
    ApiService, Autoscaler, Condition, Endpoint, Evidence, GateVerdict, Grant, Node, NodeJoin, NodeMetrics, Observed,
    Phase, Pod, PodLabelRows, PodMetrics, PolicyRule, Reason, Registration, Scrape, Service, ShuttleStatus,
    ShuttleWorkload, StarbaseRead, StarbaseRegistration, Unknown, Workload,
};
use starform_verify::report::{CheckResult, Report, Verdict};
use std::sync::Arc;

/// The healthy recording with Shuttle in it, of a cluster that is an hour older: what is young is judged by other rules.
fn healthy() -> Evidence {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/evidence/healthy.json");
    let mut evidence: Evidence = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    for node in nodes(&mut evidence) {
        node.created = node.created.map(|created| created - hour);
    }
    for pod in pods(&mut evidence) {
        pod.created -= hour;
    }
    installed::install(&mut evidence);
    releases_installed::install(&mut evidence);
    evidence
}

fn judge(evidence: &Evidence) -> Report {
    evaluate(&Contract::embedded().unwrap(), evidence, &Selection::all())
}

fn result(report: &Report, code: &str) -> CheckResult {
    report.checks().find(|check| check.code == code).unwrap().clone()
}

/// What was seen, to change it.
fn seen<T>(observed: &mut Observed<T>) -> &mut T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("the healthy recording has seen it"),
    }
}

fn nodes(evidence: &mut Evidence) -> &mut Vec<Node> {
    seen(&mut evidence.nodes)
}

fn api_service(evidence: &mut Evidence) -> &mut ApiService {
    seen(&mut evidence.metrics_api_service)
}

fn pods(evidence: &mut Evidence) -> &mut Vec<Pod> {
    seen(&mut evidence.pods)
}

fn node_metrics(evidence: &mut Evidence) -> &mut Vec<NodeMetrics> {
    seen(&mut evidence.node_metrics)
}

fn pod_metrics(evidence: &mut Evidence) -> &mut Vec<PodMetrics> {
    seen(&mut evidence.pod_metrics)
}

fn autoscaler(evidence: &mut Evidence) -> &mut Autoscaler {
    &mut seen(&mut evidence.autoscalers)[0]
}

fn server(evidence: &mut Evidence) -> &mut Workload {
    &mut seen(&mut evidence.metrics_server.workloads)[0]
}

fn server_service(evidence: &mut Evidence) -> &mut Service {
    &mut seen(&mut evidence.metrics_server.services)[0]
}

fn state_metrics(evidence: &mut Evidence) -> &mut Workload {
    &mut seen(&mut evidence.kube_state_metrics.workloads)[0]
}

fn state_services(evidence: &mut Evidence) -> &mut Vec<Service> {
    seen(&mut evidence.kube_state_metrics.services)
}

fn state_endpoints(evidence: &mut Evidence) -> &mut Vec<Endpoint> {
    seen(&mut evidence.kube_state_metrics.endpoints)
}

fn scrape(evidence: &mut Evidence) -> &mut Scrape {
    &mut seen(&mut evidence.scrapes)[0]
}

fn rows(evidence: &mut Evidence) -> &mut PodLabelRows {
    seen(&mut scrape(evidence).rows)
}

fn status(evidence: &mut Evidence) -> &mut ShuttleStatus {
    &mut seen(&mut evidence.shuttle.status).status
}

fn registration(evidence: &mut Evidence) -> &mut Registration {
    status(evidence).registration.as_mut().unwrap()
}

fn agent(evidence: &mut Evidence) -> &mut ShuttleWorkload {
    seen(&mut evidence.shuttle.agent)
}

fn node_role(evidence: &mut Evidence) -> &mut ShuttleWorkload {
    seen(&mut evidence.shuttle.node)
}

fn grants(evidence: &mut Evidence) -> &mut Vec<Grant> {
    seen(&mut evidence.shuttle.grants)
}

fn grant_too(evidence: &mut Evidence, group: Option<&str>, verb: &str, resource: &str) {
    let mut more = grants(evidence)[0].clone();
    more.binding = "more".into();
    more.group = group.map(str::to_owned);
    more.rules = Some(vec![PolicyRule {
        verbs: vec![verb.into()],
        groups: vec![String::new()],
        resources: vec![resource.into()],
        ..PolicyRule::default()
    }]);
    grants(evidence).push(more);
}

fn starbase(evidence: &mut Evidence) -> &mut StarbaseRegistration {
    match seen(&mut evidence.shuttle.starbase) {
        StarbaseRead::Answered(registration) => registration,
        StarbaseRead::NotAsked => panic!("it was asked"),
    }
}

/// The pod of the node role on a node.
fn node_pod<'a>(evidence: &'a mut Evidence, node: &str) -> &'a mut Pod {
    let mut pods = pods(evidence).iter_mut();
    pods.find(|pod| pod.name.starts_with("shuttle-node-") && pod.node.as_deref() == Some(node))
        .unwrap()
}

fn minutes(minutes: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(minutes)
}

fn flag(workload: &mut Workload, name: &str, value: &str) {
    workload.flags.insert(name.to_owned(), vec![value.to_owned()]);
}

fn condition(status: &str, reason: &str, message: &str) -> Condition {
    Condition {
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: None,
    }
}

fn unknown<T>(reason: Reason) -> Observed<T> {
    Observed::Unknown(Unknown {
        reason,
        request: "GET /somewhere".to_owned(),
        message: "no".to_owned(),
        access: None,
    })
}

const ALLOWLIST: &str = "--metric-labels-allowlist";
const FIVE: &str =
    "starform.io/cluster-id,starform.io/region,starform.io/project,starform.io/app,starform.io/deployment";

#[rstest]
// Step 1.
#[case::old_kubernetes("SF102", Verdict::Fail, "Kubernetes 1.30.1 is not accepted",
    |e: &mut Evidence| seen(&mut e.api_server).git_version = "v1.30.1".into())]
#[case::new_kubernetes("SF102", Verdict::Fail, "is not accepted",
    |e: &mut Evidence| seen(&mut e.api_server).git_version = "v1.99.0".into())]
#[case::a_vendors_build("SF102", Verdict::Pass, "v1.35.1-gke.7",
    |e: &mut Evidence| seen(&mut e.api_server).git_version = "v1.35.1-gke.7".into())]
#[case::no_version("SF102", Verdict::Unknown, "calls its version",
    |e: &mut Evidence| seen(&mut e.api_server).git_version = "main".into())]
#[case::another_cloud("SF103", Verdict::Warn, "no DigitalOcean droplet: node1",
    |e: &mut Evidence| nodes(e)[0].provider = Some("aws".into()))]
#[case::node_not_ready("SF104", Verdict::Fail, "1 of 2 nodes not Ready: node1 (KubeletNotReady: container runtime is down)",
    |e: &mut Evidence| nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "container runtime is down")))]
#[case::node_silent("SF104", Verdict::Fail, "its kubelet has posted no condition",
    |e: &mut Evidence| nodes(e)[1].ready = None)]
#[case::node_just_added("SF104", Verdict::Warn, "1 of 2 nodes not Ready", |e: &mut Evidence| {
    nodes(e)[0].created = e.now(starform_verify::evidence::Source::Nodes);
    nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "CNI not ready"));
})]
#[case::no_node("SF104", Verdict::Fail, "the cluster has no node", |e: &mut Evidence| nodes(e).clear())]
#[case::two_regions("SF105", Verdict::Fail, "1 node in fra1, 1 node in nyc3",
    |e: &mut Evidence| nodes(e)[1].region = Some("fra1".into()))]
#[case::no_region("SF105", Verdict::Warn, "no region on 1 node: node2", |e: &mut Evidence| nodes(e)[1].region = None)]
#[case::no_uid("SF106", Verdict::Unknown, "without a UID", |e: &mut Evidence| e.identity = Observed::Seen(String::new()))]
// metrics-server.
#[case::local_api_service("SF301", Verdict::Fail, "names no Service", |e: &mut Evidence| api_service(e).service = None)]
#[case::strange_namespace("SF302", Verdict::Fail, "in a namespace that the contract does not accept",
    |e: &mut Evidence| api_service(e).service.as_mut().unwrap().namespace = "tenant".into())]
#[case::one_click("SF302", Verdict::Warn, "metrics-server stands in namespace metrics-server", |e: &mut Evidence| {
    api_service(e).service.as_mut().unwrap().namespace = "metrics-server".into();
    server_service(e).namespace = "metrics-server".into();
})]
#[case::wrong_port("SF302", Verdict::Fail, "points at port 8443",
    |e: &mut Evidence| api_service(e).service.as_mut().unwrap().port = 8443)]
#[case::no_workload("SF303", Verdict::Fail, "no Deployment or StatefulSet stands behind",
    |e: &mut Evidence| seen(&mut e.metrics_server.workloads).clear())]
#[case::not_ready("SF303", Verdict::Fail, "Deployment metrics-server has 0 of 1 pods ready (Stuck: no image)", |e: &mut Evidence| {
    server(e).ready = 0;
    server(e).trouble = Some("Stuck: no image".into());
})]
#[case::one_replica_of_two("SF303", Verdict::Warn, "has 1 of 2 pods ready", |e: &mut Evidence| server(e).desired = 2)]
#[case::rolling_out("SF303", Verdict::Warn, "is rolling out", |e: &mut Evidence| server(e).updated = 0)]
#[case::status_of_the_past("SF303", Verdict::Warn, "is rolling out", |e: &mut Evidence| server(e).observed = false)]
#[case::no_endpoint("SF303", Verdict::Fail, "has no ready endpoint",
    |e: &mut Evidence| seen(&mut e.metrics_server.endpoints)[0].ready = false)]
#[case::not_available("SF304", Verdict::Fail, "FailedDiscoveryCheck: no route",
    |e: &mut Evidence| api_service(e).available = Some(condition("False", "FailedDiscoveryCheck", "no route")))]
#[case::not_judged_yet("SF304", Verdict::Fail, "has not judged", |e: &mut Evidence| api_service(e).available = None)]
#[case::api_gone("SF305", Verdict::Fail, "answered with 404", |e: &mut Evidence| e.pod_metrics = Observed::Absent)]
#[case::api_refuses("SF305", Verdict::Unknown, "refused", |e: &mut Evidence| e.node_metrics = unknown(Reason::Refused))]
#[case::node_without_metrics("SF306", Verdict::Fail, "1 of 2 Ready nodes without metrics: node2",
    |e: &mut Evidence| node_metrics(e).retain(|m| m.name != "node2"))]
#[case::stale_node("SF307", Verdict::Fail, "1 of 2 nodes have stale metrics: node1",
    |e: &mut Evidence| node_metrics(e)[0].timestamp -= jiff::SignedDuration::from_mins(2))]
#[case::no_clock("SF307", Verdict::Unknown, "carry no Date", |e: &mut Evidence| seen(&mut e.api_server).date = None)]
#[case::a_single_pod_without("SF308", Verdict::Warn, "1 of", |e: &mut Evidence| { pod_metrics(e).pop(); })]
#[case::many_pods_without("SF308", Verdict::Fail, "without metrics", |e: &mut Evidence| pod_metrics(e).truncate(1))]
#[case::no_pod_metrics("SF308", Verdict::Fail, "PodMetricsList is empty", |e: &mut Evidence| pod_metrics(e).clear())]
#[case::crashing_pods_have_none("SF308", Verdict::Pass, "running pods", |e: &mut Evidence| {
    pod_metrics(e).retain(|m| &*m.namespace != "shop");
    for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
        pod.status = Arc::from("CrashLoopBackOff");
    }
})]
#[case::restarted_pods_have_none_yet("SF308", Verdict::Pass, "running pods", |e: &mut Evidence| {
    pod_metrics(e).retain(|m| &*m.namespace != "shop");
    for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
        pod.restarts = Arc::from("2 (12s ago)");
    }
})]
#[case::a_container_is_left_out("SF308", Verdict::Warn, "1 pod with metrics of only some containers", |e: &mut Evidence| {
    let name = pod_metrics(e)[0].name.clone();
    pods(e).iter_mut().find(|pod| pod.name == name).unwrap().ready = 2;
})]
#[case::no_pod_at_all("SF308", Verdict::Unknown, "no pod has been running", |e: &mut Evidence| pods(e).clear())]
#[case::stale_pods("SF309", Verdict::Fail, "stale metrics", |e: &mut Evidence| {
    for metrics in pod_metrics(e) {
        metrics.timestamp -= jiff::SignedDuration::from_mins(5);
    }
})]
#[case::a_longer_resolution_is_not_stale("SF309", Verdict::Pass, "within 2 windows", |e: &mut Evidence| {
    flag(server(e), "--metric-resolution", "2m");
    for metrics in pod_metrics(e) {
        metrics.timestamp -= jiff::SignedDuration::from_mins(1);
    }
    for pod in pods(e) {
        pod.created -= jiff::SignedDuration::from_mins(30);
    }
    for node in nodes(e) {
        node.created = node.created.map(|created| created - jiff::SignedDuration::from_mins(30));
    }
})]
#[case::old_metrics_server("SF310", Verdict::Fail, "metrics-server 0.6.4 is not accepted",
    |e: &mut Evidence| server(e).version = Some("0.6.4".into()))]
#[case::readiness_defect("SF310", Verdict::Warn, "calls itself ready", |e: &mut Evidence| server(e).version = Some("0.8.1".into()))]
#[case::image_by_digest("SF310", Verdict::Unknown, "tells no version", |e: &mut Evidence| server(e).version = None)]
#[case::insecure_kubelets("SF311", Verdict::Warn, "--kubelet-insecure-tls",
    |e: &mut Evidence| flag(server(e), "--kubelet-insecure-tls", ""))]
#[case::insecure_kubelets_off("SF311", Verdict::Pass, "verified", |e: &mut Evidence| flag(server(e), "--kubelet-insecure-tls", "false"))]
#[case::autoscaler_fails("SF312", Verdict::Fail, "1 of 1 autoscaler cannot read metrics: shop/storefront",
    |e: &mut Evidence| autoscaler(e).scaling_active = Some(condition("False", "FailedGetResourceMetric", "unable to fetch metrics")))]
#[case::autoscalers_own_fault("SF312", Verdict::Warn, "missing request for cpu",
    |e: &mut Evidence| autoscaler(e).scaling_active = Some(condition("False", "FailedGetResourceMetric", "missing request for cpu in container app")))]
#[case::autoscaler_switched_off("SF312", Verdict::Pass, "1 autoscaler",
    |e: &mut Evidence| autoscaler(e).scaling_active = Some(condition("False", "ScalingDisabled", "replicas is 0")))]
#[case::no_autoscaler("SF312", Verdict::NotApplicable, "no autoscaler", |e: &mut Evidence| e.autoscalers = Observed::Seen(vec![]))]
// kube-state-metrics.
#[case::elsewhere("SF320", Verdict::Fail, "only where the contract does not accept it: monitoring/kube-state-metrics", |e: &mut Evidence| {
    let service = &mut state_services(e)[0];
    service.namespace = "monitoring".into();
    service.accepted = false;
})]
#[case::in_default("SF320", Verdict::Warn, "stands in namespace default", |e: &mut Evidence| state_services(e)[0].namespace = "default".into())]
#[case::two_of_it("SF320", Verdict::Pass, "kube-system/kube-state-metrics, default/kube-state-metrics", |e: &mut Evidence| {
    let mut other = state_services(e)[0].clone();
    other.namespace = "default".into();
    state_services(e).push(other);
})]
#[case::shard_not_installed("SF321", Verdict::Fail, "of 3 shards these are not installed: 1, 2", |e: &mut Evidence| {
    flag(state_metrics(e), "--shard", "0");
    flag(state_metrics(e), "--total-shards", "3");
})]
#[case::shard_not_ready("SF321", Verdict::Fail, "has 1 of 2 pods ready", |e: &mut Evidence| {
    flag(state_metrics(e), "--total-shards", "2");
    state_metrics(e).desired = 2;
})]
#[case::replica_not_ready("SF321", Verdict::Warn, "has 1 of 2 pods ready", |e: &mut Evidence| state_metrics(e).desired = 2)]
#[case::no_state_endpoint("SF321", Verdict::Fail, "no ready endpoint", |e: &mut Evidence| state_endpoints(e).clear())]
#[case::old_state_metrics("SF322", Verdict::Fail, "kube-state-metrics 2.10.0 is not accepted",
    |e: &mut Evidence| state_metrics(e).version = Some("2.10.0".into()))]
#[case::scrape_times_out("SF323", Verdict::Fail, "did not answer within 10s", |e: &mut Evidence| scrape(e).rows = unknown(Reason::TimedOut))]
#[case::scrape_unreachable("SF323", Verdict::Fail, "was not reached", |e: &mut Evidence| scrape(e).rows = unknown(Reason::Unreachable))]
#[case::scrape_cut_short("SF323", Verdict::Unknown, "truncated", |e: &mut Evidence| scrape(e).rows = unknown(Reason::Truncated))]
#[case::scrape_not_tried("SF323", Verdict::Unknown, "not collected", |e: &mut Evidence| scrape(e).rows = unknown(Reason::NotCollected))]
#[case::service_gone("SF323", Verdict::Fail, "is gone", |e: &mut Evidence| scrape(e).rows = Observed::Absent)]
#[case::nothing_to_scrape("SF323", Verdict::Unknown, "nothing to scrape", |e: &mut Evidence| e.scrapes = Observed::Seen(vec![]))]
#[case::flags_from_a_file("SF324", Verdict::Unknown, "sets flags from a file",
    |e: &mut Evidence| state_metrics(e).unread_flags = Some("--config".into()))]
#[case::malformed_allowlist("SF324", Verdict::Fail, "is malformed", |e: &mut Evidence| flag(state_metrics(e), ALLOWLIST, "pods=[a,]"))]
#[case::listed_twice("SF324", Verdict::Fail, "lacks", |e: &mut Evidence| {
    flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],pods=[app]"));
})]
#[case::everything("SF324", Verdict::Warn, "shows every label", |e: &mut Evidence| flag(state_metrics(e), ALLOWLIST, "pods=[*]"))]
#[case::pattern_on_2_20("SF324", Verdict::Pass, "5 labels", |e: &mut Evidence| flag(state_metrics(e), ALLOWLIST, "pods=[starform.io/*]"))]
#[case::two_wildcards("SF324", Verdict::Fail, "more than one *", |e: &mut Evidence| {
    flag(state_metrics(e), ALLOWLIST, &format!("pods=[{FIVE}],nodes=[*a*]"));
})]
#[case::version_untold("SF324", Verdict::Unknown, "tells no version", |e: &mut Evidence| state_metrics(e).version = None)]
#[case::one_row_missing("SF325", Verdict::Warn, "1 of", |e: &mut Evidence| { rows(e).rows.pop(); })]
#[case::many_rows_missing("SF325", Verdict::Fail, "without a row", |e: &mut Evidence| rows(e).rows.truncate(1))]
#[case::no_pods_listed("SF325", Verdict::Unknown, "the list of pods is empty", |e: &mut Evidence| pods(e).clear())]
#[case::one_row_stale("SF326", Verdict::Warn, "of pods that are gone", |e: &mut Evidence| {
    let uid = rows(e).rows[0].uid.clone();
    pods(e).retain(|pod| pod.uid != uid);
})]
#[case::label_lost("SF327", Verdict::Fail, "starform.io/project on no row", |e: &mut Evidence| {
    for row in &mut rows(e).rows {
        row.labels[2] = None;
    }
})]
#[case::one_label_late("SF327", Verdict::Warn, "1 of 7 labelled pods with another value", |e: &mut Evidence| {
    let row = rows(e).rows.iter_mut().find(|row| &*row.namespace == "shop").unwrap();
    row.labels[3] = Some(Arc::from("old"));
})]
#[case::nothing_labelled("SF327", Verdict::NotApplicable, "no pod carries a contract label yet", |e: &mut Evidence| {
    for pod in pods(e) {
        pod.labels.fill(None);
    }
})]
#[case::collision("SF328", Verdict::Fail, "label_starform_io_app_conflict1 instead of the plain column, on shop/a", |e: &mut Evidence| {
    rows(e).conflicts = vec!["label_starform_io_app_conflict1".into()];
    rows(e).conflict_pods = vec!["shop/a".into()];
})]
#[case::unreadable_row("SF328", Verdict::Fail, "1 row cannot be read: duplicate label", |e: &mut Evidence| {
    rows(e).row_errors = 1;
    rows(e).first_row_errors = vec!["duplicate label".into()];
})]
#[case::two_rows_of_a_pod("SF329", Verdict::Warn, "with more than one row", |e: &mut Evidence| {
    let name = pod_metrics(e)[0].name.clone();
    let row = rows(e).rows.iter().find(|row| row.pod == name).unwrap().clone();
    rows(e).rows.push(row);
})]
#[case::replicas_taken_for_shards("SF329", Verdict::Fail, "with more than one row", |e: &mut Evidence| {
    let again = scrape(e).clone();
    seen(&mut e.scrapes).push(again);
})]
// Shuttle's workloads.
#[case::no_agent("SF501", Verdict::Fail, "no Deployment shuttle in namespace starform-system",
    |e: &mut Evidence| { e.shuttle.agent = Observed::Absent; })]
#[case::agent_scaled_to_zero("SF501", Verdict::Fail, "is scaled to 0", |e: &mut Evidence| agent(e).desired = 0)]
#[case::agent_down("SF501", Verdict::Fail, "has 0 of 2 pods ready", |e: &mut Evidence| agent(e).ready = 0)]
#[case::agent_one_of_two("SF501", Verdict::Warn, "has 1 of 2 pods ready", |e: &mut Evidence| agent(e).ready = 1)]
#[case::agent_rolls_out("SF501", Verdict::Warn, "is rolling out", |e: &mut Evidence| agent(e).observed = false)]
#[case::agent_says_why("SF501", Verdict::Warn, "they run, and say why: registering", |e: &mut Evidence| {
    agent(e).ready = 0;
    status(e).phase = Phase::Registering;
})]
#[case::agent_crashes_behind_an_old_status("SF501", Verdict::Fail, "has 0 of 2 pods ready (Stuck: timed out)", |e: &mut Evidence| {
    agent(e).ready = 0;
    agent(e).trouble = Some("Stuck: timed out".into());
    for pod in pods(e).iter_mut().filter(|pod| pod.name.starts_with("shuttle-6")) {
        pod.status = Arc::from("CrashLoopBackOff");
    }
})]
#[case::node_left_out("SF502", Verdict::Fail, "1 Ready node without a pod of it: node2",
    |e: &mut Evidence| node_pod(e, "node2").node = None)]
#[case::node_pod_crashes("SF502", Verdict::Fail, "1 Ready node on which it does not run: node1",
    |e: &mut Evidence| node_pod(e, "node1").status = Arc::from("CrashLoopBackOff"))]
#[case::an_agent_s_pod_is_none_of_the_node_role("SF502", Verdict::Fail, "2 Ready nodes without a pod of it",
    |e: &mut Evidence| {
        pods(e).retain(|pod| !pod.name.starts_with("shuttle-node-"));
        rows(e).rows.retain(|row| !row.pod.starts_with("shuttle-node-"));
        pod_metrics(e).retain(|metrics| !metrics.name.starts_with("shuttle-node-"));
    })]
#[case::node_role_rolls_out("SF502", Verdict::Warn, "is rolling out: 1 of 2", |e: &mut Evidence| node_role(e).updated = 1)]
#[case::node_role_not_ready("SF502", Verdict::Warn, "has 1 of 2 pods ready", |e: &mut Evidence| node_role(e).ready = 1)]
#[case::no_node_role("SF502", Verdict::Fail, "no DaemonSet shuttle-node", |e: &mut Evidence| e.shuttle.node = Observed::Absent)]
#[case::new_nodes_only("SF502", Verdict::Unknown, "no Ready node is older than 5m", |e: &mut Evidence| {
    let now = e.now(starform_verify::evidence::Source::Nodes);
    for node in nodes(e) {
        node.created = now;
    }
})]
// Which cluster it is.
#[case::region_of_another("SF503", Verdict::Fail, "told region \"fra1\", and nodes are in nyc3", |e: &mut Evidence| {
    status(e).region = "fra1".into();
    starbase(e).region = "fra1".into();
})]
#[case::id_of_another("SF503", Verdict::Fail, "another starform.io/cluster-id than \"blue\"", |e: &mut Evidence| status(e).cluster_id = "blue".into())]
#[case::one_pod_of_another("SF503", Verdict::Fail, "1 pod with another starform.io/region than \"nyc3\": starform-system/shuttle-6",
    |e: &mut Evidence| {
        let pod = pods(e).iter_mut().find(|pod| pod.name.starts_with("shuttle-6")).unwrap();
        let (uid, label) = (pod.uid.clone(), Some(Arc::from("fra1")));
        pod.labels[1] = label.clone();
        rows(e).rows.iter_mut().find(|row| row.uid == uid).unwrap().labels[1] = label;
    })]
#[case::uid_not_read("SF503", Verdict::Unknown, "has not read this cluster's UID", |e: &mut Evidence| {
    status(e).uid.clear();
    status(e).phase = Phase::Verifying;
})]
#[case::nodes_without_region("SF503", Verdict::Warn, "no node says in which region", |e: &mut Evidence| {
    for node in nodes(e) {
        node.region = None;
    }
})]
#[case::nobody_says("SF503", Verdict::NotApplicable, "no status", |e: &mut Evidence| e.shuttle.status = Observed::Absent)]
// What it proved.
#[case::no_status("SF504", Verdict::Fail, "no ConfigMap shuttle-status in namespace starform-system",
    |e: &mut Evidence| e.shuttle.status = Observed::Absent)]
#[case::old_status("SF504", Verdict::Fail, "active, written 5m 19s ago by shuttle-6", |e: &mut Evidence| {
    let stored = &mut seen(&mut e.shuttle.status).stored;
    *stored = stored.map(|stored| stored - minutes(5));
})]
#[case::stored_at_no_time("SF504", Verdict::Unknown, "does not say when the status was stored",
    |e: &mut Evidence| seen(&mut e.shuttle.status).stored = None)]
#[case::another_status("SF504", Verdict::Unknown, "is of shuttle.starform.io/v9",
    |e: &mut Evidence| status(e).api_version = "shuttle.starform.io/v9".into())]
#[case::status_forbidden("SF504", Verdict::Unknown, "forbidden", |e: &mut Evidence| e.shuttle.status = unknown(Reason::Forbidden))]
#[case::no_clock_for_the_status("SF504", Verdict::Unknown, "carry no Date", |e: &mut Evidence| seen(&mut e.api_server).date = None)]
#[case::canary_not_looked_for("SF505", Verdict::Fail, "has not looked for", |e: &mut Evidence| status(e).canary.observed = None)]
#[case::canary_without_uid("SF505", Verdict::Fail, "has not looked for", |e: &mut Evidence| status(e).canary.uid.clear())]
#[case::canary_not_labelled("SF505", Verdict::Fail, "has not got its labels", |e: &mut Evidence| status(e).canary.labelled = None)]
#[case::canary_without_row("SF505", Verdict::Fail, "no row of kube_pod_labels is of pod shuttle-6",
    |e: &mut Evidence| status(e).canary.row = false)]
#[case::canary_lacks_a_key("SF505", Verdict::Fail, "does not show 1 of 5 labels: starform.io/app",
    |e: &mut Evidence| status(e).canary.missing = vec!["starform.io/app".into()])]
#[case::canary_without_metrics("SF505", Verdict::Fail, "has no PodMetrics", |e: &mut Evidence| status(e).canary.metrics_age_ms = None)]
#[case::canary_with_old_metrics("SF505", Verdict::Fail, "are 45s old", |e: &mut Evidence| status(e).canary.metrics_age_ms = Some(45_001))]
#[case::canary_long_ago("SF505", Verdict::Fail, "31m 11s before the status was written", |e: &mut Evidence| {
    let observed = &mut status(e).canary.observed;
    *observed = observed.map(|observed| observed - minutes(31));
})]
#[case::join_not_whole("SF506", Verdict::Fail, "not read every kubelet yet: 1 of 2 nodes", |e: &mut Evidence| {
    status(e).join.complete = false;
    status(e).join.joined.pop();
})]
#[case::join_of_nothing("SF506", Verdict::Fail, "not read every kubelet yet: 0 of 2 nodes",
    |e: &mut Evidence| status(e).join.joined.clear())]
#[case::join_fails("SF506", Verdict::Fail, "1 node whose container metrics do not join: node2 (node2: 403)",
    |e: &mut Evidence| status(e).join.failed.push(NodeJoin { node: "node2".into(), problem: "403".into() }))]
#[case::join_fails_beyond_the_list("SF506", Verdict::Fail, "3 nodes whose container metrics do not join",
    |e: &mut Evidence| status(e).join.failed_nodes = 3)]
#[case::join_lacks_a_node("SF506", Verdict::Fail, "1 Ready node that Shuttle has not read: node2",
    |e: &mut Evidence| { status(e).join.joined.pop(); })]
#[case::join_lacks_a_new_node("SF506", Verdict::Pass, "10 pods on 1 node", |e: &mut Evidence| {
    status(e).join.joined.pop();
    nodes(e)[1].created = e.now(starform_verify::evidence::Source::Nodes);
})]
#[case::join_without_pods("SF506", Verdict::Fail, "no pod at all", |e: &mut Evidence| status(e).join.pods = 0)]
#[case::join_long_ago("SF506", Verdict::Fail, "31m 41s before the status was written", |e: &mut Evidence| {
    let oldest = &mut status(e).join.oldest;
    *oldest = oldest.map(|oldest| oldest - minutes(31));
})]
#[case::join_at_no_time("SF506", Verdict::Fail, "not read every kubelet yet", |e: &mut Evidence| status(e).join.oldest = None)]
#[case::node_not_proven("SF507", Verdict::Fail, "1 of 2 Ready nodes not proven: node1 (CadvisorRefused: 403)",
    |e: &mut Evidence| nodes(e)[0].telemetry = Some(condition("False", "CadvisorRefused", "403")))]
#[case::node_without_condition("SF507", Verdict::Fail, "node2 (it has no such condition)", |e: &mut Evidence| nodes(e)[1].telemetry = None)]
#[case::node_proven_long_ago("SF507", Verdict::Fail, "node2 (renewed 11m ago)", |e: &mut Evidence| {
    let now = e.now(starform_verify::evidence::Source::Nodes).unwrap();
    nodes(e)[1].telemetry_renewed = Some(now - minutes(11));
})]
#[case::node_proven_at_no_time("SF507", Verdict::Fail, "does not say when", |e: &mut Evidence| nodes(e)[1].telemetry_renewed = None)]
// What it is given.
#[case::a_config_map_more("SF508", Verdict::Fail, "the contract does not name ConfigMap relabel",
    |e: &mut Evidence| seen(&mut e.shuttle.config_maps).push("relabel".into()))]
#[case::a_flag_more("SF508", Verdict::Fail, "flag --scrape in Deployment shuttle",
    |e: &mut Evidence| agent(e).containers[0].flags.push("--scrape".into()))]
#[case::a_word_more("SF508", Verdict::Fail, "1 more words on the command line",
    |e: &mut Evidence| agent(e).containers[0].other_arguments = 1)]
#[case::a_variable_more("SF508", Verdict::Fail, "variable STORE in DaemonSet shuttle-node",
    |e: &mut Evidence| node_role(e).containers[0].environment.push("STORE".into()))]
#[case::variables_from_elsewhere("SF508", Verdict::Fail, "variables from ConfigMap relabel",
    |e: &mut Evidence| agent(e).containers[0].environment_from.push("ConfigMap relabel".into()))]
#[case::a_volume_more("SF508", Verdict::Fail, "volume relabel in DaemonSet shuttle-node",
    |e: &mut Evidence| node_role(e).volumes.push("relabel".into()))]
#[case::a_container_more("SF508", Verdict::Fail, "container vmagent", |e: &mut Evidence| {
    let mut more = agent(e).containers[0].clone();
    more.name = "vmagent".into();
    agent(e).containers.push(more);
})]
#[case::another_account("SF508", Verdict::Fail, "ServiceAccount default", |e: &mut Evidence| agent(e).service_account = "default".into())]
#[case::no_config_map_at_all("SF508", Verdict::Unknown, "has no ConfigMap", |e: &mut Evidence| seen(&mut e.shuttle.config_maps).clear())]
#[case::a_permission_more("SF509", Verdict::Fail, "shuttle may get secrets (ClusterRoleBinding more)",
    |e: &mut Evidence| grant_too(e, None, "get", "secrets"))]
#[case::a_permission_through_a_group("SF509", Verdict::Fail, "shuttle may * pods",
    |e: &mut Evidence| grant_too(e, Some("system:serviceaccounts:starform-system"), "*", "pods"))]
#[case::a_permission_of_everyone("SF509", Verdict::Warn, "shuttle may get secrets",
    |e: &mut Evidence| grant_too(e, Some("system:serviceaccounts"), "get", "secrets"))]
#[case::what_collectors_need("SF509", Verdict::Pass, "5 bindings", |e: &mut Evidence| grant_too(e, None, "list", "nodes"))]
#[case::the_node_role_collects_nothing("SF509", Verdict::Fail, "shuttle-node may list nodes", |e: &mut Evidence| {
    grant_too(e, None, "list", "nodes");
    grants(e).last_mut().unwrap().account = "shuttle-node".into();
})]
#[case::a_role_is_not_there("SF509", Verdict::Unknown, "Role shuttle, which RoleBinding shuttle names, is not there",
    |e: &mut Evidence| grants(e)[1].rules = None)]
#[case::no_binding("SF509", Verdict::Unknown, "no ClusterRoleBinding binds ServiceAccount starform-system/shuttle-node",
    |e: &mut Evidence| { grants(e).pop(); })]
#[case::no_role_binding("SF509", Verdict::Unknown, "no RoleBinding binds ServiceAccount starform-system/shuttle:",
    |e: &mut Evidence| { grants(e).remove(1); })]
// Registration.
#[case::degraded("SF601", Verdict::Fail, "registered and degraded by SF427: no logs", |e: &mut Evidence| {
    let judged = status(e).written;
    status(e).phase = Phase::Degraded;
    status(e).verdict = Some(GateVerdict { passes: false, answer: "no logs".into(), first_broken: Some("SF427".into()),
        first_broken_step: None, judged });
})]
#[case::rejected("SF601", Verdict::Fail, "Starbase rejects the cluster: 409", |e: &mut Evidence| {
    status(e).phase = Phase::Rejected;
    status(e).reason = "409".into();
})]
#[case::verifying("SF601", Verdict::Fail, "Shuttle is verifying: not yet", |e: &mut Evidence| {
    status(e).phase = Phase::Verifying;
    status(e).reason = "not yet".into();
})]
#[case::active_without_registration("SF601", Verdict::Fail, "shows no registration", |e: &mut Evidence| status(e).registration = None)]
#[case::heartbeats_stopped("SF602", Verdict::Fail, "2m 6s before the status was written", |e: &mut Evidence| {
    let accepted = &mut registration(e).heartbeat_accepted;
    *accepted = accepted.map(|accepted| accepted - minutes(2));
})]
#[case::no_heartbeat("SF602", Verdict::Fail, "none was accepted since the registration", |e: &mut Evidence| registration(e).heartbeat_accepted = None)]
#[case::just_registered("SF602", Verdict::Pass, "none was accepted since", |e: &mut Evidence| {
    registration(e).granted = status(e).written;
    registration(e).heartbeat_accepted = None;
})]
#[case::no_interval("SF602", Verdict::Unknown, "no interval", |e: &mut Evidence| registration(e).heartbeat_interval_seconds = 0)]
#[case::starbase_calls_it_lost("SF603", Verdict::Fail, "Starbase calls the cluster lost, Shuttle calls itself active",
    |e: &mut Evidence| starbase(e).state = "lost".into())]
#[case::starbase_has_another_uid("SF603", Verdict::Fail, "registered with UID x", |e: &mut Evidence| starbase(e).uid = "x".into())]
#[case::starbase_has_another_generation("SF603", Verdict::Fail, "Starbase has generation 4, Shuttle 3",
    |e: &mut Evidence| starbase(e).generation = 4)]
#[case::starbase_has_another_region("SF603", Verdict::Fail, "region \"fra1\"", |e: &mut Evidence| starbase(e).region = "fra1".into())]
#[case::starbase_knows_nothing("SF603", Verdict::Fail, "knows no cluster testbed", |e: &mut Evidence| e.shuttle.starbase = Observed::Absent)]
#[case::starbase_refuses_the_token("SF603", Verdict::Unknown, "unauthorized",
    |e: &mut Evidence| e.shuttle.starbase = unknown(Reason::Unauthorized))]
#[case::starbase_is_not_asked("SF603", Verdict::NotApplicable, "--starbase URL --token-file FILE asks it",
    |e: &mut Evidence| e.shuttle.starbase = Observed::Seen(StarbaseRead::NotAsked))]
fn one_difference_is_told(
    #[case] code: &str,
    #[case] verdict: Verdict,
    #[case] words: &str,
    #[case] change: fn(&mut Evidence),
) {
    let mut evidence = healthy();
    change(&mut evidence);
    let report = judge(&evidence);
    let told = result(&report, code);
    assert_eq!(told.verdict, verdict, "{code}: {}", told.observed);
    assert!(
        told.observed.contains(words),
        "{code} says {:?}, not {words:?}",
        told.observed
    );
    if matches!(verdict, Verdict::Fail | Verdict::Warn) {
        assert!(
            !told.expected.is_empty() || told.fix.is_some(),
            "{code} neither expects nor advises anything"
        );
    }
    if verdict == Verdict::Fail {
        let others: Vec<&CheckResult> = report
            .checks()
            .filter(|c| c.verdict == Verdict::Fail && c.code != code)
            .collect();
        assert_eq!(others, [] as [&CheckResult; 0], "what fails beside {code}");
    }
}

#[test]
fn advice_never_turns_off_verification() {
    let mut evidence = healthy();
    node_metrics(&mut evidence).clear();
    for check in judge(&evidence).checks() {
        let fix = check
            .fix
            .as_ref()
            .map(|fix| format!("{} {}", fix.summary, fix.commands.join(" ")))
            .unwrap_or_default();
        assert!(!fix.contains("insecure"), "{}: {fix}", check.code);
    }
}

#[test]
fn a_waiver_holds_until_its_day_is_over() {
    let text = |expires: &str| {
        Contract::embedded_text().replace(
            "waivers: []",
            &format!("waivers:\n  - {{check: SF324, reason: migration, owner: sre, expires: {expires}}}"),
        )
    };
    let mut evidence = healthy();
    flag(state_metrics(&mut evidence), ALLOWLIST, "pods=[a]");
    let day = seen(&mut evidence.api_server)
        .date
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    for (expires, verdict) in [(day, Verdict::Waived), (day.yesterday().unwrap(), Verdict::Fail)] {
        let contract = Contract::parse(&text(&expires.to_string()), "test").unwrap();
        let report = evaluate(&contract, &evidence, &Selection::all());
        let told = result(&report, "SF324");
        assert_eq!(told.verdict, verdict);
        assert_eq!(told.waiver.unwrap().expired, verdict == Verdict::Fail);
    }
}

#[test]
fn printed_commands_are_aimed_as_the_audit_was() {
    let mut evidence = healthy();
    state_metrics(&mut evidence).flags.clear();
    server(&mut evidence).desired = 0;
    evidence.target.kubeconfig = Some("/home/sre/my config".to_owned());
    evidence.target.context = Some("do-nyc3".to_owned());
    evidence.target.context_named = true;
    let report = judge(&evidence);
    let command = |code: &str| result(&report, code).fix.unwrap().commands[0].clone();
    let helm = command("SF324");
    assert!(
        helm.starts_with("helm --kubeconfig '/home/sre/my config' --kube-context do-nyc3 upgrade --install"),
        "{helm}"
    );
    let kubectl = command("SF303");
    assert!(
        kubectl
            .starts_with("kubectl --kubeconfig '/home/sre/my config' --context do-nyc3 --namespace kube-system scale"),
        "{kubectl}"
    );
}
