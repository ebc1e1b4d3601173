//! What step 4's collectors have in common: where they stand, whether they run on every node, which version they are.

use crate::contract::TelemetryTerms;
use crate::evaluate::fix::{Advice, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::restarts;
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::{Standing, Workloads, look_at, workload_object};
use crate::evidence::{Observed, Source, TelemetryComponent, TelemetryWorkload, Workload};
use crate::report::{ObjectReference, Verdict};

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
    /// The source that its workloads are.
    pub(in crate::evaluate) source: Source,
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
        let standing = workloads.iter().filter(|found| stands(found));
        let standing: Vec<&Workload> = standing.map(|found| &found.workload).collect();
        let Some(first) = standing.first() else {
            return Ok(self.absent());
        };
        let own = self.terms.namespaces.first().map(String::as_str).unwrap_or_default();
        let at = |workload: &&Workload| format!("{}/{}", workload.namespace, workload.name);
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

    /// Judges that every workload is complete, and that the list of pods has those that it counts. `all_needed`: whether a
    /// missing pod means missing data, or only less redundancy.
    pub(in crate::evaluate) fn complete(
        self,
        workloads: &[&'a TelemetryWorkload],
        all_needed: impl Fn(&Workload) -> bool,
    ) -> Outcome {
        let of_all: Vec<&Workload> = workloads.iter().map(|found| &found.workload).collect();
        let outcome = self
            .judge()
            .complete(&of_all, all_needed, |workload| look_at(self.subject, workload));
        match contradicted(workloads.iter().copied()) {
            Some(contradicted) if outcome.verdict == Verdict::Pass => contradicted,
            _ => restarts::of_collector(self.subject, self.source, workloads, outcome),
        }
    }

    /// Judges the versions against what is accepted.
    pub(in crate::evaluate) fn version(self, workloads: &[&TelemetryWorkload]) -> Outcome {
        let programs = workloads.iter().map(|found| {
            let operator = self.terms.operator.as_ref().filter(|_| found.operator);
            let accepted = operator.map_or(&self.terms.versions, |operator| &operator.versions);
            (
                &found.workload,
                operator.map_or(self.name, |_| "the operator"),
                accepted,
            )
        });
        self.judge().version(programs, |_| None)
    }

    fn judge(self) -> Workloads<'a> {
        Workloads {
            subject: self.subject,
            release: &self.terms.release,
            source: self.source,
        }
    }

    /// Installs its release as the contract says.
    pub(in crate::evaluate) fn upgrade(self, namespace: Option<&str>, summary: &str) -> Advice {
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
        .objects(workloads.iter().map(|found| workload_object(&found.workload)))
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

/// A workload that calls pods ready of which the list of pods has none.
pub(in crate::evaluate) fn contradicted<'a>(
    mut workloads: impl Iterator<Item = &'a TelemetryWorkload>,
) -> Option<Outcome> {
    workloads.find_map(|found| Standing::by_ready(&found.workload).contradicted(found.pods.len()))
}
