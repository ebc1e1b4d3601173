//! What the readings of a pod's page say of the pod.

use super::delivery::{Context, Delivery, Readings, Window};
use super::{Flow, number};
use crate::evaluate::age::{age, words};
use crate::evaluate::fix::{Advice, fix, names};
use crate::evidence::{Metrics, MetricsPage, Observed};
use crate::flow::{self, Doubt, Standing};
use jiff::SignedDuration;

impl<'a> Flow<'a> {
    /// The second reading of a page; `Err` is why what is open cannot be told.
    pub(in crate::evaluate) fn again(
        self,
        page: &'a MetricsPage,
        metrics: &Metrics,
    ) -> Result<Option<&'a Metrics>, Delivery<'a>> {
        let unclear = |what: &str| Err(Delivery::Unclear(format!("{} {what}", self.name(page))));
        match &page.again {
            None if Doubt::of(self.program, metrics, true).flow => unclear("was not read again"),
            None => Ok(None),
            Some(Observed::Unknown(unknown)) => Err(Delivery::Unseen(unknown)),
            Some(Observed::Absent) => unclear("went while it was read"),
            Some(Observed::Seen(again)) if flow::restarted(self.program, metrics, again) => {
                unclear("started anew while it was read")
            }
            Some(Observed::Seen(again)) => Ok(Some(again)),
        }
    }

    /// What two readings say of each of a page's queues; `Err` is why that cannot be told.
    pub(in crate::evaluate) fn readings(
        self,
        page: &'a MetricsPage,
        metrics: &Metrics,
    ) -> Result<Vec<Readings>, Delivery<'a>> {
        let lacks = |name: &str| Delivery::Unclear(format!("{} does not show {name}", self.name(page)));
        let firsts = (self.program.queues(metrics)).map_err(|missing| lacks(missing.0))?;
        let Some(again) = self.again(page, metrics)? else {
            return Ok((firsts.into_iter())
                .map(|first| Readings { first, again: None })
                .collect());
        };
        let mut agains = (self.program.queues(again)).map_err(|missing| lacks(missing.0))?;
        let mut readings = Vec::new();
        for first in firsts {
            let Some(position) = agains.iter().position(|again| again.name == first.name) else {
                let name = self.name(page);
                return Err(Delivery::Unclear(format!(
                    "{name} was configured anew while it was read"
                )));
            };
            let again = Some(agains.swap_remove(position));
            readings.push(Readings { first, again });
        }
        Ok(readings)
    }

    /// What lies between the readings of a page.
    pub(in crate::evaluate) fn window(self, page: &MetricsPage, metrics: &Metrics) -> Window {
        let apart_ms = match &page.again {
            Some(Observed::Seen(again)) => again.read_ms.saturating_sub(metrics.read_ms),
            _ => 0,
        };
        let apart = SignedDuration::from_millis(apart_ms);
        let thresholds = self.thresholds();
        Window {
            apart: SignedDuration::from_secs(apart.as_secs()),
            rhythm: flow::rhythm(self.program, page, thresholds),
            longest: flow::longest(self.program, page, thresholds),
        }
    }

    /// How one pod does: as the worst of its queues.
    pub(super) fn delivery(self, page: &'a MetricsPage, metrics: &'a Metrics) -> Delivery<'a> {
        let name = self.name(page);
        let readings = self.readings(page, metrics);
        match self.standing(page, metrics) {
            Standing::Lives => {}
            Standing::Still => {
                return Delivery::Still(self.still(page, metrics, readings.as_deref().unwrap_or_default()));
            }
            Standing::Untold => {
                return readings.err().unwrap_or_else(|| {
                    let why = match self.pod(page).and_then(|pod| pod.started) {
                        Some(_) => "does not agree with its container's start",
                        None => "has a container of which it is not told since when it runs",
                    };
                    Delivery::Unclear(format!("{name} {why}, and was not read again after a while"))
                });
            }
        }
        let readings = match readings {
            Ok(readings) => readings,
            Err(other) => return other,
        };
        let context = Context {
            program: self.program,
            uptime: self.uptime(metrics),
            window: self.window(page, metrics),
            thresholds: self.thresholds(),
        };
        let one_delivers = readings.iter().any(|readings| readings.last().delivered > 0.0);
        let (mut delivers, mut unclear, mut late) = (false, None, None);
        let mut stuck: Vec<String> = Vec::new();
        for of_queue in &readings {
            let which = match readings.len() {
                1 => name.clone(),
                _ => format!("{name} ({})", of_queue.first.name),
            };
            match of_queue.delivery(&which, context) {
                Delivery::Delivers => delivers = true,
                Delivery::Stuck(_) if one_delivers && of_queue.last().was_given_nothing() => {}
                Delivery::Unclear(why) => unclear = unclear.or(Some(why)),
                Delivery::Late(why) => late = late.or(Some(why)),
                Delivery::Stuck(why) => stuck.push(why),
                _ => {}
            }
        }
        if !stuck.is_empty() {
            return Delivery::Stuck(stuck.join("; "));
        }
        match (unclear, late) {
            (Some(why), _) => Delivery::Unclear(why),
            (None, Some(why)) => Delivery::Late(why),
            (None, None) if delivers => Delivery::Delivers,
            (None, None) if self.is_young(metrics) => Delivery::Young,
            (None, None) => Delivery::Idle,
        }
    }

    /// That a page stands still, and what is known of what waits behind it.
    fn still(self, page: &MetricsPage, metrics: &Metrics, readings: &[Readings]) -> String {
        let uptime = self.uptime(metrics).unwrap_or_default();
        let apart = words(self.window(page, metrics).apart);
        let started = self.pod(page).and_then(|pod| pod.started);
        let runs = started
            .zip(self.read(metrics))
            .map_or_else(String::new, |(started, read)| {
                format!(", and its container runs for {}", age(read, started))
            });
        let delivered: f64 = readings.iter().map(|readings| readings.last().delivered).sum();
        let waits = readings.iter().filter(|readings| readings.last().waiting > 0.0);
        let waits: Vec<&str> = waits.map(|readings| readings.first.name.as_str()).collect();
        let waits = match waits.as_slice() {
            [] => String::new(),
            some => format!("; more than that waits for {}", names(some)),
        };
        format!(
            "{} stands still: its page says the same {} since its start {apart} later{runs}; it has delivered {}{waits}",
            self.name(page),
            words(uptime),
            number(delivered),
        )
    }

    /// Starts it anew.
    pub(in crate::evaluate) fn start_anew(self, page: &MetricsPage) -> Advice {
        let pod = ["--namespace", &page.namespace, "delete", "pod", &page.pod];
        fix(
            "delete the pod: what it has not delivered lies outside of it, and the next one goes on",
            [self.subject.kubectl(pod)],
        )
    }
}
