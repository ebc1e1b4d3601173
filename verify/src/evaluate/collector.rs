//! What step 4's collectors have in common: where they stand, whether they run on every node, which version they are.

use super::age::now;
use super::cluster::{is_ready, no_such_api};
use super::fix::{cluster_object, count, fix, names, object};
use super::outcome::{Judge, Outcome};
use super::subject::Subject;
use crate::contract::{TelemetryTerms, VersionRequirement, parse_version};
use crate::evidence::{Node, Observed, Source, TelemetryComponent, TelemetryWorkload, WorkloadKind};
use crate::report::{Fix, ObjectReference};
use std::collections::HashSet;

/// A collector, and what the contract says of it.
#[derive(Clone, Copy)]
pub(super) struct Collector<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) component: &'a TelemetryComponent,
    pub(super) terms: &'a TelemetryTerms,
    /// What it is called in sentences.
    pub(super) name: &'static str,
    /// What it is installed as.
    pub(super) kinds: &'static str,
}

/// The Ready nodes.
pub(super) struct ReadyNodes<'a> {
    /// Those that are old enough to have a pod of what runs on every node.
    settled: Vec<&'a Node>,
    young: Vec<&'a Node>,
}

impl<'a> Collector<'a> {
    /// Its workloads in accepted namespaces. That there is none is told by [`Collector::stands`]; to every other check it
    /// is no subject.
    pub(super) fn workloads(self) -> Result<Vec<&'a TelemetryWorkload>, Box<Outcome>> {
        let none = || Outcome::not_applicable(format!("{} has no workload", self.name));
        let workloads = self.component.workloads.or_else(none)?;
        if workloads.is_empty() {
            return none().early();
        }
        Ok(workloads.iter().collect())
    }

    /// Judges where it stands: in the contract's own namespace it passes, in another accepted one it is a warning, and so
    /// are two of it. `stands` tells its workloads from its operator's.
    pub(super) fn stands(self, stands: impl Fn(&TelemetryWorkload) -> bool) -> Judge {
        let workloads = self.component.workloads.or_else(|| self.absent())?;
        let standing: Vec<&TelemetryWorkload> = workloads.iter().filter(|workload| stands(workload)).collect();
        let Some(first) = standing.first() else {
            return Ok(self.absent());
        };
        let own = self.terms.namespaces.first().map(String::as_str).unwrap_or_default();
        let at = |workload: &&TelemetryWorkload| format!("{}/{}", workload.namespace, workload.name);
        if standing.len() > 1 {
            return Ok(Outcome::warn(format!(
                "{} stands more than once: {}",
                self.name,
                names(standing.iter().map(at))
            ))
            .expected("one of it: two read and send everything twice")
            .objects(standing.iter().map(|workload| workload_object(workload)))
            .lasting());
        }
        if first.namespace != own {
            return Ok(
                Outcome::warn(format!("{} stands in namespace {}", self.name, first.namespace))
                    .expected(format!("namespace {own}: names, roles and Secrets are written for it"))
                    .objects([workload_object(first)])
                    .lasting(),
            );
        }
        Ok(Outcome::pass(at(first)))
    }

    /// Judges that every workload is complete. `all_needed`: whether a missing pod means missing data, or only less
    /// redundancy.
    pub(super) fn complete(
        self,
        workloads: &[&TelemetryWorkload],
        all_needed: impl Fn(&TelemetryWorkload) -> bool,
    ) -> Judge {
        if let Some(empty) = workloads.iter().find(|workload| workload.desired == 0) {
            return Ok(self.scaled_to_zero(empty));
        }
        let incomplete: Vec<&TelemetryWorkload> = workloads
            .iter()
            .copied()
            .filter(|workload| !is_complete(workload))
            .collect();
        if let Some(worst) = incomplete.iter().copied().min_by_key(|workload| workload.ready) {
            let breaks = |workload: &&TelemetryWorkload| {
                workload.ready == 0 || (workload.ready < workload.desired && all_needed(workload))
            };
            let observed = progress(worst);
            let outcome = if incomplete.iter().any(breaks) {
                Outcome::fail(observed)
            } else {
                Outcome::warn(observed)
            };
            return Ok(outcome
                .expected("every pod ready, of the newest revision")
                .objects(incomplete.iter().map(|workload| workload_object(workload)))
                .fix(self.look_at(worst)));
        }
        if let Some(contradicted) = contradicted(workloads) {
            return Ok(contradicted);
        }
        let pods: u32 = workloads.iter().map(|workload| workload.ready).sum();
        Ok(Outcome::pass(count(pods as usize, "pod")))
    }

    /// Judges that a DaemonSet has a ready pod on every Ready node: not only on those that it wants one on, for that
    /// leaves out every node whose taints its pods do not tolerate.
    pub(super) fn on_every_node(self, workloads: &[&TelemetryWorkload]) -> Judge {
        let nodes = ReadyNodes::of(self.subject)?;
        if let Some(contradicted) = contradicted(workloads) {
            return Ok(contradicted);
        }
        let with = |counts: fn(&bool) -> bool| -> HashSet<&str> {
            let pods = workloads.iter().flat_map(|workload| &workload.pods);
            pods.filter(|pod| counts(&pod.ready))
                .filter_map(|pod| pod.node.as_deref())
                .collect()
        };
        let (any, ready) = (with(|_| true), with(|ready| *ready));
        let rolling = (workloads.iter()).any(|workload| workload.updated < workload.desired || !workload.observed);
        let wanted: u32 = workloads.iter().map(|workload| workload.desired).sum();
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
        if let Some(rolling) = workloads.iter().find(|workload| !is_complete(workload)) {
            return Ok(Outcome::warn(progress(rolling))
                .expected("every pod ready, of the newest revision")
                .objects([workload_object(rolling)])
                .fix(self.look_at(rolling)));
        }
        Ok(Outcome::pass(count(covered, "node")))
    }

    /// Judges the versions against what is accepted.
    pub(super) fn version(self, workloads: &[&TelemetryWorkload]) -> Judge {
        let mut seen = Vec::new();
        for workload in workloads {
            let operator = self.terms.operator.as_ref().filter(|_| workload.operator);
            let accepted: &VersionRequirement = operator.map_or(&self.terms.versions, |operator| &operator.versions);
            let program = operator.map_or(self.name, |_| "the operator");
            let Some(version) = workload.version.as_deref().and_then(parse_version) else {
                return Ok(
                    Outcome::undetermined(format!("image {} tells no version", workload.image))
                        .expected("an image tag or a label app.kubernetes.io/version that is a version")
                        .objects([workload_object(workload)])
                        .lasting(),
                );
            };
            if !accepted.accepts(&version) {
                return Ok(Outcome::fail(format!("{program} {version} is not accepted"))
                    .expected(format!("a version {accepted}"))
                    .objects([workload_object(workload)])
                    .fix(self.upgrade(Some(&workload.namespace), "install the version that the contract pins"))
                    .lasting());
            }
            seen.push(version.to_string());
        }
        seen.dedup();
        Ok(Outcome::pass(seen.join(", ")))
    }

    /// Installs its release as the contract says.
    pub(super) fn upgrade(self, namespace: Option<&str>, summary: &str) -> Fix {
        self.subject.upgrade(&self.terms.release, namespace, summary)
    }

    fn absent(self) -> Outcome {
        let elsewhere = &self.component.elsewhere;
        let observed = if elsewhere.is_empty() {
            format!("no {} {} in the cluster", self.kinds, self.terms.selector)
        } else {
            format!(
                "{} stands only where the contract does not accept it: {}",
                self.name,
                names(elsewhere)
            )
        };
        Outcome::fail(observed)
            .expected(format!(
                "{} in namespace {}",
                self.name,
                self.terms.namespaces.join(" or ")
            ))
            .fix(self.upgrade(None, &format!("install {}", self.name)))
            .lasting()
    }

    fn scaled_to_zero(self, workload: &TelemetryWorkload) -> Outcome {
        let this = workload_object(workload);
        if workload.kind == WorkloadKind::DaemonSet {
            return Outcome::fail(format!("DaemonSet {} wants a pod on no node", workload.name))
                .expected("a pod of it on every node")
                .objects([this])
                .fix(self.upgrade(Some(&workload.namespace), "install with the contract's values"))
                .lasting();
        }
        let target = target(workload);
        let scale = ["--namespace", &workload.namespace, "scale", &target, "--replicas", "1"];
        let wait = ["--namespace", &workload.namespace, "rollout", "status", &target];
        Outcome::fail(format!("{} {} is scaled to 0", workload.kind, workload.name))
            .expected("at least one pod")
            .objects([this])
            .fix(fix(
                "scale it up",
                [self.subject.kubectl(scale), self.subject.kubectl(wait)],
            ))
            .lasting()
    }

    fn left_out(self, workloads: &[&TelemetryWorkload], nodes: &[&Node], is_wanted: bool, rolling: bool) -> Outcome {
        let observed = format!(
            "{} without a pod of {}: {}",
            count(nodes.len(), "Ready node"),
            self.name,
            names(nodes.iter().map(|node| &node.name))
        );
        let namespace = workloads.first().map(|workload| workload.namespace.as_str());
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
            .objects(workloads.iter().map(|workload| workload_object(workload)))
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
            .objects(workloads.iter().map(|workload| workload_object(workload)))
            .objects(nodes.iter().map(|node| cluster_object("Node", &node.name)));
        match workloads.first() {
            Some(workload) => outcome.fix(self.look_at(workload)),
            None => outcome,
        }
    }

    /// See why a pod of it is not ready.
    pub(super) fn look_at(self, workload: &TelemetryWorkload) -> Fix {
        let target = target(workload);
        let namespace = workload.namespace.as_str();
        fix(
            "see why a pod is not ready: its events, then its log",
            [
                self.subject.kubectl(["--namespace", namespace, "describe", &target]),
                self.subject
                    .kubectl(["--namespace", namespace, "get", "pods", "--output", "wide"]),
                self.subject
                    .kubectl(["--namespace", namespace, "logs", &target, "--tail", "50"]),
            ],
        )
    }
}

// === impl ReadyNodes ===

impl<'a> ReadyNodes<'a> {
    /// At least one. What runs on none of them is nowhere to be judged.
    pub(super) fn of(subject: Subject<'a>) -> Result<Self, Box<Outcome>> {
        let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
        let now = now(subject, Source::Nodes)?;
        let grace = subject.contract.cluster.node_ready_grace;
        let is_settled = |node: &&Node| node.created.is_none_or(|created| now.duration_since(created) > grace);
        let (settled, young): (Vec<&Node>, Vec<&Node>) =
            nodes.iter().filter(|node| is_ready(node)).partition(is_settled);
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

/// The configuration that was read of a collector's workloads. Where there is no workload, there is no subject; that one's
/// configuration does not exist is told by [`configured`].
pub(super) fn settings<'a, T>(
    collector: Collector<'a>,
    settings: &'a Observed<Vec<T>>,
) -> Result<&'a Vec<T>, Box<Outcome>> {
    collector.workloads()?;
    settings.or_else(|| Outcome::not_applicable(format!("{} has no configuration", collector.name)))
}

/// [`settings`], for the check that tells where a ConfigMap does not exist.
pub(super) fn configured<'a, T>(
    collector: Collector<'a>,
    settings: &'a Observed<Vec<T>>,
) -> Result<&'a Vec<T>, Box<Outcome>> {
    let workloads = collector.workloads()?;
    settings.or_else(|| {
        Outcome::fail(format!(
            "a ConfigMap that {}'s pods are made from does not exist",
            collector.name
        ))
        .expected("the ConfigMaps that the release makes")
        .objects(workloads.iter().map(|workload| workload_object(workload)))
        .fix(collector.upgrade(None, "install with the contract's values"))
    })
}

/// That credentials stand in clear, and where. Never what they are.
pub(super) fn in_clear(collector: Collector<'_>, place: ObjectReference, found: &[String]) -> Outcome {
    Outcome::fail(format!(
        "{} in clear: {}",
        count(found.len(), "credential"),
        names(found)
    ))
    .expected("credentials from Secrets only, named by a variable or a file")
    .objects([place])
    .fix(collector.upgrade(
        None,
        "install with the contract's values, then replace the credential: it was readable",
    ))
    .lasting()
}

/// A workload, as reports name it.
pub(super) fn workload_object(workload: &TelemetryWorkload) -> ObjectReference {
    object(&workload.kind.to_string(), &workload.namespace, &workload.name)
}

/// A workload that calls pods ready of which the list of pods has none.
fn contradicted(workloads: &[&TelemetryWorkload]) -> Option<Outcome> {
    let workload = workloads
        .iter()
        .find(|workload| workload.ready > 0 && workload.pods.is_empty())?;
    Some(Outcome::undetermined(format!(
        "{} {} has {} ready, and the list of pods has none of it",
        workload.kind,
        workload.name,
        count(workload.ready as usize, "pod")
    )))
}

fn is_complete(workload: &TelemetryWorkload) -> bool {
    workload.ready >= workload.desired && workload.updated >= workload.desired && workload.observed
}

/// How far an incomplete workload is.
fn progress(workload: &TelemetryWorkload) -> String {
    let TelemetryWorkload {
        kind,
        name,
        ready,
        updated,
        desired,
        ..
    } = workload;
    let observed = if ready < desired {
        format!("{kind} {name} has {ready} of {desired} pods ready")
    } else {
        format!("{kind} {name} is rolling out: {updated} of {desired} pods are of the newest revision")
    };
    match &workload.trouble {
        Some(trouble) => format!("{observed} ({trouble})"),
        None => observed,
    }
}

fn target(workload: &TelemetryWorkload) -> String {
    format!("{}/{}", workload.kind.to_string().to_lowercase(), workload.name)
}
