//! What is known of a body when all of it was read.

use super::Format;

/// What a body was, apart from its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes read.
    pub bytes: u64,
    /// Rows handed out.
    pub rows: u64,
    /// Rows that could not be read, of the selected metric only.
    pub row_errors: u64,
    /// The first of them, as many as [`Limits::errors`](super::Limits::errors) allows.
    pub errors: Vec<RowError>,
    /// The last line is OpenMetrics' `# EOF`: the body is whole. Always false for text 0.0.4, which has no such mark.
    pub saw_eof: bool,
    /// There is a `# EOF` and something after it.
    pub content_after_eof: bool,
    /// The last line has no line feed and is not `# EOF`. It was not handed out: `1` may have been going to be `17`.
    pub ended_mid_line: bool,
}

/// What shows that a body is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Incomplete {
    /// There is a `# EOF` and something after it.
    #[error("there is something behind its # EOF")]
    ContentAfterEof,
    /// A body of OpenMetrics without the mark of its end.
    #[error("its last line is not # EOF")]
    NoEof,
    /// A body of text whose last line has no line feed.
    #[error("its last line is cut")]
    CutLine,
}

impl Summary {
    /// What shows that the body is not whole, in its format. Text has no mark of its end: that its last line is whole is all there
    /// is, beside that the connection ended as it should.
    #[must_use]
    pub fn incomplete(&self, format: Format) -> Option<Incomplete> {
        match format {
            Format::OpenMetrics if self.content_after_eof => Some(Incomplete::ContentAfterEof),
            Format::OpenMetrics if !self.saw_eof => Some(Incomplete::NoEof),
            Format::Text if self.ended_mid_line => Some(Incomplete::CutLine),
            Format::OpenMetrics | Format::Text => None,
        }
    }
}

/// A row of the selected metric that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Why not.
    pub kind: RowErrorKind,
    /// Where in the body its line begins.
    pub offset: u64,
    /// The beginning of its line, invalid UTF-8 replaced.
    pub excerpt: String,
}

/// Why a row could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RowErrorKind {
    /// Longer than [`Limits::line`](super::Limits::line).
    #[error("the line is too long")]
    TooLong,
    /// Not UTF-8, which both formats are.
    #[error("the line is not UTF-8")]
    InvalidUtf8,
    /// No metric name, an empty one, two, or something else where a row begins.
    #[error("there is not exactly one metric name")]
    Name,
    /// Something between the braces that is no label, or no end to them.
    #[error("the labels cannot be read")]
    Labels,
    /// One label name twice, `__name__` beside the metric's name among them. Prometheus discards the whole scrape for it
    /// (scrape/scrape.go, `HasDuplicateLabelNames`).
    #[error("a label name occurs twice")]
    DuplicateLabel,
    /// No value, or none that is a number in Prometheus' sense.
    #[error("the value is not a number")]
    Value,
    /// Something after the value that is no timestamp in this format.
    #[error("what follows the value is not a timestamp")]
    Timestamp,
    /// An OpenMetrics exemplar that cannot be read.
    #[error("the exemplar cannot be read")]
    Exemplar,
}

impl RowError {
    /// So many bytes of a line are enough to find it by, and too few to fill a report.
    const EXCERPT: usize = 160;

    pub(super) fn new(kind: RowErrorKind, offset: u64, line: &[u8]) -> Self {
        let excerpt = String::from_utf8_lossy(&line[..line.len().min(Self::EXCERPT)]).into_owned();
        Self { kind, offset, excerpt }
    }
}
