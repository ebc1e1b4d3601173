//! A page as it is kept: the samples that checks read, taken from the rows while they arrive.

use super::Program;
use crate::evidence::{MetricsSample, Reason};
use starform_exposition::{Format, Row, RowError, Summary};
use std::collections::BTreeMap;

/// The most samples that are kept of one page: a hundred scrape jobs or components keep a few hundred.
pub(crate) const SAMPLE_BOUND: usize = 4_096;
/// The longest label value that is kept, in bytes: a job's or a component's name.
const VALUE_BOUND: usize = 256;
/// The most counters that are kept of which nothing is known but that their names say loss.
const RUMOUR_BOUND: usize = 64;
/// A label whose value is an address: its number among those of the page is kept in its place.
const ADDRESS: &str = "host";

/// What a page is reduced to.
pub(crate) struct Page {
    program: Program,
    samples: Vec<MetricsSample>,
    /// The addresses that it names, in order: a page is sorted, so that each has the same number the next time.
    addresses: Vec<String>,
    /// What counters have counted that are not known to be losses.
    rumours: BTreeMap<String, f64>,
    /// There is more than is kept of any page.
    pub(crate) too_much: bool,
}

// === impl Page ===

impl Page {
    /// Of a program, with nothing on it yet.
    pub(crate) fn new(program: Program) -> Self {
        Self {
            program,
            samples: Vec::new(),
            addresses: Vec::new(),
            rumours: BTreeMap::new(),
            too_much: false,
        }
    }

    /// Keeps what is to be kept of a row.
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        let name = row.name();
        let Some(kept) = self.program.kept(&name) else {
            self.hear(&name, row.value());
            return;
        };
        if kept.is_born && row.value() == 0.0 {
            return;
        }
        if let Some((label, values)) = kept.only
            && !(row.label(label)).is_some_and(|value| values.contains(&value.as_ref()))
        {
            return;
        }
        let mut labels = BTreeMap::new();
        for label in kept.labels {
            let Some(value) = row.label(label) else {
                continue;
            };
            let value = match *label {
                ADDRESS => self.number(&value),
                _ => self.program.reduced(label, &value).to_owned(),
            };
            self.too_much |= value.len() > VALUE_BOUND;
            labels.insert((*label).to_owned(), value);
        }
        self.too_much |= self.samples.len() >= SAMPLE_BOUND;
        if !self.too_much {
            self.samples.push(MetricsSample {
                name: name.into_owned(),
                labels,
                value: row.value(),
            });
        }
    }

    /// Adds to what is told of a counter whose name says loss.
    fn hear(&mut self, name: &str, value: f64) {
        if !self.program.is_rumour(name) || !value.is_finite() || value == 0.0 {
            return;
        }
        if let Some(sum) = self.rumours.get_mut(name) {
            *sum += value;
        } else if self.rumours.len() < RUMOUR_BOUND {
            self.rumours.insert(name.to_owned(), value);
        }
    }

    /// The number of an address: `1` for the first.
    fn number(&mut self, address: &str) -> String {
        let known = self.addresses.iter().position(|known| known == address);
        let position = known.unwrap_or_else(|| {
            // More than that are one.
            if self.addresses.len() < RUMOUR_BOUND {
                self.addresses.push(address.to_owned());
            }
            self.addresses.len() - 1
        });
        (position + 1).to_string()
    }

    /// The samples of a page that was whole and is one of the program's.
    ///
    /// # Errors
    /// Why it is no such page.
    pub(crate) fn finish(mut self, format: Format, summary: &Summary) -> Result<Vec<MetricsSample>, (Reason, String)> {
        let malformed = |message: String| Err((Reason::Malformed, message));
        if let Some(incomplete) = summary.incomplete(format) {
            return Err((incomplete.into(), incomplete.to_string()));
        }
        // A line of another metric may be what it wants; a counter that cannot be read must not look like one that is 0.
        let untold = summary.row_errors > summary.errors.len() as u64;
        if untold || summary.errors.iter().any(|error| self.wanted(error)) {
            return malformed("a line of a metric that checks read cannot be read".to_owned());
        }
        if let Some(missing) = self.program.essential().iter().find(|name| !self.has(name)) {
            let program = self.program.name();
            return malformed(format!("it has no {missing}, as every page of {program} has"));
        }
        let told = std::mem::take(&mut self.rumours).into_iter();
        self.samples.extend(told.map(|(name, value)| MetricsSample {
            name,
            labels: BTreeMap::new(),
            value,
        }));
        Ok(self.samples)
    }

    fn has(&self, name: &str) -> bool {
        self.samples.iter().any(|sample| sample.name == name)
    }

    /// Whether a line that cannot be read is one of a metric that is kept.
    fn wanted(&self, error: &RowError) -> bool {
        let end = error.excerpt.find(['{', ' ', '\t']).unwrap_or(error.excerpt.len());
        let name = error.excerpt.get(..end).unwrap_or_default();
        self.program.kept(name).is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests;
