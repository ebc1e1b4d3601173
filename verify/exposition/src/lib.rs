//! A streaming reader of Prometheus' text format 0.0.4 and of OpenMetrics text, made for kube-state-metrics: bodies of
//! hundreds of megabytes of which one metric, a few per cent of the bytes, is wanted.
//!
//! - It is pushed chunks as they come from the network and calls back with a [`Row`] that borrows from the chunk. It
//!   keeps nothing but a line cut by the border of two chunks, so its memory does not grow with the body.
//! - Of a body from which one metric is wanted it looks at no other line: it searches the metric's name and then asks
//!   whether the line is that metric's. HELP and TYPE are not needed and not believed: kube-state-metrics up to 2.19
//!   leaves them out at times (kubernetes/kube-state-metrics#3061, #2866), and rows of one metric need not be together.
//! - A row that cannot be read is a [`RowError`], never the end of the body. Prometheus instead discards a whole scrape
//!   for one duplicate label name, which kube-state-metrics up to 2.19 lets any tenant who may label a pod bring about.
//! - What a row is, is what Prometheus' lexers say (model/textparse, promlex.l and openmetricslex.l, v0.313.0), with the
//!   exceptions that `tests/tests/all/exposition_oracle.rs` lists.
//! - It hands out the rows of a body that is not whole too. [`Summary::incomplete`] says what shows that it is not: OpenMetrics'
//!   `# EOF` is the only proof in a body that it is.

mod bytes;
mod escape;
mod line;
mod number;
mod reader;
mod row;
mod selector;
mod summary;

pub use reader::Reader;
pub use row::{Labels, Row};
pub use summary::{Incomplete, RowError, RowErrorKind, Summary};

/// Which of the two text formats a body is in. They differ in white space, commas, timestamps, exemplars and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' text format 0.0.4, `text/plain`.
    Text,
    /// OpenMetrics text, `application/openmetrics-text`.
    OpenMetrics,
}

/// Which rows to hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Every row.
    All,
    /// The rows whose metric has this name, wherever they stand in the body. Lines of other metrics are not looked at:
    /// an error in one of them is not an error here.
    Metric(&'a str),
}

/// What bounds a reader's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line in bytes, its line feed not counted; at least as long as `# EOF`. A longer row is a
    /// [`RowErrorKind::TooLong`]. The reader holds at most one line and, if it is nothing but labels, about six times as
    /// much to say where they are.
    pub line: usize,
    /// How many row errors [`Summary::errors`] holds. All are counted.
    pub errors: usize,
}

impl Format {
    /// The format that a `Content-Type` header names, if it is one of the two.
    #[must_use]
    pub fn from_content_type(header: &str) -> Option<Self> {
        let media_type = header.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            Some(Self::OpenMetrics)
        } else if media_type.eq_ignore_ascii_case("text/plain") {
            Some(Self::Text)
        } else {
            None
        }
    }
}

impl Default for Limits {
    /// 64 KiB a line: a Kubernetes label takes at most 400 bytes of a row, and a row of three of them takes 230.
    fn default() -> Self {
        Self {
            line: 64 << 10,
            errors: 16,
        }
    }
}

#[cfg(test)]
mod tests;
