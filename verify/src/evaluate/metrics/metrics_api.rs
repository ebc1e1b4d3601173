//! Step 3, first half: what the metrics API serves is complete and fresh.

use crate::evaluate::age::{Bound, age, is_settled, now, settling, too_young, unsettled, words};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{cluster_object, count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Observed, Pod, PodMetrics, PodName, Source};
use crate::report::Verdict;
use std::collections::{HashMap, HashSet};

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
    let settled: Vec<_> = nodes
        .iter()
        .filter(|node| node.is_ready())
        .filter(|node| node.is_older(now, young))
        .collect();
    if settled.is_empty() {
        return Ok(too_young("node", young));
    }
    let with_metrics: HashSet<&str> = metrics.iter().map(|metrics| metrics.name.as_str()).collect();
    let missing: Vec<_> = settled
        .iter()
        .filter(|node| !with_metrics.contains(node.name.as_str()))
        .collect();
    let Some(first) = missing.first() else {
        return Ok(Outcome::pass(count(settled.len(), "node")));
    };
    Ok(Outcome::fail(format!(
        "{} of {} without metrics: {}",
        missing.len(),
        count(settled.len(), "Ready node"),
        names(missing.iter().map(|node| &node.name))
    ))
    .expected("NodeMetrics of every Ready node: metrics-server cannot read these kubelets")
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

/// SF308.
pub(in crate::evaluate) fn pod_metrics_complete(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let pods = evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    let metrics = evidence
        .pod_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/pods"))?;
    let nodes = evidence
        .node_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/nodes"))?;
    let now = now(subject, Source::PodMetrics)?;
    let young = settling(subject)?;
    let measured: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let on_measured_nodes = pods
        .iter()
        .filter(|pod| pod.node.as_deref().is_some_and(|node| measured.contains(node)));
    let unsettled = unsettled(on_measured_nodes.clone(), now, young);
    let and_unsettled = |told: String| match &unsettled {
        Some((_, unsettled)) => format!("{told}; {unsettled}"),
        None => told,
    };
    let running: Vec<&Pod> = on_measured_nodes.filter(|pod| is_settled(pod, now, young)).collect();
    if running.is_empty() {
        // Never nothing to judge: metrics-server itself is a running pod.
        let too_young = too_young("pod", young);
        let observed = and_unsettled(too_young.observed.clone());
        return Ok(too_young.with_observed(observed));
    }
    let by_pod: HashMap<PodName<'_>, &PodMetrics> = metrics.iter().map(|metrics| (metrics.pod(), metrics)).collect();
    let metrics_of = |pod: &Pod| by_pod.get(&pod.full_name()).copied();
    let missing: Vec<&&Pod> = running.iter().filter(|pod| metrics_of(pod).is_none()).collect();
    let named = |pods: &[&&Pod]| names(pods.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)));
    let objects = |pods: &[&&Pod]| {
        pods.iter()
            .map(|pod| object("Pod", &pod.namespace, &pod.name))
            .collect::<Vec<_>>()
    };
    match share::judge(
        missing.len(),
        running.len(),
        subject.contract.thresholds.pod_metrics_missing,
    ) {
        Verdict::Pass => {}
        verdict => {
            let outcome = if verdict == Verdict::Fail {
                Outcome::fail as fn(String) -> Outcome
            } else {
                Outcome::warn
            };
            let all = if metrics.is_empty() {
                "PodMetricsList is empty: "
            } else {
                ""
            };
            let outcome = outcome(and_unsettled(format!(
                "{all}{} of {} without metrics: {}",
                missing.len(),
                count(running.len(), "running pod"),
                named(&missing)
            )))
            .expected(format!(
                "PodMetrics of every pod that has been running for {}",
                words(young)
            ))
            .objects(objects(&missing));
            let node = missing.first().and_then(|pod| pod.node.as_deref()).unwrap_or_default();
            return Ok(outcome.fix(kubelets(subject, node)));
        }
    }
    let partial: Vec<&&Pod> = running
        .iter()
        .filter(|pod| metrics_of(pod).is_some_and(|metrics| metrics.containers < pod.ready))
        .collect();
    if !partial.is_empty() {
        return Ok(Outcome::warn(and_unsettled(format!(
            "{} with metrics of only some containers: {}",
            count(partial.len(), "pod"),
            named(&partial)
        )))
        .expected("metrics of every ready container: a sum over what is served counts too little")
        .objects(objects(&partial)));
    }
    let told = and_unsettled(count(running.len(), "running pod"));
    if unsettled.is_some_and(|(unsettled, _)| unsettled > running.len()) {
        return Ok(Outcome::warn(told).expected(format!(
            "more pods that have been running for {} than pods that have not",
            words(young)
        )));
    }
    Ok(Outcome::pass(told))
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
        "see why metrics-server does not renew them",
        [subject.kubectl([
            "--namespace",
            server_namespace(subject),
            "logs",
            "deployment/metrics-server",
            "--tail",
            "50",
        ])],
    )))
}

fn server_namespace(subject: Subject<'_>) -> &str {
    match &subject.evidence.metrics_server.workloads {
        Observed::Seen(workloads) => workloads
            .first()
            .map_or("kube-system", |workload| workload.namespace.as_str()),
        _ => "kube-system",
    }
}

/// What to look at where metrics-server gets nothing from a kubelet. Turning off verification is never the answer.
fn kubelets(subject: Subject<'_>, node: &str) -> crate::report::Fix {
    let namespace = server_namespace(subject);
    fix(
        format!(
            "metrics-server's log says why it cannot read {node}; a kubelet whose certificate is refused is mended by \
             recycling its node, one that serves no containers by restarting its container runtime"
        ),
        [
            subject.kubectl([
                "--namespace",
                namespace,
                "logs",
                "deployment/metrics-server",
                "--since",
                "2m",
            ]),
            subject.kubectl(["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/metrics/resource")]),
        ],
    )
}
