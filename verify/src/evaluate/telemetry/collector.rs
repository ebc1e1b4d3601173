//! What step 4's collectors have in common: where they stand, whether they run on every node, which version they are.

use crate::contract::{TelemetryTerms, VersionRequirement, parse_version};
use crate::evaluate::fix::{count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Observed, TelemetryComponent, TelemetryWorkload, WorkloadKind};
use crate::report::{Fix, ObjectReference};

/// A collector, and what the contract says of it.
#[derive(Clone, Copy)]
pub(in crate::evaluate) struct Collector<'a> {
    pub(in crate::evaluate) subject: Subject<'a>,
    pub(in crate::evaluate) component: &'a TelemetryComponent,
    pub(in crate::evaluate) terms: &'a TelemetryTerms,
    /// What it is called in sentences.
    pub(in crate::evaluate) name: &'static str,
    /// What it is installed as.
    pub(in crate::evaluate) kinds: &'static str,
}

impl<'a> Collector<'a> {
    /// Its workloads in accepted namespaces. That there is none is told by [`Collector::stands`]; to every other check it
    /// is no subject.
    pub(in crate::evaluate) fn workloads(self) -> Result<Vec<&'a TelemetryWorkload>, Box<Outcome>> {
        let none = || Outcome::not_applicable(format!("{} has no workload", self.name));
        let workloads = self.component.workloads.or_else(none)?;
        if workloads.is_empty() {
            return none().early();
        }
        Ok(workloads.iter().collect())
    }

    /// Judges where it stands: in the contract's own namespace it passes, in another accepted one it is a warning, and so
    /// are two of it. `stands` tells its workloads from its operator's.
    pub(in crate::evaluate) fn stands(self, stands: impl Fn(&TelemetryWorkload) -> bool) -> Judge {
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
    pub(in crate::evaluate) fn complete(
        self,
        workloads: &[&TelemetryWorkload],
        all_needed: impl Fn(&TelemetryWorkload) -> bool,
    ) -> Outcome {
        if let Some(empty) = workloads.iter().find(|workload| workload.desired == 0) {
            return self.scaled_to_zero(empty);
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
            return outcome
                .expected("every pod ready, of the newest revision")
                .objects(incomplete.iter().map(|workload| workload_object(workload)))
                .fix(self.look_at(worst));
        }
        if let Some(contradicted) = contradicted(workloads) {
            return contradicted;
        }
        let pods: u32 = workloads.iter().map(|workload| workload.ready).sum();
        Outcome::pass(count(pods as usize, "pod"))
    }

    /// Judges the versions against what is accepted.
    pub(in crate::evaluate) fn version(self, workloads: &[&TelemetryWorkload]) -> Outcome {
        let mut seen = Vec::new();
        for workload in workloads {
            let operator = self.terms.operator.as_ref().filter(|_| workload.operator);
            let accepted: &VersionRequirement = operator.map_or(&self.terms.versions, |operator| &operator.versions);
            let program = operator.map_or(self.name, |_| "the operator");
            let Some(version) = workload.version.as_deref().and_then(parse_version) else {
                return Outcome::undetermined(format!("image {} tells no version", workload.image))
                    .expected("an image tag or a label app.kubernetes.io/version that is a version")
                    .objects([workload_object(workload)])
                    .lasting();
            };
            if !accepted.accepts(&version) {
                return Outcome::fail(format!("{program} {version} is not accepted"))
                    .expected(format!("a version {accepted}"))
                    .objects([workload_object(workload)])
                    .fix(self.upgrade(Some(&workload.namespace), "install the version that the contract pins"))
                    .lasting();
            }
            seen.push(version.to_string());
        }
        seen.dedup();
        Outcome::pass(seen.join(", "))
    }

    /// Installs its release as the contract says.
    pub(in crate::evaluate) fn upgrade(self, namespace: Option<&str>, summary: &str) -> Fix {
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

    /// See why a pod of it is not ready.
    pub(in crate::evaluate) fn look_at(self, workload: &TelemetryWorkload) -> Fix {
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

/// The configuration that was read of a collector's workloads. Where there is no workload, there is no subject; that one's
/// configuration does not exist is told by [`configured`].
pub(in crate::evaluate) fn settings<'a, T>(
    collector: Collector<'a>,
    settings: &'a Observed<Vec<T>>,
) -> Result<&'a Vec<T>, Box<Outcome>> {
    collector.workloads()?;
    settings.or_else(|| Outcome::not_applicable(format!("{} has no configuration", collector.name)))
}

/// [`settings`], for the check that tells where a ConfigMap does not exist.
pub(in crate::evaluate) fn configured<'a, T>(
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
pub(in crate::evaluate) fn in_clear(collector: Collector<'_>, place: ObjectReference, found: &[String]) -> Outcome {
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
pub(in crate::evaluate) fn workload_object(workload: &TelemetryWorkload) -> ObjectReference {
    object(&workload.kind.to_string(), &workload.namespace, &workload.name)
}

/// A workload that calls pods ready of which the list of pods has none.
pub(in crate::evaluate) fn contradicted(workloads: &[&TelemetryWorkload]) -> Option<Outcome> {
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

pub(in crate::evaluate) fn is_complete(workload: &TelemetryWorkload) -> bool {
    workload.ready >= workload.desired && workload.updated >= workload.desired && workload.observed
}

/// How far an incomplete workload is.
pub(in crate::evaluate) fn progress(workload: &TelemetryWorkload) -> String {
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
