//! Whether what has to run on every node does: on tainted ones too.

use super::collector::{Collector, contradicted};
use crate::evaluate::age::now;
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::{COMPLETE, Standing, look_at, workload_object};
use crate::evidence::{Node, Source, TelemetryWorkload};
use std::collections::HashSet;

/// The Ready nodes.
pub(in crate::evaluate) struct ReadyNodes<'a> {
    /// Those that are old enough to have a pod of what runs on every node.
    settled: Vec<&'a Node>,
    young: Vec<&'a Node>,
}

// === impl Collector ===

impl Collector<'_> {
    /// Judges that a DaemonSet has a ready pod on every Ready node: not only on those that it wants one on, for that
    /// leaves out every node whose taints its pods do not tolerate.
    pub(in crate::evaluate) fn on_every_node(self, workloads: &[&TelemetryWorkload]) -> Judge {
        let nodes = ReadyNodes::of(self.subject)?;
        if let Some(contradicted) = contradicted(workloads) {
            return Ok(contradicted);
        }
        let with = |counts: fn(&bool) -> bool| -> HashSet<&str> {
            let pods = workloads.iter().flat_map(|found| &found.pods);
            pods.filter(|pod| counts(&pod.ready))
                .filter_map(|pod| pod.node.as_deref())
                .collect()
        };
        let (any, ready) = (with(|_| true), with(|ready| *ready));
        let standing = || workloads.iter().map(|found| Standing::by_ready(&found.workload));
        let rolling = standing().any(Standing::is_being_updated);
        let wanted: u32 = workloads.iter().map(|found| found.workload.desired).sum();
        let left_out = nodes.settled_without(&any);
        if !left_out.is_empty() {
            // Its controller counts as many as there are: one of them is between its old pod and its new one, or the pod
            // finds no room.
            let is_wanted = wanted as usize >= nodes.count();
            return Ok(self.left_out(workloads, &left_out, is_wanted, rolling));
        }
        let down = nodes.settled_without(&ready);
        if !down.is_empty() && !rolling {
            return Ok(self.down(workloads, &down));
        }
        let covered = nodes.with(&ready);
        if covered == 0 {
            return Ok(Outcome::undetermined(format!(
                "{} is ready on no node, and no Ready node is older than {:#} yet",
                self.name, self.subject.contract.cluster.node_ready_grace
            ))
            .expected("a node that is old enough to have a pod of it"));
        }
        if let Some(rolling) = standing().find(|standing| !standing.is_complete()) {
            return Ok(Outcome::warn(rolling.progress())
                .expected(COMPLETE)
                .objects([workload_object(rolling.workload)])
                .fix(look_at(self.subject, rolling.workload, None)));
        }
        Ok(Outcome::pass(count(covered, "node")))
    }

    fn left_out(self, workloads: &[&TelemetryWorkload], nodes: &[&Node], is_wanted: bool, rolling: bool) -> Outcome {
        let observed = format!(
            "{} without a pod of {}: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        );
        let namespace = workloads.first().map(|found| found.workload.namespace.as_str());
        let first = nodes.first().map(|node| node.name.as_str()).unwrap_or_default();
        let (outcome, advice) = if is_wanted {
            let outcome = if rolling {
                Outcome::warn(observed)
            } else {
                Outcome::fail(observed)
            };
            let pods = [
                "--namespace",
                namespace.unwrap_or_default(),
                "get",
                "pods",
                "--selector",
                &self.terms.selector,
                "--output",
                "wide",
            ];
            let node = self.subject.kubectl(["describe", "node", first]);
            let advice = fix(
                "see which pod waits, and whether the node has room",
                [self.subject.kubectl(pods), node],
            );
            (outcome, advice)
        } else {
            let taints = ["get", "node", first, "--output", "jsonpath={.spec.taints}"];
            let mut advice = self.upgrade(
                namespace,
                "tolerate every taint: the contract's values do (`tolerations`)",
            );
            advice.commands.insert(0, self.subject.kubectl(taints));
            (Outcome::fail(observed).lasting(), advice)
        };
        outcome
            .expected("a pod of it on every node, whatever its taints")
            .objects(workloads.iter().map(|found| workload_object(&found.workload)))
            .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)))
            .fix(advice)
    }

    fn down(self, workloads: &[&TelemetryWorkload], nodes: &[&Node]) -> Outcome {
        let observed = format!(
            "{} on which {} is not ready: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        );
        let outcome = Outcome::fail(observed)
            .expected("a ready pod of it on every node")
            .objects(workloads.iter().map(|found| workload_object(&found.workload)))
            .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)));
        match workloads.first() {
            Some(found) => outcome.fix(look_at(self.subject, &found.workload, None)),
            None => outcome,
        }
    }
}

// === impl ReadyNodes ===

impl<'a> ReadyNodes<'a> {
    /// At least one. What runs on none of them is nowhere to be judged.
    pub(in crate::evaluate) fn of(subject: Subject<'a>) -> Result<Self, Box<Outcome>> {
        let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
        let now = now(subject, Source::Nodes)?;
        let grace = subject.contract.cluster.node_ready_grace;
        let is_settled = |node: &&Node| node.is_older(now, grace);
        let (settled, young): (Vec<&Node>, Vec<&Node>) =
            nodes.iter().filter(|node| node.is_ready()).partition(is_settled);
        if settled.is_empty() && young.is_empty() {
            return Outcome::undetermined("no node is Ready").early();
        }
        Ok(Self { settled, young })
    }

    fn count(&self) -> usize {
        self.settled.len() + self.young.len()
    }

    /// How many of them are among these.
    fn with(&self, names: &HashSet<&str>) -> usize {
        let nodes = self.settled.iter().chain(&self.young);
        nodes.filter(|node| names.contains(node.name.as_str())).count()
    }

    /// Those that should have had a pod by now and are not among these.
    fn settled_without(&self, names: &HashSet<&str>) -> Vec<&'a Node> {
        let nodes = self.settled.iter().copied();
        nodes.filter(|node| !names.contains(node.name.as_str())).collect()
    }
}
