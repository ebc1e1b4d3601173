//! What a page says was lost: every counter of it that the program has, and those of which nothing is known but that their
//! names say so. Many are born at the first loss only: one that is not there has counted nothing.

use super::{Program, Samples};
use crate::evidence::Metrics;
use std::collections::BTreeMap;

/// How much what a counter counts is a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is gone, and the program should have had it.
    Lost,
    /// It goes on with less: a line that was cut, what its source wrote wrongly, a configuration that was not taken.
    Cut,
}

/// What one counter has counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lost {
    /// The counter.
    pub(crate) counter: &'static str,
    /// Of which way out, input or component: its labels' values.
    pub(crate) of: String,
    pub(crate) weight: Weight,
    pub(crate) value: f64,
}

/// Words in a counter's name that say that something was lost.
const WORDS: [&str; 12] = [
    "drop", "discard", "lost", "loss", "fail", "reject", "truncat", "skip", "overflow", "evict", "expired", "unsent",
];
/// What stands at the end of a name that is no counter of its own.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// The longest name that is told.
const NAME_BOUND: usize = 128;

// === impl Program ===

impl Program {
    /// What was lost, where it is more than nothing.
    pub(crate) fn losses(self, metrics: &Metrics) -> Vec<Lost> {
        let samples = Samples::of(metrics);
        let mut losses = Vec::new();
        for kept in self.all_kept() {
            let Some(weight) = kept.loss else {
                continue;
            };
            let mut sums: BTreeMap<String, f64> = BTreeMap::new();
            for sample in samples.named(kept.name) {
                let labels = kept.labels.iter().map(|label| sample.label(label));
                let labels: Vec<&str> = labels.filter(|value| !value.is_empty()).collect();
                *sums.entry(labels.join(" ")).or_insert(0.0) += sample.value;
            }
            let counted = sums.into_iter().filter(|(_, value)| *value > 0.0);
            losses.extend(counted.map(|(of, value)| Lost {
                counter: kept.name,
                of,
                weight,
                value,
            }));
        }
        losses
    }

    /// Whether of a name nothing is known but that it says loss.
    pub(crate) fn is_rumour(self, name: &str) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let is_part = PARTS.iter().any(|part| name.ends_with(part));
        WORDS.iter().any(|word| name.contains(word))
            && !is_part
            && name.len() <= NAME_BOUND
            && name.chars().all(plain)
            && self.kept(name).is_none()
            && !self.meant().iter().any(|meant| name.starts_with(meant))
    }

    /// What such counters have counted, by name.
    pub(crate) fn rumours(self, metrics: &Metrics) -> BTreeMap<&str, f64> {
        let told = metrics.samples.iter().filter(|sample| self.is_rumour(&sample.name));
        told.map(|sample| (sample.name.as_str(), sample.value)).collect()
    }
}

// === impl Lost ===

impl Lost {
    /// By how much it has grown since what was lost before.
    pub(crate) fn since(&self, before: &[Self]) -> f64 {
        let same = |lost: &&Self| lost.counter == self.counter && lost.of == self.of;
        self.value - before.iter().find(same).map_or(0.0, |lost| lost.value)
    }

    /// `fluentbit_output_dropped_records_total of vector`.
    pub(crate) fn name(&self) -> String {
        match self.of.as_str() {
            "" => self.counter.to_owned(),
            of => format!("{} of {of}", self.counter),
        }
    }
}

#[cfg(test)]
mod tests;
