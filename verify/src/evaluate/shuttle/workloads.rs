//! Step 5, first half: Shuttle stands, on every node.

use super::status::{install, look_at_agent};
use crate::contract::ShuttleRole;
use crate::evaluate::age::{age, now, words};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, cluster_object, count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::restarts;
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::{COMPLETE, Standing, scaled_to_zero, target, workload_object};
use crate::evidence::{Node, Observed, Phase, Pod, Source};
use jiff::Timestamp;
use std::collections::HashSet;

/// SF501.
///
/// The agent is ready only when the cluster is registered. Pods that run and are not ready say why in their status, and
/// other checks tell it: here they are a warning.
pub(in crate::evaluate) fn agent_runs(subject: Subject<'_>) -> Judge {
    let terms = &subject.contract.components.shuttle;
    let name = &terms.agent.workload;
    let agent = &subject.evidence.shuttle.agent;
    let agent = agent.or_else(|| absent(subject, "Deployment", name))?;
    let (workload, standing) = (&agent.workload, Standing::by_available(&agent.workload));
    let pods = subject.evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    // A status that is not there says nothing; that is SF504's to tell.
    let phase = match &subject.evidence.shuttle.status {
        Observed::Seen(read) => Some(read.status.phase),
        Observed::Absent => None,
        Observed::Unknown(unknown) => return Ok(Outcome::unknown(unknown)),
    };
    if workload.desired == 0 {
        let scale = [
            "--namespace",
            &terms.namespace,
            "scale",
            &target(workload),
            "--replicas",
            "2",
        ];
        return Ok(scaled_to_zero(workload, "two replicas", [subject.kubectl(scale)]));
    }
    if let Some(contradicted) = standing.contradicted(pods_of(pods, subject, &terms.agent).count()) {
        return Ok(contradicted);
    }
    if standing.is_complete() {
        let passed = Outcome::pass(count(standing.ready as usize, "pod"));
        let pods: Vec<&Pod> = pods_of(pods, subject, &terms.agent).collect();
        return Ok(restarts::of_pods(subject, &pods, passed));
    }
    let mut observed = standing.progress();
    let running = pods_of(pods, subject, &terms.agent)
        .filter(|pod| pod.is_running())
        .count();
    let tells_why = phase.is_some_and(|phase| phase != Phase::Active) && running >= workload.desired as usize;
    if tells_why && standing.ready < workload.desired {
        observed = format!("{observed}; they run, and say why: {}", phase.unwrap_or_default());
    }
    let outcome = if standing.ready > 0 || tells_why {
        Outcome::warn(observed)
    } else {
        Outcome::fail(observed)
    };
    Ok(outcome
        .expected(COMPLETE)
        .objects([workload_object(workload)])
        .fix(look_at_agent(subject)))
}

/// SF502.
pub(in crate::evaluate) fn node_runs(subject: Subject<'_>) -> Judge {
    let terms = &subject.contract.components.shuttle;
    let name = &terms.node.workload;
    let node = &subject.evidence.shuttle.node;
    let workload = &node.or_else(|| absent(subject, "DaemonSet", name))?.workload;
    let pods = subject.evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    let (judged, all_new) = judged_nodes(subject)?;
    let this = workload_object(workload);
    let with = |runs: fn(&Pod) -> bool| -> HashSet<&str> {
        let pods = pods_of(pods, subject, &terms.node).filter(|pod| runs(pod));
        pods.filter_map(|pod| pod.node.as_deref()).collect()
    };
    let (any, running) = (with(|_| true), with(Pod::is_running));
    let without = |nodes: &HashSet<&str>| -> Vec<&Node> {
        (judged.iter().copied())
            .filter(|node| !nodes.contains(node.name.as_str()))
            .collect()
    };
    let (left_out, down) = (without(&any), without(&running));
    let (blamed, what) = if left_out.is_empty() {
        (down, "on which it does not run")
    } else {
        (left_out, "without a pod of it")
    };
    if all_new && (judged.is_empty() || !blamed.is_empty()) {
        return Ok(too_young(subject));
    }
    if let Some(first) = blamed.first() {
        let field = format!("spec.nodeName={}", first.name);
        let look = [
            "--namespace",
            &terms.namespace,
            "describe",
            "pods",
            "--field-selector",
            &field,
        ];
        return Ok(Outcome::fail(format!(
            "DaemonSet {name}: {} {what}: {}",
            count(blamed.len(), "Ready node"),
            names(blamed.iter().map(|node| &node.name))
        ))
        .expected("a running pod of it on every Ready node")
        .objects([this])
        .objects(blamed.iter().map(|node| cluster_object("Node", &node.name)))
        .fix(fix("see why no pod runs there", [subject.kubectl(look)])));
    }
    // What is left is a rollout, or pods that run and are not ready: those say why in their node's condition (SF507).
    let standing = Standing::by_ready(workload);
    if !standing.is_complete() {
        return Ok(Outcome::warn(standing.progress())
            .expected(COMPLETE)
            .objects([this])
            .fix(rollout(subject, &target(workload))));
    }
    let others = with_time(subject, &judged)?;
    let waiting: Vec<&Node> = (others.into_iter())
        .filter(|node| !running.contains(node.name.as_str()))
        .collect();
    if let Some(first) = waiting.first() {
        let named = names(waiting.iter().map(|node| &node.name));
        return Ok(Outcome::warn(format!(
            "DaemonSet {name} does not run on {}: {named}",
            count_with_time(subject, &waiting)
        ))
        .expected("a running pod of it on every Ready node that stays")
        .objects([this])
        .objects(waiting.iter().map(|node| cluster_object("Node", &node.name)))
        .fix(subject.look_at_node(&first.name)));
    }
    let pods: Vec<&Pod> = pods_of(pods, subject, &terms.node).collect();
    let passed = Outcome::pass(count(judged.len(), "node"));
    Ok(restarts::of_pods(subject, &pods, passed))
}

/// SF507.
pub(in crate::evaluate) fn nodes_proven(subject: Subject<'_>) -> Judge {
    let terms = &subject.contract.components.shuttle;
    let (judged, all_new) = judged_nodes(subject)?;
    let now = now(subject, Source::Nodes)?;
    let limit = subject.contract.thresholds.node_proof_age;
    let unproven: Vec<(&Node, String)> = judged
        .iter()
        .filter_map(|node| Some((*node, unproven(node, now, limit)?)))
        .collect();
    if all_new && (judged.is_empty() || !unproven.is_empty()) {
        return Ok(too_young(subject));
    }
    let Some((first, why)) = unproven.first() else {
        let others = with_time(subject, &judged)?.into_iter();
        let waiting: Vec<&Node> = others.filter(|node| !node.is_proven(now, limit)).collect();
        let Some(first) = waiting.first() else {
            return Ok(Outcome::pass(count(judged.len(), "node")));
        };
        return Ok(Outcome::warn(format!(
            "{} not proven: {}",
            count_with_time(subject, &waiting),
            names(waiting.iter().map(|node| &node.name))
        ))
        .expected(format!(
            "condition {}=True on every Ready node that stays",
            terms.node_condition
        ))
        .objects(waiting.iter().map(|node| cluster_object("Node", &node.name)))
        .fix(subject.look_at_node(&first.name)));
    };
    let field = format!("spec.nodeName={}", first.name);
    let look = [
        "--namespace",
        &terms.namespace,
        "get",
        "pods",
        "--output",
        "wide",
        "--field-selector",
        &field,
    ];
    Ok(Outcome::fail(format!(
        "{} of {} not proven: {} ({why})",
        unproven.len(),
        count(judged.len(), "Ready node"),
        names(unproven.iter().map(|(node, _)| &node.name))
    ))
    .expected(format!(
        "condition {}=True, renewed within {}",
        terms.node_condition,
        words(limit)
    ))
    .objects(unproven.iter().map(|(node, _)| cluster_object("Node", &node.name)))
    .fix(fix(
        "see what the node says of itself, and the log of the pod there",
        [
            subject.kubectl(["describe", "node", &first.name]),
            subject.kubectl(look),
        ],
    )))
}

/// Why a node is not proven; `None` where it is.
fn unproven(node: &Node, now: Timestamp, limit: jiff::SignedDuration) -> Option<String> {
    if node.is_proven(now, limit) {
        return None;
    }
    Some(match (&node.telemetry, node.telemetry_renewed) {
        (None, _) => "it has no such condition".to_owned(),
        (Some(condition), _) if !condition.is_true() => format!("{}: {}", condition.reason, condition.message),
        (Some(_), None) => "the condition does not say when it was renewed".to_owned(),
        (Some(_), Some(renewed)) => format!("renewed {} ago", age(now, renewed)),
    })
}

/// The nodes that a check of every node judges, and whether all Ready nodes are new: then it is all of them, so that a new
/// cluster conforms as soon as every node of it does; one that does not yet may still be waiting for its pod.
fn judged_nodes(subject: Subject<'_>) -> Result<(Vec<&Node>, bool), Box<Outcome>> {
    let settled = settled_nodes(subject)?;
    if !settled.is_empty() {
        return Ok((settled, false));
    }
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let ready = nodes.iter().filter(|node| node.is_ready_and_real());
    Ok((ready.filter(|node| is_selected(subject, node)).collect(), true))
}

/// The Ready nodes that Shuttle need not have come to yet, or any more, beside those that are judged: just made, or going away.
fn with_time<'a>(subject: Subject<'a>, judged: &[&Node]) -> Result<Vec<&'a Node>, Box<Outcome>> {
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let is_judged = |node: &Node| judged.iter().any(|judged| judged.name == node.name);
    let others = nodes
        .iter()
        .filter(|node| node.is_ready_and_real() && is_selected(subject, node));
    Ok(others.filter(|node| !is_judged(node)).collect())
}

fn count_with_time(subject: Subject<'_>, nodes: &[&Node]) -> String {
    let grace = words(subject.contract.cluster.node_ready_grace);
    let why = match nodes.iter().filter(|node| node.is_leaving()).count() {
        0 => format!("not older than {grace}"),
        leaving if leaving == nodes.len() => "that goes away".to_owned(),
        _ => format!("that goes away or is not older than {grace}"),
    };
    format!("{} {why}", count(nodes.len(), "Ready node"))
}

/// Whether the node role selects a node: only one that it is known not to select needs no pod of it.
fn is_selected(subject: Subject<'_>, node: &Node) -> bool {
    let role = match &subject.evidence.shuttle.node {
        Observed::Seen(role) => role.workload.placement.as_ref(),
        _ => None,
    };
    role.and_then(|placement| placement.selects(node)) != Some(false)
}

/// The Ready nodes that Shuttle must have come to by now: those that are old enough, stay, and are selected.
pub(in crate::evaluate) fn settled_nodes(subject: Subject<'_>) -> Result<Vec<&Node>, Box<Outcome>> {
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let now = now(subject, Source::Nodes)?;
    let grace = subject.contract.cluster.node_ready_grace;
    let settled = nodes.iter().filter(|node| node.is_settled(now, grace));
    Ok(settled.filter(|node| is_selected(subject, node)).collect())
}

fn too_young(subject: Subject<'_>) -> Outcome {
    let grace = words(subject.contract.cluster.node_ready_grace);
    Outcome::undetermined(format!("no Ready node is older than {grace} yet"))
        .expected("a node that is old enough for Shuttle to have come to it")
}

/// The pods of a role, by their names: `shuttle-` begins those of the node role too.
fn pods_of<'a>(pods: &'a [Pod], subject: Subject<'a>, role: &'a ShuttleRole) -> impl Iterator<Item = &'a Pod> {
    let shuttle = &subject.contract.components.shuttle;
    let others = if role == &shuttle.agent {
        Some(&shuttle.node.workload)
    } else {
        None
    };
    let begins = |pod: &Pod, name: &str| pod.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    pods.iter().filter(move |pod| {
        *pod.namespace == *shuttle.namespace
            && begins(pod, &role.workload)
            && !others.is_some_and(|others| begins(pod, others))
    })
}

fn absent(subject: Subject<'_>, kind: &str, name: &str) -> Outcome {
    let namespace = &subject.contract.components.shuttle.namespace;
    Outcome::fail(format!("no {kind} {name} in namespace {namespace}"))
        .expected("what `kubectl apply` of Shuttle's manifests makes")
        .objects([object(kind, namespace, name)])
        .fix(install(subject))
}

fn rollout(subject: Subject<'_>, target: &str) -> Advice {
    let namespace = &subject.contract.components.shuttle.namespace;
    fix(
        "wait for its rollout, or see what holds it up",
        [
            subject.kubectl(["--namespace", namespace, "rollout", "status", target]),
            subject.kubectl(["--namespace", namespace, "describe", target]),
        ],
    )
}
