//! What the three collectors' metrics pages have in common: whether they answer, whether what comes in is delivered, and
//! what was lost.

use crate::evaluate::age::{is_older, now};
use crate::evaluate::fix::{fix, object};
use crate::evaluate::outcome::Outcome;
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Metrics, MetricsPage, Observed, TelemetryPod};
use crate::flow::{Program, Samples, alloy, fluent_bit, vmagent};
use crate::report::{Fix, ObjectReference, Verdict};
use jiff::{SignedDuration, Timestamp};

mod checks;
mod delivery;

pub(in crate::evaluate) use self::checks::{answers, delivers, nothing_dropped};
use self::delivery::Age;
pub(in crate::evaluate) use self::delivery::{Delivery, Readings};

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

    /// How long its process runs.
    pub(in crate::evaluate) fn uptime(self, metrics: &Metrics) -> Option<SignedDuration> {
        let samples = Samples::of(metrics);
        let seconds = match self.program {
            Program::FluentBit => samples.value(fluent_bit::UPTIME)?,
            Program::Vmagent => samples.value(vmagent::UPTIME)?,
            Program::Alloy => {
                let started = Timestamp::from_second(whole(samples.value(alloy::STARTED)?)?).ok()?;
                return Some(SignedDuration::from_secs(self.now.duration_since(started).as_secs()));
            }
        };
        Some(SignedDuration::from_secs(whole(seconds)?))
    }

    fn age(self, metrics: &Metrics) -> Age {
        Age {
            uptime: self.uptime(metrics),
            start: self.subject.contract.thresholds.flow_start,
        }
    }

    /// Whether it may have delivered nothing yet.
    pub(in crate::evaluate) fn is_young(self, metrics: &Metrics) -> bool {
        self.age(metrics).is_young()
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
    pub(in crate::evaluate) fn look(self, page: &MetricsPage, summary: &str) -> Fix {
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

    /// What two readings say of each of a page's queues; `Err` is why that cannot be told.
    pub(in crate::evaluate) fn readings(
        self,
        page: &'a MetricsPage,
        metrics: &Metrics,
    ) -> Result<Vec<Readings>, Delivery<'a>> {
        let lacks = |name: &str| Delivery::Unclear(format!("{} does not show {name}", self.name(page)));
        let firsts = (self.program.queues(metrics)).map_err(|missing| lacks(missing.0))?;
        let again = match (&page.again, self.program.leaves_a_question(metrics)) {
            (None, false) => None,
            (None, true) => {
                return Err(Delivery::Unclear(format!("{} was not read again", self.name(page))));
            }
            (Some(Observed::Unknown(unknown)), _) => return Err(Delivery::Unseen(unknown)),
            (Some(Observed::Absent), _) => {
                return Err(Delivery::Unclear(format!("{} went while it was read", self.name(page))));
            }
            (Some(Observed::Seen(again)), _) => Some(again),
        };
        let Some(again) = again else {
            return Ok((firsts.into_iter())
                .map(|first| Readings { first, again: None })
                .collect());
        };
        let restarted = Delivery::Unclear(format!("{} started anew while it was read", self.name(page)));
        let mut agains = (self.program.queues(again)).map_err(|missing| lacks(missing.0))?;
        let mut readings = Vec::new();
        for first in firsts {
            let Some(position) = agains.iter().position(|again| again.name == first.name) else {
                return Err(restarted);
            };
            let again = Some(agains.swap_remove(position));
            readings.push(Readings { first, again });
        }
        if self.restarted(metrics, again) {
            return Err(restarted);
        }
        Ok(readings)
    }

    /// Whether the process of a page is another than that of the page before.
    fn restarted(self, before: &Metrics, after: &Metrics) -> bool {
        match (self.uptime(before), self.uptime(after)) {
            (Some(before), Some(after)) => after < before,
            _ => false,
        }
    }

    /// How one pod does: as the worst of its queues.
    fn delivery(self, page: &'a MetricsPage, metrics: &'a Metrics) -> Delivery<'a> {
        let readings = match self.readings(page, metrics) {
            Ok(readings) => readings,
            Err(other) => return other,
        };
        let window_ms = match &page.again {
            Some(Observed::Seen(again)) => again.read_ms.saturating_sub(metrics.read_ms),
            _ => 0,
        };
        let window = SignedDuration::from_secs(i64::try_from(window_ms / 1_000).unwrap_or(i64::MAX));
        let (mut delivers, mut unclear) = (false, None);
        for readings in &readings {
            match readings.delivery(&self.name(page), self.age(metrics), window) {
                Delivery::Delivers => delivers = true,
                Delivery::Idle => {}
                Delivery::Unclear(why) => unclear = unclear.or(Some(why)),
                other => return other,
            }
        }
        match unclear {
            Some(why) => Delivery::Unclear(why),
            None if delivers => Delivery::Delivers,
            None if self.is_young(metrics) => Delivery::Young,
            None => Delivery::Idle,
        }
    }
}

pub(in crate::evaluate) fn pod_object(page: &MetricsPage) -> ObjectReference {
    object("Pod", &page.namespace, &page.pod)
}

/// A counter as it is written.
pub(in crate::evaluate) fn number(value: f64) -> String {
    format!("{value:.0}")
}

/// The whole part of a value that can have one; an infinite one and `NaN` are not below the bound.
fn whole(value: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bounds are those of seconds that a clock can tell"
    )]
    (value.abs() < 1e12).then_some(value as i64)
}

#[cfg(test)]
mod tests;
