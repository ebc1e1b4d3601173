//! What the three collectors' metrics pages have in common: whether they answer, whether what comes in is delivered, and
//! what was lost.

use crate::contract::Thresholds;
use crate::evaluate::age::{is_older, now};
use crate::evaluate::fix::{Advice, fix, object};
use crate::evaluate::outcome::Outcome;
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Metrics, MetricsPage, Observed, TelemetryPod};
use crate::flow::{self, Program, Standing};
use crate::report::{ObjectReference, Verdict};
use jiff::{SignedDuration, Timestamp};

mod checks;
mod delivery;
mod losses;
mod readings;

pub(in crate::evaluate) use self::checks::{answers, delivers};
pub(in crate::evaluate) use self::delivery::{Delivery, Readings};
pub(in crate::evaluate) use self::losses::nothing_dropped;

/// A collector and its pages.
#[derive(Clone, Copy)]
pub(in crate::evaluate) struct Flow<'a> {
    pub(in crate::evaluate) subject: Subject<'a>,
    pub(in crate::evaluate) program: Program,
    pub(in crate::evaluate) pages: &'a [MetricsPage],
    /// The API server's clock when the pages had been read.
    pub(in crate::evaluate) now: Timestamp,
}

// === impl Flow ===

impl<'a> Flow<'a> {
    /// Of a program that has pods to ask.
    pub(in crate::evaluate) fn of(subject: Subject<'a>, program: Program) -> Result<Self, Box<Outcome>> {
        let nothing = || Outcome::undetermined(format!("{} has no pod that could be asked", program.name()));
        let pages = program
            .component(&subject.evidence.telemetry)
            .metrics
            .or_else(nothing)?;
        if pages.is_empty() {
            return nothing().early();
        }
        let now = now(subject, program.source())?;
        Ok(Self {
            subject,
            program,
            pages,
            now,
        })
    }

    /// The pages that were seen, with what they say.
    pub(in crate::evaluate) fn seen(self) -> impl Iterator<Item = (&'a MetricsPage, &'a Metrics)> {
        self.pages.iter().filter_map(|page| match &page.first {
            Observed::Seen(metrics) => Some((page, metrics)),
            Observed::Absent | Observed::Unknown(_) => None,
        })
    }

    /// The pages that were seen, with what they say last: of what is as it is, whatever it was before.
    pub(in crate::evaluate) fn latest(self) -> impl Iterator<Item = (&'a MetricsPage, &'a Metrics)> {
        self.pages.iter().filter_map(|page| Some((page, page.latest()?)))
    }

    /// How long its process runs.
    pub(in crate::evaluate) fn uptime(self, metrics: &Metrics) -> Option<SignedDuration> {
        flow::uptime(self.program, metrics, self.read(metrics))
    }

    /// The API server's clock when a page was read.
    fn read(self, metrics: &Metrics) -> Option<Timestamp> {
        self.subject.evidence.at(metrics.read_ms)
    }

    fn thresholds(self) -> &'a Thresholds {
        &self.subject.contract.thresholds
    }

    /// What two readings say of a page's life.
    fn standing(self, page: &MetricsPage, metrics: &Metrics) -> Standing {
        let again = match &page.again {
            Some(Observed::Seen(again)) => Some(again),
            Some(Observed::Absent | Observed::Unknown(_)) | None => None,
        };
        let agrees = self.agrees(page, metrics);
        flow::standing(self.program, metrics, again, agrees, self.thresholds())
    }

    fn agrees(self, page: &MetricsPage, metrics: &Metrics) -> bool {
        let started = self.pod(page).and_then(|pod| pod.started);
        flow::agrees(self.program, metrics, started, self.read(metrics), self.thresholds())
    }

    /// Whether its numbers are those of some moment in the past.
    pub(in crate::evaluate) fn stands_still(self, page: &MetricsPage, metrics: &Metrics) -> bool {
        self.standing(page, metrics) == Standing::Still
    }

    /// Whether it may have delivered nothing yet.
    pub(in crate::evaluate) fn is_young(self, metrics: &Metrics) -> bool {
        let start = self.thresholds().flow_start;
        self.uptime(metrics).is_some_and(|uptime| uptime < start)
    }

    /// The pod behind a page, as its workload has it.
    fn pod(self, page: &MetricsPage) -> Option<&'a TelemetryPod> {
        let Observed::Seen(workloads) = &self.program.component(&self.subject.evidence.telemetry).workloads else {
            return None;
        };
        (workloads.iter())
            .filter(|found| found.workload.namespace == page.namespace)
            .flat_map(|found| &found.pods)
            .find(|pod| pod.name == page.pod)
    }

    fn was_just_created(self, page: &MetricsPage) -> bool {
        let start = self.subject.contract.thresholds.flow_start;
        self.pod(page)
            .is_some_and(|pod| !is_older(pod.created, self.now, start))
    }

    /// How bad it is that so many of the pods are in trouble. Fluent Bit has one on each node; of the others each one
    /// carries what no other does.
    fn judge(self, bad: usize) -> Verdict {
        match self.program {
            Program::FluentBit => share::judge(
                bad,
                self.pages.len(),
                self.subject.contract.thresholds.flow_pods_failing,
            ),
            _ if bad == 0 => Verdict::Pass,
            _ => Verdict::Fail,
        }
    }

    /// `pod telemetry/vmagent-0`, with its node.
    pub(in crate::evaluate) fn name(self, page: &MetricsPage) -> String {
        match (&page.node, self.program) {
            (Some(node), Program::FluentBit) => format!("{} on {node}", page.pod),
            _ => page.pod.clone(),
        }
    }

    /// What to look at.
    pub(in crate::evaluate) fn look(self, page: &MetricsPage, summary: &str) -> Advice {
        let terms = self.program.terms(self.subject.contract);
        let pod = format!("pod/{}", page.pod);
        let proxy = format!(
            "/api/v1/namespaces/{}/pods/{}:{}/proxy{}",
            page.namespace, page.pod, terms.port, terms.path
        );
        fix(
            summary,
            [
                self.subject.kubectl([
                    "--namespace",
                    &page.namespace,
                    "logs",
                    &pod,
                    "--container",
                    &terms.container,
                    "--tail",
                    "50",
                ]),
                self.subject.kubectl(["get", "--raw", &proxy]),
            ],
        )
    }

    fn told(verdict: Verdict, observed: String, pages: &[&MetricsPage]) -> Outcome {
        let outcome = match verdict {
            Verdict::Warn => Outcome::warn(observed),
            _ => Outcome::fail(observed),
        };
        outcome.objects(pages.iter().map(|page| pod_object(page)))
    }
}

pub(in crate::evaluate) fn pod_object(page: &MetricsPage) -> ObjectReference {
    object("Pod", &page.namespace, &page.pod)
}

/// A counter as it is written.
pub(in crate::evaluate) fn number(value: f64) -> String {
    format!("{value:.0}")
}

#[cfg(test)]
mod tests;
