//! A page as it is kept: the samples that checks read, taken from the rows while they arrive.

use super::Program;
use crate::evidence::{MetricsSample, Reason};
use starform_exposition::{Format, Row, RowError, Summary};
use std::collections::BTreeMap;

/// The most samples that are kept of one page: a hundred scrape jobs or components keep a few hundred.
pub(crate) const SAMPLE_BOUND: usize = 4_096;
/// The longest label value that is kept, in bytes: a job's or a component's name.
const VALUE_BOUND: usize = 256;

/// What a page is reduced to.
pub(crate) struct Page {
    program: Program,
    samples: Vec<MetricsSample>,
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
            too_much: false,
        }
    }

    /// Keeps what is to be kept of a row.
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        let name = row.name();
        let Some(kept) = self.program.kept(&name) else {
            return;
        };
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
            let value = self.program.reduced(label, &value);
            self.too_much |= value.len() > VALUE_BOUND;
            labels.insert((*label).to_owned(), value.to_owned());
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

    /// The samples of a page that was whole and is one of the program's.
    ///
    /// # Errors
    /// Why it is no such page.
    pub(crate) fn finish(self, format: Format, summary: &Summary) -> Result<Vec<MetricsSample>, (Reason, String)> {
        let malformed = |message: String| Err((Reason::Malformed, message));
        let truncated = |message: &str| Err((Reason::Truncated, message.to_owned()));
        match format {
            Format::OpenMetrics if summary.content_after_eof => {
                return malformed("there is something behind its # EOF".to_owned());
            }
            Format::OpenMetrics if !summary.saw_eof => return truncated("its last line is not # EOF"),
            Format::Text if summary.ended_mid_line => return truncated("its last line is cut"),
            Format::OpenMetrics | Format::Text => {}
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
