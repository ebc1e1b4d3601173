//! Step 1: the cluster itself.

use super::fix::{Command, cluster_object, count, fix, names};
use super::outcome::{Judge, Outcome};
use super::subject::Subject;
use crate::contract::parse_version;
use crate::evidence::{Node, Source};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How much later than now something may have happened: API servers differ by that.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);
/// Why a node that a program pretends to be is none of those that are judged.
const PRETENDED: &str = "no kubelet of its own";

/// SF101.
pub(super) fn api_server_answers(subject: Subject<'_>) -> Judge {
    let server = subject.evidence.api_server.or_else(|| no_such_api("/version"))?;
    Ok(Outcome::pass(format!("Kubernetes {}", server.git_version)))
}

/// SF102.
pub(super) fn kubernetes_version(subject: Subject<'_>) -> Judge {
    let server = subject.evidence.api_server.or_else(|| no_such_api("/version"))?;
    let accepted = &subject.contract.cluster.kubernetes;
    let Some(version) = parse_version(&server.git_version) else {
        return Ok(
            Outcome::undetermined(format!("the API server calls its version {:?}", server.git_version)).lasting(),
        );
    };
    if accepted.accepts(&version) {
        return Ok(Outcome::pass(server.git_version.clone()));
    }
    Ok(Outcome::fail(format!("Kubernetes {version} is not accepted"))
        .expected(format!("a version {accepted}"))
        .lasting()
        .fix(fix(
            "upgrade the cluster, or extend the contract once the new version has been tried",
            [Command::that_looks(
                "doctl kubernetes cluster get-upgrades CLUSTER".to_owned(),
            )],
        )))
}

/// SF103.
pub(super) fn is_doks(subject: Subject<'_>) -> Judge {
    let (nodes, pretended) = real(nodes(subject)?)?;
    let foreign: Vec<&Node> = (nodes.iter().copied())
        .filter(|node| node.provider.as_deref() != Some("digitalocean"))
        .collect();
    if foreign.is_empty() {
        let told = not_counted([(PRETENDED, &pretended)]);
        return Ok(Outcome::pass(format!("{}{told}", count(nodes.len(), "droplet"))));
    }
    Ok(Outcome::warn(format!(
        "{} of {} no DigitalOcean droplet: {}",
        foreign.len(),
        if nodes.len() == 1 {
            "1 node is".to_owned()
        } else {
            format!("{} nodes are", nodes.len())
        },
        names(foreign.iter().map(|node| &node.name)),
    ))
    .expected("spec.providerID digitalocean://… on every node; elsewhere the steps hold, but no one tried them")
    .objects(foreign.iter().map(|node| cluster_object("Node", &node.name)))
    .lasting())
}

/// SF104.
pub(super) fn nodes_ready(subject: Subject<'_>) -> Judge {
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    if nodes.is_empty() {
        return Ok(Outcome::fail("the cluster has no node")
            .expected("at least one node")
            .fix(fix(
                "add a node pool",
                [Command::that_changes(
                    "doctl kubernetes cluster node-pool create CLUSTER".to_owned(),
                )],
            )));
    }
    let pretended: Vec<&Node> = nodes.iter().filter(|node| node.is_virtual()).collect();
    let not_ready: Vec<&Node> = nodes.iter().filter(|node| !node.is_ready()).collect();
    if not_ready.is_empty() {
        let real = count(nodes.len() - pretended.len(), "node");
        return Ok(Outcome::pass(format!(
            "{real}{}",
            not_counted([(PRETENDED, &pretended)])
        )));
    }
    let now = subject.evidence.now(Source::Nodes);
    let (new, again) = (
        subject.contract.cluster.node_ready_grace,
        subject.contract.cluster.node_not_ready_grace,
    );
    let within = |time: SignedDuration| (-CLOCKS_DIFFER..=again).contains(&time);
    let has_time =
        |node: &Node, now: Timestamp| !node.is_older(now, new) || node.not_ready_for(now).is_some_and(within);
    let is_excused =
        |node: &&Node| node.is_leaving() || node.is_virtual() || now.is_some_and(|now| has_time(node, now));
    let broken: Vec<&Node> = not_ready.iter().copied().filter(|node| !is_excused(node)).collect();
    let (blamed, outcome) = if broken.is_empty() {
        (not_ready, Outcome::warn as fn(String) -> Outcome)
    } else {
        (broken, Outcome::fail as fn(String) -> Outcome)
    };
    let told = blamed.iter().find_map(|node| Some((*node, node.ready.as_ref()?)));
    let reason = told.map_or_else(
        || "its kubelet has posted no condition".to_owned(),
        |(node, ready)| {
            let going = if node.is_leaving() { "; it goes away" } else { "" };
            let age = now.and_then(|now| node.not_ready_for(now));
            let age = age.map_or_else(String::new, |age| {
                format!(", for {:#}", SignedDuration::from_secs(age.as_secs()))
            });
            format!("{}: {}{age}{going}", ready.reason, ready.message)
        },
    );
    Ok(outcome(format!(
        "{} of {} not Ready: {} ({reason})",
        blamed.len(),
        count(nodes.len(), "node"),
        names(blamed.iter().map(|node| &node.name)),
    ))
    .expected("condition Ready=True on every node")
    .objects(blamed.iter().map(|node| cluster_object("Node", &node.name)))
    .fix(fix(
        "see what the kubelet reports; DOKS replaces a node that is recycled in its pool",
        blamed
            .first()
            .map(|node| subject.kubectl(["describe", "node", &node.name])),
    )))
}

/// SF105.
pub(super) fn nodes_in_one_region(subject: Subject<'_>) -> Judge {
    let (nodes, _) = real(nodes(subject)?)?;
    let mut regions: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
    for node in nodes {
        regions.entry(node.region.as_deref()).or_default().push(node);
    }
    let unlabelled = regions.remove(&None).unwrap_or_default();
    if regions.len() > 1 {
        let seen = regions
            .iter()
            .map(|(region, nodes)| format!("{} in {}", count(nodes.len(), "node"), region.unwrap_or_default()));
        return Ok(Outcome::fail(names(seen))
            .expected("one region: a cluster's telemetry goes to the stores of its region")
            .objects(
                regions
                    .values()
                    .flatten()
                    .map(|node| cluster_object("Node", &node.name)),
            )
            .lasting());
    }
    if !unlabelled.is_empty() {
        return Ok(Outcome::warn(format!(
            "no region on {}: {}",
            count(unlabelled.len(), "node"),
            names(unlabelled.iter().map(|node| &node.name))
        ))
        .expected("label topology.kubernetes.io/region on every node")
        .objects(unlabelled.iter().map(|node| cluster_object("Node", &node.name))));
    }
    Ok(Outcome::pass(regions.into_keys().flatten().next().unwrap_or_default()))
}

/// SF106.
pub(super) fn identity(subject: Subject<'_>) -> Judge {
    let uid = subject.evidence.identity.or_else(|| {
        Outcome::undetermined("the API server says that there is no namespace kube-system").expected("its UID")
    })?;
    if uid.is_empty() {
        return Ok(Outcome::undetermined("the namespace kube-system came without a UID").expected("its UID"));
    }
    Ok(Outcome::pass(uid.clone()))
}

/// The nodes, for what says nothing about a cluster without any.
fn nodes(subject: Subject<'_>) -> Result<&Vec<Node>, Box<Outcome>> {
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    if nodes.is_empty() {
        return Outcome::not_applicable("the cluster has no node").early();
    }
    Ok(nodes)
}

/// The nodes with a kubelet of their own, at least one, and those that a program pretends to be.
fn real(nodes: &[Node]) -> Result<(Vec<&Node>, Vec<&Node>), Box<Outcome>> {
    let (pretended, real): (Vec<&Node>, Vec<&Node>) = nodes.iter().partition(|node| node.is_virtual());
    if real.is_empty() {
        return Outcome::not_applicable("no node has a kubelet of its own").early();
    }
    Ok((real, pretended))
}

/// Which nodes are none of those that were counted, and why, to be told behind their number; nothing where there is none.
pub(super) fn not_counted<'a>(others: impl IntoIterator<Item = (&'a str, &'a Vec<&'a Node>)>) -> String {
    let others = others.into_iter().filter(|(_, nodes)| !nodes.is_empty());
    let told = others.map(|(why, nodes)| format!("; {why}: {}", names(nodes.iter().map(|node| &node.name))));
    told.collect()
}

/// A built-in API that the server says it does not have: then it is not a Kubernetes API server that answered.
pub(super) fn no_such_api(path: &str) -> Outcome {
    Outcome::undetermined(format!(
        "GET {path} was answered with 404: this is no Kubernetes API server"
    ))
}
