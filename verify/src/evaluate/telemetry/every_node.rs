//! Whether what has to run on every node does: on every one that it selects, on tainted ones too.

use super::collector::{Collector, contradicted};
use crate::evaluate::age::{now, words};
use crate::evaluate::cluster::{no_such_api, not_counted};
use crate::evaluate::fix::{Advice, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::restarts;
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::{COMPLETE, Standing, look_at, workload_object};
use crate::evidence::{Node, Placement, Source, TelemetryWorkload, Workload};
use std::collections::HashSet;

/// The Ready nodes, but for those that a program pretends to be: nothing has to run there.
pub(in crate::evaluate) struct ReadyNodes<'a> {
    /// Those that must have a pod of what runs on every node.
    settled: Vec<&'a Node>,
    /// Those that go away: a pod may have gone before them.
    leaving: Vec<&'a Node>,
    young: Vec<&'a Node>,
    /// Those that are Ready, and that a program pretends to be.
    pretended: Vec<&'a Node>,
}

/// What a workload runs on.
#[derive(Clone, Copy)]
pub(in crate::evaluate) struct Placed<'a> {
    pub(in crate::evaluate) found: &'a TelemetryWorkload,
    /// What the resource says that it is made from: one that was not made anew yet has it not.
    pub(in crate::evaluate) asked: Option<&'a Placement>,
}

// === impl Collector ===

impl<'a> Collector<'a> {
    /// Judges that a DaemonSet has a ready pod on every Ready node that it selects: not only on those that it wants one on,
    /// for that leaves out every node whose taints its pods do not tolerate.
    pub(in crate::evaluate) fn on_every_node(self, workloads: &[Placed<'a>]) -> Judge {
        let mut nodes = ReadyNodes::of(self.subject)?;
        if let Some(contradicted) = contradicted(workloads.iter().map(|placed| placed.found)) {
            return Ok(contradicted);
        }
        let with = |counts: fn(&bool) -> bool| -> HashSet<&str> {
            let pods = workloads.iter().flat_map(|placed| &placed.found.pods);
            pods.filter(|pod| counts(&pod.ready))
                .filter_map(|pod| pod.node.as_deref())
                .collect()
        };
        let (any, ready) = (with(|_| true), with(|ready| *ready));
        let standing = || {
            workloads
                .iter()
                .map(|placed| Standing::by_ready(&placed.found.workload))
        };
        let rolling = standing().any(Standing::is_being_updated);
        let not_selected =
            nodes.take(|node| selects(workloads, node) == Some(false) && !any.contains(node.name.as_str()));
        if nodes.is_empty() {
            return Ok(Self::selects_none(workloads, &not_selected));
        }
        let (left_out, not_known): (Vec<&Node>, Vec<&Node>) =
            (without(&nodes.settled, &any).into_iter()).partition(|node| selects(workloads, node) == Some(true));
        if !left_out.is_empty() {
            return Ok(self.left_out(workloads, &left_out, rolling));
        }
        let down = without(&nodes.settled, &ready);
        let down: Vec<&Node> = down
            .into_iter()
            .filter(|node| any.contains(node.name.as_str()))
            .collect();
        if !down.is_empty() && !rolling {
            return Ok(self.down(workloads, &down));
        }
        if !not_known.is_empty() {
            return Ok(self.not_known(workloads, &not_known));
        }
        let covered = nodes.with(&ready);
        if covered == 0 {
            return Ok(Outcome::undetermined(format!(
                "{} is ready on no node, and no Ready node is older than {:#} yet",
                self.name, self.subject.contract.cluster.node_ready_grace
            ))
            .expected("a node that is old enough to have a pod of it"));
        }
        let (leaving, young) = (without(&nodes.leaving, &ready), without(&nodes.young, &ready));
        if !leaving.is_empty() || !young.is_empty() {
            return Ok(self.has_time(workloads, &leaving, &young));
        }
        let on_pretended = |standing: &Standing<'_>| {
            let of = workloads
                .iter()
                .filter(|placed| std::ptr::eq(&raw const placed.found.workload, standing.workload));
            let mut pods = of.flat_map(|placed| &placed.found.pods);
            let is_there = |node: &str| nodes.pretended.iter().any(|pretended| pretended.name == node);
            let there = pods
                .by_ref()
                .filter(|pod| !pod.ready && pod.node.as_deref().is_some_and(is_there));
            u32::try_from(there.count()).unwrap_or(u32::MAX)
        };
        let incomplete = standing().find(|standing| {
            standing.is_being_updated()
                || standing.ready.saturating_add(on_pretended(standing)) < standing.workload.desired
        });
        if let Some(rolling) = incomplete {
            return Ok(Outcome::warn(rolling.progress())
                .expected(COMPLETE)
                .objects([workload_object(rolling.workload)])
                .fix(look_at(self.subject, rolling.workload)));
        }
        let told = [
            ("not selected", &not_selected),
            ("no kubelet of its own", &nodes.pretended),
        ];
        let passed = Outcome::pass(format!("{}{}", count(covered, "node"), not_counted(told)));
        let workloads: Vec<&TelemetryWorkload> = workloads.iter().map(|placed| placed.found).collect();
        Ok(restarts::of_collector(self.subject, self.source, &workloads, passed))
    }

    /// Nodes that need no ready pod of it now: those that go away, and those that were just made.
    fn has_time(self, workloads: &[Placed<'_>], leaving: &[&Node], young: &[&Node]) -> Outcome {
        let told = |nodes: &[&Node], why: &str| {
            let number = count(nodes.len(), "Ready node");
            let named = names(nodes.iter().map(|node| &node.name));
            (!nodes.is_empty()).then(|| format!("{number} {why}: {named}"))
        };
        let grace = words(self.subject.contract.cluster.node_ready_grace);
        let (goes, made) = (
            told(leaving, "that goes away"),
            told(young, &format!("not older than {grace}")),
        );
        let expected = if leaving.is_empty() {
            format!("a ready pod of it on every node that it selects, {grace} after the node was made")
        } else {
            "a node that goes away to be gone soon: its last lines may stay unread".to_owned()
        };
        let nodes: Vec<&Node> = leaving.iter().chain(young).copied().collect();
        let workload = workloads.first().map(|placed| &placed.found.workload);
        let advice = if leaving.is_empty() {
            self.look_at_pods(workload, &nodes)
        } else {
            self.subject.look_at_node(first(&nodes))
        };
        Outcome::warn(format!(
            "{} is not ready on {}",
            self.name,
            goes.into_iter().chain(made).collect::<Vec<_>>().join("; on ")
        ))
        .expected(expected)
        .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)))
        .fix(advice)
    }

    /// No Ready node is one that it selects: nothing of it is missing, and nothing of it runs.
    fn selects_none(workloads: &[Placed<'_>], not_selected: &[&Node]) -> Outcome {
        Outcome::not_applicable(format!(
            "{} selects none of {}",
            names(
                workloads
                    .iter()
                    .map(|placed| format!("DaemonSet {}", placed.found.workload.name))
            ),
            count(not_selected.len(), "Ready node")
        ))
    }

    fn left_out(self, workloads: &[Placed<'_>], nodes: &[&Node], rolling: bool) -> Outcome {
        // Where a taint keeps its pods off one of them, that one is told: no waiting and no room mends it.
        let kept = nodes.iter().filter_map(|node| {
            let by = |placed: &Placed<'_>| placed.kept_away_by(node);
            let taints: Option<Vec<String>> = workloads.iter().map(by).collect();
            Some((*node, taints?.into_iter().next()?))
        });
        let kept: Vec<(&Node, String)> = kept.collect();
        let observed = format!(
            "{} without a pod of {}: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        );
        let workload = workloads.first().map(|placed| &placed.found.workload);
        let (outcome, advice) = match kept.first() {
            None => {
                let outcome = if rolling {
                    Outcome::warn(observed)
                } else {
                    Outcome::fail(observed)
                };
                (outcome, self.look_at_pods(workload, nodes))
            }
            Some((node, taint)) => {
                let taints = ["get", "node", &node.name, "--output", "jsonpath={.spec.taints}"];
                let advice = self.upgrade(
                    workload.map(|workload| workload.namespace.as_str()),
                    "tolerate every taint: the contract's values do (`tolerations`)",
                );
                let advice = advice.first(self.subject.kubectl(taints));
                let kept_away = format!("{observed}; taint {taint} of {} keeps its pods away", node.name);
                (Outcome::fail(kept_away).lasting(), advice)
            }
        };
        outcome
            .expected("a pod of it on every node that it selects, whatever its taints")
            .objects(workloads.iter().map(|placed| workload_object(&placed.found.workload)))
            .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)))
            .fix(advice)
    }

    fn down(self, workloads: &[Placed<'_>], nodes: &[&Node]) -> Outcome {
        let observed = format!(
            "{} on which {} is not ready: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        );
        let outcome = Outcome::fail(observed)
            .expected("a ready pod of it on every node")
            .objects(workloads.iter().map(|placed| workload_object(&placed.found.workload)))
            .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)));
        match workloads.first() {
            Some(placed) => outcome.fix(look_at(self.subject, &placed.found.workload)),
            None => outcome,
        }
    }

    fn not_known(self, workloads: &[Placed<'_>], nodes: &[&Node]) -> Outcome {
        Outcome::undetermined(format!(
            "{} without a pod of {}, and whether it selects them is not known: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        ))
        .expected("what it selects nodes by, and their labels")
        .objects(workloads.iter().map(|placed| workload_object(&placed.found.workload)))
        .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)))
    }

    fn look_at_pods(self, workload: Option<&Workload>, nodes: &[&Node]) -> Advice {
        let namespace = workload.map(|workload| workload.namespace.as_str()).unwrap_or_default();
        let selector = workload
            .and_then(Workload::pod_selector)
            .unwrap_or(&self.terms.selector);
        let pods = ["--namespace", namespace, "get", "pods", "--selector", selector];
        let pods = self.subject.kubectl(pods.into_iter().chain(["--output", "wide"]));
        let summary = "see which pod waits, and whether the node has room";
        fix(summary, [pods, self.subject.describe_node(first(nodes))])
    }
}

// === impl Placed ===

impl Placed<'_> {
    fn selects(self, node: &Node) -> Option<bool> {
        let own = self
            .found
            .workload
            .placement
            .as_ref()
            .map(|placement| placement.selects(node));
        let asked = self.asked.map(|placement| placement.selects(node));
        match (own.flatten(), asked) {
            (Some(false), _) | (_, Some(Some(false))) => Some(false),
            (Some(true), None | Some(Some(true))) => Some(true),
            _ => None,
        }
    }

    /// The taint that keeps its pods off a node, as kubectl writes it.
    fn kept_away_by(self, node: &Node) -> Option<String> {
        let taint = self.found.workload.placement.as_ref()?.kept_away_by(node)?;
        let value = if taint.value.is_empty() {
            String::new()
        } else {
            format!("={}", taint.value)
        };
        Some(format!("{}{value}:{}", taint.key, taint.effect))
    }
}

/// The name of the first node.
fn first<'a>(nodes: &[&'a Node]) -> &'a str {
    nodes.first().map(|node| node.name.as_str()).unwrap_or_default()
}

/// Those of the nodes that are not among these.
fn without<'a>(nodes: &[&'a Node], names: &HashSet<&str>) -> Vec<&'a Node> {
    let nodes = nodes.iter().copied();
    nodes.filter(|node| !names.contains(node.name.as_str())).collect()
}

/// Whether one of them selects a node; `None` where that is not known.
fn selects(workloads: &[Placed<'_>], node: &Node) -> Option<bool> {
    let mut any = Some(false);
    for placed in workloads {
        match placed.selects(node) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => any = None,
        }
    }
    any
}

// === impl ReadyNodes ===

impl<'a> ReadyNodes<'a> {
    /// At least one. What runs on none of them is nowhere to be judged.
    pub(in crate::evaluate) fn of(subject: Subject<'a>) -> Result<Self, Box<Outcome>> {
        let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
        let now = now(subject, Source::Nodes)?;
        let grace = subject.contract.cluster.node_ready_grace;
        let ready = nodes.iter().filter(|node| node.is_ready());
        let (real, pretended): (Vec<&Node>, Vec<&Node>) = ready.partition(|node| node.is_ready_and_real());
        let (settled, others): (Vec<&Node>, Vec<&Node>) =
            real.into_iter().partition(|node| node.is_settled(now, grace));
        let (leaving, young): (Vec<&Node>, Vec<&Node>) = others.into_iter().partition(|node| node.is_leaving());
        let ready = Self {
            settled,
            leaving,
            young,
            pretended,
        };
        if ready.is_empty() {
            return Outcome::undetermined("no node is Ready").early();
        }
        Ok(ready)
    }

    fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.leaving.is_empty() && self.young.is_empty()
    }

    /// Takes those out of which that holds.
    fn take(&mut self, is_one: impl Fn(&Node) -> bool) -> Vec<&'a Node> {
        let mut taken = Vec::new();
        for nodes in [&mut self.settled, &mut self.leaving, &mut self.young] {
            nodes.retain(|node| {
                let is_one = is_one(node);
                if is_one {
                    taken.push(*node);
                }
                !is_one
            });
        }
        taken
    }

    /// How many of them are among these.
    fn with(&self, names: &HashSet<&str>) -> usize {
        let nodes = self.settled.iter().chain(&self.leaving).chain(&self.young);
        nodes.filter(|node| names.contains(node.name.as_str())).count()
    }
}
