//! A healthy cluster, and the parts of it that cases change.

use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{
    ApiService, Autoscaler, Condition, Endpoint, Evidence, Grant, LastChange, MetricsPage, Node, NodeMetrics, Observed,
    Pod, PodLabelRows, PodMetrics, PolicyRule, Reason, Registration, Scrape, Service, ShuttleStatus, ShuttleWorkload,
    Source, StarbaseRead, StarbaseRegistration, Unknown, UnreadArgument, Waited, Workload,
};
use starform_verify::report::{CheckResult, Report};
use std::sync::LazyLock;
use std::time::Duration;
use testdata::{install, recordings};

/// The healthy recording with Shuttle in it, of a cluster that is an hour older: what is young is judged by other rules.
pub(crate) fn healthy() -> Evidence {
    static HEALTHY: LazyLock<Evidence> = LazyLock::new(read);
    HEALTHY.clone()
}

fn read() -> Evidence {
    let mut evidence = recordings::as_recorded("healthy");
    recordings::age_nodes(&mut evidence);
    for pod in pods(&mut evidence) {
        pod.created -= jiff::SignedDuration::from_hours(1);
        pod.started = Some(pod.created);
    }
    install::everything(&mut evidence);
    evidence
}

pub(crate) fn judge(evidence: &Evidence) -> Report {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded().unwrap());
    evaluate(&CONTRACT, evidence, &Selection::all())
}

pub(crate) fn result(report: &Report, code: &str) -> CheckResult {
    report.checks().find(|check| check.code == code).unwrap().clone()
}

/// What was seen, to change it.
pub(crate) fn seen<T>(observed: &mut Observed<T>) -> &mut T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("the healthy recording has seen it"),
    }
}

pub(crate) fn nodes(evidence: &mut Evidence) -> &mut Vec<Node> {
    seen(&mut evidence.nodes)
}

pub(crate) fn api_service(evidence: &mut Evidence) -> &mut ApiService {
    seen(&mut evidence.metrics_api_service)
}

pub(crate) fn pods(evidence: &mut Evidence) -> &mut Vec<Pod> {
    seen(&mut evidence.pods)
}

pub(crate) fn node_metrics(evidence: &mut Evidence) -> &mut Vec<NodeMetrics> {
    seen(&mut evidence.node_metrics)
}

pub(crate) fn pod_metrics(evidence: &mut Evidence) -> &mut Vec<PodMetrics> {
    seen(&mut evidence.pod_metrics)
}

pub(crate) fn autoscaler(evidence: &mut Evidence) -> &mut Autoscaler {
    &mut seen(&mut evidence.autoscalers)[0]
}

pub(crate) fn server(evidence: &mut Evidence) -> &mut Workload {
    &mut seen(&mut evidence.metrics_server.workloads)[0]
}

pub(crate) fn server_service(evidence: &mut Evidence) -> &mut Service {
    &mut seen(&mut evidence.metrics_server.services)[0]
}

pub(crate) fn state_metrics(evidence: &mut Evidence) -> &mut Workload {
    &mut seen(&mut evidence.kube_state_metrics.workloads)[0]
}

pub(crate) fn state_services(evidence: &mut Evidence) -> &mut Vec<Service> {
    seen(&mut evidence.kube_state_metrics.services)
}

pub(crate) fn state_endpoints(evidence: &mut Evidence) -> &mut Vec<Endpoint> {
    seen(&mut evidence.kube_state_metrics.endpoints)
}

pub(crate) fn scrape(evidence: &mut Evidence) -> &mut Scrape {
    &mut seen(&mut evidence.scrapes)[0]
}

pub(crate) fn rows(evidence: &mut Evidence) -> &mut PodLabelRows {
    seen(&mut scrape(evidence).rows)
}

pub(crate) fn status(evidence: &mut Evidence) -> &mut ShuttleStatus {
    &mut seen(&mut evidence.shuttle.status).status
}

pub(crate) fn registration(evidence: &mut Evidence) -> &mut Registration {
    status(evidence).registration.as_mut().unwrap()
}

pub(crate) fn agent(evidence: &mut Evidence) -> &mut Workload {
    &mut agent_given(evidence).workload
}

/// The agent's workload with what its containers are given.
pub(crate) fn agent_given(evidence: &mut Evidence) -> &mut ShuttleWorkload {
    seen(&mut evidence.shuttle.agent)
}

pub(crate) fn node_role(evidence: &mut Evidence) -> &mut Workload {
    &mut node_role_given(evidence).workload
}

/// The node role's workload with what its containers are given.
pub(crate) fn node_role_given(evidence: &mut Evidence) -> &mut ShuttleWorkload {
    seen(&mut evidence.shuttle.node)
}

pub(crate) fn grants(evidence: &mut Evidence) -> &mut Vec<Grant> {
    seen(&mut evidence.shuttle.grants)
}

pub(crate) fn grant_too(evidence: &mut Evidence, group: Option<&str>, verb: &str, resource: &str) {
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

pub(crate) fn starbase(evidence: &mut Evidence) -> &mut StarbaseRegistration {
    match seen(&mut evidence.shuttle.starbase) {
        StarbaseRead::Answered(registration) => registration,
        StarbaseRead::NotAsked => panic!("it was asked"),
    }
}

/// The pod of the node role on a node.
pub(crate) fn node_pod<'a>(evidence: &'a mut Evidence, node: &str) -> &'a mut Pod {
    let mut pods = pods(evidence).iter_mut();
    pods.find(|pod| pod.name.starts_with("shuttle-node-") && pod.node.as_deref() == Some(node))
        .unwrap()
}

/// So many seconds before the healthy recording's pods were read.
pub(crate) fn started_ago(seconds: i64) -> jiff::Timestamp {
    healthy().now(Source::Pods).unwrap() - jiff::SignedDuration::from_secs(seconds)
}

pub(crate) fn minutes(minutes: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(minutes)
}

pub(crate) fn flag(workload: &mut Workload, name: &str, value: &str) {
    workload.flags.insert(name.to_owned(), vec![value.to_owned()]);
}

/// The value of a flag is not known: a variable in it was not read.
pub(crate) fn unread(workload: &mut Workload, name: &str) {
    flag(workload, name, "$(SOME)");
    workload.unread_arguments.push(UnreadArgument {
        flag: Some(name.to_owned()),
        why: "variable SOME comes from a ConfigMap".to_owned(),
    });
}

/// A change that somebody made of an object so many seconds before `source` was read.
pub(crate) fn changed(evidence: &Evidence, source: Source, seconds_ago: i64) -> LastChange {
    LastChange {
        time: evidence.now(source).unwrap() - jiff::SignedDuration::from_secs(seconds_ago),
        manager: "kubectl-rollout".to_owned(),
        operation: "Update".to_owned(),
    }
}

pub(crate) fn condition(status: &str, reason: &str, message: &str) -> Condition {
    Condition {
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: None,
    }
}

pub(crate) fn unknown<T>(reason: Reason) -> Observed<T> {
    let message = match reason {
        Reason::TimedOut => "no complete answer within 10s",
        Reason::Unreachable => "connection refused",
        Reason::Refused => "503 Service Unavailable",
        _ => "no",
    };
    let waited = (reason == Reason::TimedOut).then_some(Waited { ms: 10_000, bytes: 0 });
    Observed::Unknown(Unknown {
        waited,
        ..Unknown::new(reason, "GET /somewhere", message)
    })
}

pub(crate) const ALLOWLIST: &str = "--metric-labels-allowlist";
pub(crate) const FIVE: &str =
    "starform.io/cluster-id,starform.io/region,starform.io/project,starform.io/app,starform.io/deployment";

/// A page of the evidence, to change it.
pub(crate) fn page_of(pages: &mut Observed<Vec<MetricsPage>>, position: usize) -> &mut MetricsPage {
    let Observed::Seen(pages) = pages else {
        unreachable!("the healthy evidence has seen them");
    };
    &mut pages[position]
}

/// Gives the sample of a page its value, in the first reading.
pub(crate) fn set(page: &mut MetricsPage, name: &str, value: f64) {
    let Observed::Seen(metrics) = &mut page.first else {
        unreachable!("the healthy evidence has seen it");
    };
    for sample in metrics.samples.iter_mut().filter(|sample| sample.name == name) {
        sample.value = value;
    }
}

/// Reads a page again, ten seconds later, with other values. Its process goes on.
pub(crate) fn again(page: &mut MetricsPage, changed: &[(&str, f64)]) {
    let mut later = page.clone();
    if let Observed::Seen(metrics) = &mut later.first {
        let uptimes = ["fluentbit_uptime", "vm_app_uptime_seconds"];
        let own = metrics
            .samples
            .iter_mut()
            .filter(|sample| uptimes.contains(&sample.name.as_str()));
        for uptime in own {
            uptime.value += 10.0;
        }
    }
    for (name, value) in changed {
        set(&mut later, name, *value);
    }
    if let Observed::Seen(metrics) = &mut later.first {
        metrics.read_ms += 10_000;
    }
    page.again = Some(later.first);
}

/// Reads a page again, so many seconds later, with other values.
pub(crate) fn after(page: &mut MetricsPage, seconds: i64, changed: &[(&str, f64)]) {
    again(page, changed);
    if let Some(Observed::Seen(later)) = &mut page.again {
        later.read_ms += (seconds - 10) * 1_000;
        for sample in &mut later.samples {
            if matches!(sample.name.as_str(), "fluentbit_uptime" | "vm_app_uptime_seconds") {
                sample.value += Duration::from_secs(seconds.unsigned_abs() - 10).as_secs_f64();
            }
        }
    }
}
