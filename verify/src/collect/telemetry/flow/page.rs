//! One metrics page, read while it arrives: only samples that checks read are kept.

use crate::collect::access::Cluster;
use crate::collect::get::{Get, Origin};
use crate::collect::request::{Obstacle, observed, send, unknown};
use crate::collect::status::bounded;
use crate::evidence::{MetricsSample, Observed, Reason};
use crate::exposition::{Format, Limits, Reader, Row, RowError, Selection, Summary};
use crate::flow::Program;
use http::header;
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest page. vmagent's is 60 KB, Alloy's with the histograms of many components some hundred.
const BODY_BOUND: u64 = 16 << 20;
/// The most samples that are kept of one page: a hundred scrape jobs or components keep a few hundred.
const SAMPLE_BOUND: usize = 4_096;
/// The longest label value that is kept, in bytes: a job's or a component's name.
const VALUE_BOUND: usize = 256;

/// What a page is reduced to.
struct Page {
    program: Program,
    samples: Vec<MetricsSample>,
    /// There is more than is kept of any page.
    too_much: bool,
}

/// Reads one page. The whole of it, head and body, has the contract's scrape timeout.
pub(super) async fn read(cluster: &Cluster<'_>, program: Program, get: &Get) -> Observed<Vec<MetricsSample>> {
    observed(scrape(cluster, program, get).await)
}

/// The client that a request takes: a pod's address is shown no credential.
pub(super) fn client<'a>(cluster: &Cluster<'a>, get: &Get) -> &'a kube::Client {
    match get.origin {
        Origin::Direct => cluster.direct,
        Origin::Api | Origin::Proxied | Origin::Starbase => cluster.client,
    }
}

/// How long a page may take.
pub(super) fn timeout(cluster: &Cluster<'_>) -> Duration {
    Duration::try_from(cluster.contract.thresholds.scrape_timeout).unwrap_or_default()
}

async fn scrape(cluster: &Cluster<'_>, program: Program, get: &Get) -> Result<Vec<MetricsSample>, Obstacle> {
    let mut answer = send(client(cluster, get), get, timeout(cluster), BODY_BOUND).await?;
    let content_type = answer.header(header::CONTENT_TYPE).unwrap_or_default();
    // vmagent says `text/plain` without the format's version. That it is a page of the program is told by what it has.
    let Some(format) = Format::from_content_type(content_type) else {
        let message = bounded(&format!(
            "its content type is {content_type:?}, which is no exposition format"
        ));
        return Err(answer.unknown(Reason::Malformed, &message).into());
    };
    let mut reader = Reader::new(format, Selection::All, Limits::default());
    let mut page = Page::new(program);
    while let Some(chunk) = answer.chunk().await? {
        reader.push(&chunk, &mut |row| page.push(&row));
        if page.too_much {
            let message =
                format!("it has more than {SAMPLE_BOUND} samples that checks read, or one with a value too long");
            return Err(answer.unknown(Reason::TooLarge, &message).into());
        }
    }
    let summary = reader.finish();
    let samples = page.finish(format, &summary);
    samples.map_err(|(reason, message)| unknown(get, reason, &message).into())
}

// === impl Page ===

impl Page {
    fn new(program: Program) -> Self {
        Self {
            program,
            samples: Vec::new(),
            too_much: false,
        }
    }

    fn push(&mut self, row: &Row<'_>) {
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
    fn finish(self, format: Format, summary: &Summary) -> Result<Vec<MetricsSample>, (Reason, String)> {
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
mod tests;
