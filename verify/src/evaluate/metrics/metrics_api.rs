//! Step 3, first half: what the metrics API serves is complete and fresh.

use super::server;
use crate::evaluate::age::{Bound, age, now, settling, too_young};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, cluster_object, count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Node, Source};
use crate::report::Verdict;
use std::collections::HashSet;

/// SF305.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let gone = |what: &str| {
        Outcome::fail(format!("GET /apis/metrics.k8s.io/v1beta1/{what} was answered with 404"))
            .expected("a list")
            .fix(subject.upgrade(
                &subject.contract.components.metrics_server.release,
                None,
                "install metrics-server",
            ))
    };
    // What each list holds is judged by the checks behind this one.
    evidence.node_metrics.or_else(|| gone("nodes"))?;
    evidence.pod_metrics.or_else(|| gone("pods"))?;
    Ok(Outcome::pass("nodes and pods"))
}

/// SF306.
pub(in crate::evaluate) fn node_metrics_complete(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let nodes = evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let metrics = evidence
        .node_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/nodes"))?;
    let now = now(subject, Source::NodeMetrics)?;
    let young = settling(subject)?;
    let settled: Vec<_> = nodes.iter().filter(|node| node.is_settled(now, young)).collect();
    if settled.is_empty() {
        return Ok(too_young("node", young));
    }
    let with_metrics: HashSet<&str> = metrics.iter().map(|metrics| metrics.name.as_str()).collect();
    let missing: Vec<_> = settled
        .iter()
        .filter(|node| !with_metrics.contains(node.name.as_str()))
        .collect();
    let Some(first) = missing.first() else {
        return replicas_agree(subject, &settled);
    };
    Ok(Outcome::fail(format!(
        "{} of {} without metrics: {}",
        missing.len(),
        count(settled.len(), "Ready node"),
        names(missing.iter().map(|node| &node.name))
    ))
    .expected(format!(
        "NodeMetrics of every Ready node: {} cannot read these kubelets",
        server::name(subject)
    ))
    .objects(missing.iter().map(|node| cluster_object("Node", &node.name)))
    .fix(kubelets(subject, &first.name)))
}

/// Whether the other pods of metrics-server have metrics of these nodes too, where there are others.
fn replicas_agree(subject: Subject<'_>, settled: &[&Node]) -> Judge {
    let evidence = subject.evidence;
    let nodes = count(settled.len(), "node");
    let ready = evidence.metrics_server.ready_behind(&evidence.metrics_api_service);
    if ready < 2 {
        return Ok(Outcome::pass(nodes));
    }
    let name = server::name(subject);
    let not_read = || {
        Outcome::undetermined(format!(
            "{ready} pods of {name} are ready, and NodeMetrics were read of one of them"
        ))
        .expected("NodeMetrics of each")
    };
    let Some(again) = &evidence.node_metrics_again else {
        return Ok(not_read());
    };
    let again = again.or_else(not_read)?;
    let Some(other) = &again.other else {
        return Ok(Outcome::pass(format!(
            "{nodes}; {ready} pods of {name} are ready, and one of them gave {}: the others were not seen",
            match again.readings {
                0 | 1 => "the only answer".to_owned(),
                readings => format!("all {readings} answers"),
            }
        )));
    };
    let with_metrics: HashSet<&str> = other.iter().map(|metrics| metrics.name.as_str()).collect();
    let missing: Vec<&&Node> = (settled.iter())
        .filter(|node| !with_metrics.contains(node.name.as_str()))
        .collect();
    let Some(first) = missing.first() else {
        return Ok(Outcome::pass(format!("{nodes}, by two pods of {name}")));
    };
    Ok(Outcome::fail(format!(
        "{} of {} without metrics in one of {ready} pods of {name}: {}",
        missing.len(),
        count(settled.len(), "Ready node"),
        names(missing.iter().map(|node| &node.name))
    ))
    .expected(format!(
        "NodeMetrics of every Ready node from each pod of {name}: one cannot read these kubelets"
    ))
    .objects(missing.iter().map(|node| cluster_object("Node", &node.name)))
    .fix(kubelets(subject, &first.name)))
}

/// SF307.
pub(in crate::evaluate) fn node_metrics_fresh(subject: Subject<'_>) -> Judge {
    let metrics = subject
        .evidence
        .node_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/nodes"))?;
    if metrics.is_empty() {
        return Ok(Outcome::not_applicable("no node has metrics"));
    }
    let now = now(subject, Source::NodeMetrics)?;
    let bound = Bound::of(subject)?;
    let stale: Vec<_> = metrics
        .iter()
        .filter(|m| bound.is_stale(now, m.timestamp, m.window_ms))
        .collect();
    let Some(oldest) = stale.iter().min_by_key(|metrics| metrics.timestamp) else {
        return Ok(Outcome::pass(format!("{}, {bound}", count(metrics.len(), "node"))));
    };
    Ok(Outcome::fail(format!(
        "{} of {} have stale metrics: {}; the oldest is {} old",
        stale.len(),
        count(metrics.len(), "node"),
        names(stale.iter().map(|metrics| &metrics.name)),
        age(now, oldest.timestamp),
    ))
    .expected(format!("samples {bound}, by the API server's clock"))
    .objects(stale.iter().map(|metrics| cluster_object("Node", &metrics.name)))
    .fix(kubelets(subject, &oldest.name)))
}

/// SF309.
pub(in crate::evaluate) fn pod_metrics_fresh(subject: Subject<'_>) -> Judge {
    let metrics = subject
        .evidence
        .pod_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/pods"))?;
    if metrics.is_empty() {
        return Ok(Outcome::not_applicable("no pod has metrics"));
    }
    let now = now(subject, Source::PodMetrics)?;
    let bound = Bound::of(subject)?;
    let stale: Vec<_> = metrics
        .iter()
        .filter(|m| bound.is_stale(now, m.timestamp, m.window_ms))
        .collect();
    let verdict = share::judge(
        stale.len(),
        metrics.len(),
        subject.contract.thresholds.pod_metrics_missing,
    );
    let Some(oldest) = stale.iter().min_by_key(|metrics| metrics.timestamp) else {
        return Ok(Outcome::pass(format!("{}, {bound}", count(metrics.len(), "pod"))));
    };
    let outcome = if verdict == Verdict::Fail {
        Outcome::fail as fn(String) -> Outcome
    } else {
        Outcome::warn
    };
    Ok(outcome(format!(
        "{} of {} have stale metrics: {}; the oldest is {} old",
        stale.len(),
        count(metrics.len(), "pod"),
        names(stale.iter().map(|m| format!("{}/{}", m.namespace, m.name))),
        age(now, oldest.timestamp),
    ))
    .expected(format!("samples {bound}, by the API server's clock"))
    .objects(stale.iter().map(|m| object("Pod", &m.namespace, &m.name)))
    .fix(fix(
        format!("see why {} does not renew them", server::name(subject)),
        [server::logs(subject, ["--tail", "50"])],
    )))
}

/// What to look at where metrics-server gets nothing from a kubelet. Turning off verification is never the answer.
pub(super) fn kubelets(subject: Subject<'_>, node: &str) -> Advice {
    let name = server::name(subject);
    fix(
        format!(
            "{name}'s log says why it cannot read {node}; a kubelet whose certificate is refused is mended by recycling its \
             node, one that serves no containers by restarting its container runtime"
        ),
        [
            server::logs(subject, ["--since", "2m"]),
            subject.kubectl(["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/metrics/resource")]),
        ],
    )
}
