//! What the collectors of step 4 say of themselves on their metrics pages: which samples are kept as evidence, and what
//! they mean. The collection keeps by it and the judgement reads by it, so that the two cannot disagree.

pub(crate) mod alloy;
mod doubt;
pub(crate) mod fluent_bit;
mod interval;
mod life;
mod loss;
mod page;
pub(crate) mod vmagent;

use crate::contract::{Contract, TelemetryTerms};
use crate::evidence::{Metrics, MetricsSample, Source, Telemetry, TelemetryComponent};
use std::collections::BTreeMap;

pub(crate) use self::doubt::{Doubt, has_moved, is_settled, waits_for_its_turn};
pub(crate) use self::interval::{longest, milliseconds, rhythm};
pub(crate) use self::life::{Standing, agrees, restarted, standing, uptime};
pub(crate) use self::loss::{Lost, Weight};
#[cfg(test)]
pub(crate) use self::page::tests as page_tests;
pub(crate) use self::page::{Page, SAMPLE_BOUND};

/// A collector of step 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Fluent Bit: logs.
    FluentBit,
    /// vmagent: metrics.
    Vmagent,
    /// Alloy: the platform's own telemetry.
    Alloy,
}

/// A metric of which samples are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Its name.
    pub(crate) name: &'static str,
    /// The labels that are kept of each sample.
    pub(crate) labels: &'static [&'static str],
    /// Only samples whose label has one of these values.
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
    /// How much what it counts is a loss, where it is one.
    pub(crate) loss: Option<Weight>,
    /// Whether it may not be there, which means what 0 does: then 0 is not kept.
    pub(crate) is_born: bool,
}

/// One way out of a program: an output, a store that it writes to. Counters are those since the program started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Queue {
    /// Which, among those of the program.
    pub(crate) name: String,
    /// What was accepted: records, requests, samples.
    pub(crate) delivered: f64,
    /// What has left the queue, accepted or not, in the program's own unit: it stands still while the store hangs.
    pub(crate) completed: f64,
    /// What the program took in that could be delivered.
    pub(crate) taken_in: f64,
    /// How often something was refused or tried again.
    pub(crate) troubled: f64,
    /// What was given up: lost.
    pub(crate) lost: f64,
    /// What waits now, in the program's own unit.
    pub(crate) waiting: f64,
    /// How many seconds the newest that was sent is behind the newest that was taken in, where the program says so.
    pub(crate) behind: Option<f64>,
    /// How much of the space for what waits is used, as a share, where the program says so.
    pub(crate) filled: Option<f64>,
    /// Whether all is well where nothing comes in for a while and nothing is known to wait: a quiet node, no Events.
    pub(crate) may_be_quiet: bool,
}

/// A page lacks a metric that it always has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lacks(pub(crate) &'static str);

/// Samples of one page, by name.
#[derive(Clone, Copy)]
pub(crate) struct Samples<'a>(&'a [MetricsSample]);

// === impl Program ===

impl Program {
    /// All three, in the contract's order.
    pub(crate) const ALL: [Self; 3] = [Self::FluentBit, Self::Vmagent, Self::Alloy];

    /// What reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FluentBit => "Fluent Bit",
            Self::Vmagent => "vmagent",
            Self::Alloy => "Alloy",
        }
    }

    /// The source that its metrics pages are.
    pub(crate) fn source(self) -> Source {
        match self {
            Self::FluentBit => Source::FluentBitMetrics,
            Self::Vmagent => Source::VmagentMetrics,
            Self::Alloy => Source::AlloyMetrics,
        }
    }

    /// What the contract says of it.
    pub(crate) fn terms(self, contract: &Contract) -> &TelemetryTerms {
        match self {
            Self::FluentBit => &contract.components.fluent_bit,
            Self::Vmagent => &contract.components.vmagent,
            Self::Alloy => &contract.components.alloy,
        }
    }

    /// What was seen of it.
    pub(crate) fn component(self, telemetry: &Telemetry) -> &TelemetryComponent {
        match self {
            Self::FluentBit => &telemetry.fluent_bit,
            Self::Vmagent => &telemetry.vmagent,
            Self::Alloy => &telemetry.alloy,
        }
    }

    /// What is kept of the samples of that name.
    pub(crate) fn kept(self, name: &str) -> Option<&'static Kept> {
        self.all_kept().iter().find(|kept| kept.name == name)
    }

    /// All that is kept of its pages.
    pub(crate) fn all_kept(self) -> &'static [Kept] {
        match self {
            Self::FluentBit => fluent_bit::KEPT,
            Self::Vmagent => vmagent::KEPT,
            Self::Alloy => alloy::KEPT,
        }
    }

    /// Beginnings of names that say loss and mean none.
    fn meant(self) -> &'static [&'static str] {
        match self {
            Self::FluentBit => fluent_bit::MEANT,
            Self::Vmagent => vmagent::MEANT,
            Self::Alloy => alloy::MEANT,
        }
    }

    /// What is kept of a label's value: all of it, but no URL and no path.
    pub(crate) fn reduced<'a>(self, label: &str, value: &'a str) -> &'a str {
        match self {
            Self::Vmagent => vmagent::reduced(label, value),
            Self::FluentBit | Self::Alloy => value,
        }
    }

    /// Metrics that every page of it has from the first moment: a page without them is another's.
    pub(crate) fn essential(self) -> &'static [&'static str] {
        match self {
            Self::FluentBit => fluent_bit::ESSENTIAL,
            Self::Vmagent => vmagent::ESSENTIAL,
            Self::Alloy => alloy::ESSENTIAL,
        }
    }

    /// What it delivers in: `records`.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::FluentBit => "record",
            Self::Vmagent => "request",
            Self::Alloy => "sample or entry",
        }
    }

    /// Its ways out.
    ///
    /// # Errors
    /// Where the page lacks one of the counters: a queue of which nothing is known must not look like an empty one.
    pub(crate) fn queues(self, metrics: &Metrics) -> Result<Vec<Queue>, Lacks> {
        let samples = Samples(&metrics.samples);
        match self {
            Self::FluentBit => fluent_bit::queues(samples),
            Self::Vmagent => vmagent::queues(samples),
            Self::Alloy => alloy::queues(samples),
        }
    }
}

// === impl Queue ===

impl Queue {
    /// Whether nothing was ever given to this way out, as far as it can be told: where others deliver, nothing is wrong.
    pub(crate) fn was_given_nothing(&self) -> bool {
        self.delivered <= 0.0 && self.troubled <= 0.0 && self.lost <= 0.0 && self.waiting <= 0.0
    }
}

// === impl Samples ===

impl<'a> Samples<'a> {
    /// The samples of a page.
    pub(crate) fn of(metrics: &'a Metrics) -> Self {
        Self(&metrics.samples)
    }

    /// Those of that name.
    pub(crate) fn named(self, name: &str) -> impl Iterator<Item = &'a MetricsSample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The only one of that name, or the first.
    pub(crate) fn value(self, name: &str) -> Option<f64> {
        self.named(name).next().map(|sample| sample.value)
    }

    /// The sum of those of that name; `None` where there is none.
    pub(crate) fn sum(self, name: &str) -> Option<f64> {
        self.named(name).map(|sample| sample.value).reduce(|a, b| a + b)
    }

    /// The sum of those of that name by a label.
    fn by(self, name: &str, label: &str) -> BTreeMap<&'a str, f64> {
        let mut sums = BTreeMap::new();
        for sample in self.named(name) {
            *sums.entry(sample.label(label)).or_insert(0.0) += sample.value;
        }
        sums
    }
}

// === impl MetricsSample ===

impl MetricsSample {
    /// A label's value; empty where it has none, which means the same.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

// === impl Kept ===

impl Kept {
    const fn new(name: &'static str, labels: &'static [&'static str]) -> Self {
        Self {
            name,
            labels,
            only: None,
            loss: None,
            is_born: false,
        }
    }

    /// A counter of what is lost that every page has.
    const fn losing(name: &'static str, labels: &'static [&'static str]) -> Self {
        let mut kept = Self::new(name, labels);
        kept.loss = Some(Weight::Lost);
        kept
    }

    /// A counter of what is lost that is born at the first loss, or with what can lose it.
    const fn lost(name: &'static str, labels: &'static [&'static str]) -> Self {
        let mut kept = Self::losing(name, labels);
        kept.is_born = true;
        kept
    }

    /// A counter of what goes on with less than it had, or is refused at its source.
    const fn cut(name: &'static str, labels: &'static [&'static str]) -> Self {
        let mut kept = Self::lost(name, labels);
        kept.loss = Some(Weight::Cut);
        kept
    }

    const fn only(mut self, label: &'static str, values: &'static [&'static str]) -> Self {
        self.only = Some((label, values));
        self
    }
}
