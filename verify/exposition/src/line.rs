//! One line read as a row: the grammar that Prometheus' two lexers and parsers have together (model/textparse,
//! promlex.l with promparse.go, and openmetricslex.l with openmetricsparse.go).

use super::bytes::{COLON, NAME, NAME_START, is_blank, is_in, quote_or_backslash};
use super::row::{Label, Text};
use super::{Format, RowErrorKind, number};

mod duplicate;

use duplicate::Duplicates;

/// Reads one line, without its line feed. It writes the labels to a list that it is lent, so that reading a row needs
/// no memory of its own.
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
    format: Format,
    labels: &'a mut Vec<Label>,
    name: Option<Text>,
    duplicates: Duplicates,
}

/// What a row says besides its name and its labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) timestamp: Option<i64>,
}

/// Whose labels are between the braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Metric,
    Exemplar,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, format: Format, labels: &'a mut Vec<Label>) -> Self {
        labels.clear();
        Self {
            text,
            at: 0,
            format,
            labels,
            name: None,
            duplicates: Duplicates::default(),
        }
    }

    /// The metric's name, as far as it was read.
    pub(super) fn name(&self) -> Option<Text> {
        self.name
    }

    /// Reads the line to its end.
    pub(super) fn read(&mut self) -> Result<Sample, RowErrorKind> {
        self.skip_blanks();
        if self.peek() != Some(b'{') {
            let start = self.at;
            self.skip_name(NAME_START | COLON, NAME | COLON)
                .ok_or(RowErrorKind::Name)?;
            self.name = Some(Text::new(start, self.at, false));
            self.skip_blanks();
        }
        if self.peek() == Some(b'{') {
            self.at += 1;
            self.labels(Owner::Metric)?;
        }
        if self.name.is_none_or(Text::is_empty) {
            return Err(RowErrorKind::Name);
        }
        if self.duplicates.any(self.text, self.labels) {
            return Err(RowErrorKind::DuplicateLabel);
        }
        match self.format {
            Format::Text => self.text_suffix(),
            Format::OpenMetrics => self.openmetrics_suffix(),
        }
    }

    /// `[blanks] value [blanks digits] [blanks]`. No blank is needed before the value: `a+1` and `a{}1` are rows.
    fn text_suffix(&mut self) -> Result<Sample, RowErrorKind> {
        self.skip_blanks();
        let value = number::float(self.word(|byte| matches!(byte, b' ' | b'\t' | b'{'))).ok_or(RowErrorKind::Value)?;
        self.skip_blanks();
        let timestamp = match self.word(is_blank) {
            "" => None,
            word => Some(number::milliseconds(word).ok_or(RowErrorKind::Timestamp)?),
        };
        self.skip_blanks();
        if self.at == self.text.len() {
            Ok(Sample { value, timestamp })
        } else {
            Err(RowErrorKind::Timestamp)
        }
    }

    /// `SP value [SP seconds] [SP # SP { labels } SP value [SP seconds]]`, and each SP is exactly one space.
    fn openmetrics_suffix(&mut self) -> Result<Sample, RowErrorKind> {
        let value = self.spaced_word().and_then(number::float).ok_or(RowErrorKind::Value)?;
        let mut timestamp = None;
        if !self.at_end_or_exemplar() {
            timestamp = Some(
                self.spaced_word()
                    .and_then(number::seconds)
                    .ok_or(RowErrorKind::Timestamp)?,
            );
        }
        if self.at == self.text.len() {
            return Ok(Sample { value, timestamp });
        }
        if !self.at_end_or_exemplar() {
            return Err(RowErrorKind::Timestamp);
        }
        self.at += EXEMPLAR.len();
        self.exemplar().ok_or(RowErrorKind::Exemplar)?;
        Ok(Sample { value, timestamp })
    }

    /// An exemplar is read to know that the row is sound, and dropped: nobody asks for one yet.
    fn exemplar(&mut self) -> Option<()> {
        let own = self.labels.len();
        let read = self.labels(Owner::Exemplar);
        self.labels.truncate(own);
        read.ok()?;
        self.spaced_word().and_then(number::float)?;
        if self.at < self.text.len() {
            self.spaced_word().and_then(number::seconds)?;
        }
        (self.at == self.text.len()).then_some(())
    }

    /// Everything from behind the opening brace to the closing one. Commas after a label may be missing in text 0.0.4,
    /// and one may be left over in both. A quoted string without a value is the metric's name.
    fn labels(&mut self, owner: Owner) -> Result<(), RowErrorKind> {
        loop {
            self.skip_blanks();
            let (name, quoted) = match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'"') => (self.string().ok_or(RowErrorKind::Labels)?, true),
                _ => {
                    let start = self.at;
                    self.skip_name(NAME_START, NAME).ok_or(RowErrorKind::Labels)?;
                    (Text::new(start, self.at, false), false)
                }
            };
            self.skip_blanks();
            let next = self.peek();
            self.at += 1;
            if quoted && matches!(next, Some(b',' | b'}')) {
                if owner == Owner::Exemplar {
                    return Err(RowErrorKind::Exemplar);
                }
                if self.name.replace(name).is_some() {
                    return Err(RowErrorKind::Name);
                }
                if next == Some(b'}') {
                    return Ok(());
                }
                continue;
            }
            // Prometheus reads an empty name and discards the scrape for it; of an exemplar it takes anything.
            if next != Some(b'=') || (name.is_empty() && owner == Owner::Metric) {
                return Err(RowErrorKind::Labels);
            }
            self.skip_blanks();
            let value = self.string().ok_or(RowErrorKind::Labels)?;
            if owner == Owner::Metric {
                self.duplicates.see(self.text, self.labels, name);
            }
            self.labels.push(Label { name, value });
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ if self.format == Format::Text => {}
                _ => return Err(RowErrorKind::Labels),
            }
        }
    }

    /// A quoted string. What a backslash stands before is part of it, whatever it is.
    #[inline]
    fn string(&mut self) -> Option<Text> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += quote_or_backslash(bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some(Text::new(start, at, escaped));
            }
            escaped = true;
            at += 2;
        }
    }

    /// Goes past a name of these classes of bytes, if there is one.
    #[inline]
    fn skip_name(&mut self, first: u8, others: u8) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let (start, _) = rest.split_first()?;
        if !is_in(*start, first) {
            return None;
        }
        self.at += rest.iter().position(|byte| !is_in(*byte, others)).unwrap_or(rest.len());
        Some(())
    }

    /// Goes past spaces and tabs, which stand between any two tokens of text 0.0.4 and between none of OpenMetrics.
    #[inline]
    fn skip_blanks(&mut self) {
        if self.format == Format::Text {
            while self.peek().is_some_and(is_blank) {
                self.at += 1;
            }
        }
    }

    /// What stands up to such a byte, possibly nothing. Only ASCII ends a word, so that no character is cut.
    fn word(&mut self, ends: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = &rest[..rest.bytes().position(ends).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// One space, and what stands up to the next one.
    fn spaced_word(&mut self) -> Option<&'a str> {
        if self.peek() != Some(b' ') {
            return None;
        }
        self.at += 1;
        Some(self.word(|byte| byte == b' '))
    }

    fn at_end_or_exemplar(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.is_empty() || rest.starts_with(EXEMPLAR)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

const EXEMPLAR: &str = " # {";
