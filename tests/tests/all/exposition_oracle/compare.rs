//! What our reader and the oracle each make of a body, and every difference between the two that is meant.

use std::borrow::Cow;

use anyhow::{Context, Result};
use serde::Deserialize;
use starform_exposition::{Format, Limits, Reader, Row, RowErrorKind, Selection, Summary};

use super::bodies::Body;

/// One series, its labels sorted, the metric's name among them as `__name__`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Series {
    labels: Vec<(String, String)>,
    /// The value's bits.
    value: u64,
    timestamp: Option<i64>,
}

/// What the oracle says of a body: every series up to the first error, and that.
#[derive(Debug, Deserialize)]
pub(crate) struct Oracle {
    series: Vec<Series>,
    #[serde(default)]
    error: String,
}

/// What our reader says of a body.
#[derive(Debug)]
pub(crate) struct Ours {
    series: Vec<Series>,
    summary: Summary,
}

impl Ours {
    pub(crate) fn read(body: &Body) -> Self {
        let mut reader = Reader::new(
            body.format,
            Selection::All,
            Limits {
                errors: usize::MAX,
                ..Limits::default()
            },
        );
        let mut series = Vec::new();
        reader.push(&body.bytes, &mut |row| series.push(Series::of(row)));
        Self {
            series,
            summary: reader.finish(),
        }
    }

    fn only_error(&self) -> Option<RowErrorKind> {
        match (&self.series[..], &self.summary.errors[..]) {
            ([], [error]) => Some(error.kind),
            _ => None,
        }
    }
}

impl Series {
    fn of(row: Row<'_>) -> Self {
        let own = [(Cow::Borrowed("__name__"), row.name())];
        let labels = own.into_iter().chain(row.labels());
        let mut labels: Vec<_> = labels
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        labels.sort();
        let value = if row.value().is_nan() {
            NAN
        } else {
            row.value().to_bits()
        };
        Self {
            labels,
            value,
            timestamp: row.timestamp(),
        }
    }

    fn has_duplicates(&self) -> bool {
        self.labels.windows(2).any(|pair| pair[0].0 == pair[1].0)
    }

    fn has_empty_name(&self) -> bool {
        self.labels
            .iter()
            .any(|(name, value)| name.is_empty() || (name == "__name__" && value.is_empty()))
    }

    /// Whether ours is the oracle's series, but for three differences.
    fn same(&self, oracle: &Self, blanks: bool) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let same_label = |(ours, theirs): (&(String, String), &(String, String))| match ours.0.as_str() {
            _ if ours == theirs => true,
            // Prometheus' text parser takes the blanks before a metric's name for part of it (promparse.go, the offsets
            // begin at `p.start`). The format's specification says that leading white space is ignored.
            "__name__" => blanks && ours.0 == theirs.0 && ours.1 == theirs.1.trim_start_matches([' ', '\t']),
            // Prometheus rewrites these two when the TYPE says histogram or summary. We do not believe TYPE.
            "le" | "quantile" => {
                ours.0 == theirs.0 && number(&ours.1).is_some() && number(&ours.1) == number(&theirs.1)
            }
            _ => false,
        };
        // What Go makes of a float beyond 64 bits depends on the processor; ours is the nearest.
        let beyond = oracle.timestamp == Some(i64::MIN) && matches!(self.timestamp, Some(i64::MIN | i64::MAX));
        self.labels.len() == oracle.labels.len()
            && self.labels.iter().zip(&oracle.labels).all(same_label)
            && self.value == oracle.value
            && (self.timestamp == oracle.timestamp || beyond)
    }
}

/// The lines of a body as bodies of their own, each complete. `None` where comparing them says nothing by design.
pub(crate) fn single_line(format: Format, line: &[u8]) -> Option<Body> {
    let text = line.trim_ascii_start();
    // Comments are never errors: HELP and TYPE are not read at all (an unknown TYPE ends Prometheus' parse).
    if text.starts_with(b"#") {
        return None;
    }
    // Prometheus' lexers skip NUL bytes in quoted strings and take the byte behind them for the one that was there
    // (`next` in promparse.go and openmetricsparse.go), so that a NUL moves quotes and escapes. To us NUL is a character.
    if line.contains(&0) {
        return None;
    }
    let end: &[u8] = if format == Format::OpenMetrics {
        b"\n# EOF\n"
    } else {
        b"\n"
    };
    Some(Body {
        format,
        bytes: [line, end].concat(),
    })
}

/// Whether the whole of this body is to be compared. A line feed between quotes goes on with the string in Prometheus'
/// lexer; to us a line is a line, as the format says, and what a tenant writes cannot make one row swallow the next.
pub(crate) fn comparable_as_a_whole(body: &Body) -> bool {
    !body.bytes.contains(&0)
        && body
            .bytes
            .split(|byte| *byte == b'\n')
            .all(|line| !leaves_quote_open(line))
}

fn leaves_quote_open(line: &[u8]) -> bool {
    let mut open = false;
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => open = !open,
            b'\\' if open => drop(bytes.next()),
            _ => {}
        }
    }
    open
}

impl Body {
    fn has_leading_blanks(&self) -> bool {
        let lines = self.bytes.split(|byte| *byte == b'\n');
        self.format == Format::Text && lines.into_iter().any(|line| matches!(line, [b' ' | b'\t', ..]))
    }
}

/// Compares what was made of one line.
pub(crate) fn line(body: &Body, oracle: &Oracle) -> Result<()> {
    let ours = Ours::read(body);
    let wrong = || {
        format!(
            "{body:?}\nours: {ours:?}\noracle: {oracle:?}\n{}",
            String::from_utf8_lossy(&body.bytes)
        )
    };
    let utf8 = std::str::from_utf8(&body.bytes).is_ok();
    let blanks = body.has_leading_blanks();
    let agree = match (&oracle.series[..], oracle.error.is_empty()) {
        // Prometheus' parser lets these by and the scrape that called it then fails as a whole (scrape/scrape.go).
        ([one], true) if one.has_duplicates() || one.has_empty_name() || !utf8 => matches!(
            ours.only_error(),
            Some(RowErrorKind::DuplicateLabel | RowErrorKind::Name | RowErrorKind::Labels | RowErrorKind::InvalidUtf8)
        ),
        ([one], true) => ours.summary.row_errors == 0 && matches!(&ours.series[..], [own] if own.same(one, blanks)),
        ([], true) => ours.series.is_empty() && ours.summary.row_errors == 0,
        (_, false) => ours.only_error().is_some(),
        (_, true) => false,
    };
    agree.then_some(()).with_context(wrong)
}

/// Compares what was made of a body that the oracle accepts as a whole. Says whether it did.
pub(crate) fn whole(body: &Body, oracle: &Oracle) -> Result<bool> {
    if !oracle.error.is_empty() {
        return Ok(false);
    }
    let ours = Ours::read(body);
    let utf8 = std::str::from_utf8(&body.bytes).is_ok();
    let blanks = body.has_leading_blanks();
    let count = oracle.series.len();
    let sound: Vec<_> = oracle
        .series
        .iter()
        .filter(|one| !one.has_duplicates() && !one.has_empty_name())
        .collect();
    let refused = count - sound.len();
    let complete = body.format == Format::Text || (ours.summary.saw_eof && !ours.summary.content_after_eof);
    let agree = complete
        && (!utf8 || usize::try_from(ours.summary.row_errors)? == refused)
        && (!utf8 || ours.series.len() == sound.len())
        && (!utf8 || ours.series.iter().zip(&sound).all(|(own, one)| own.same(one, blanks)));
    agree
        .then_some(true)
        .with_context(|| format!("{body:?}\nours: {ours:?}\n{}", String::from_utf8_lossy(&body.bytes)))
}

/// The one that Prometheus makes of every NaN (model/value, `NormalNaN`).
const NAN: u64 = 0x7ff8_0000_0000_0001;
