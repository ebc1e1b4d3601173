//! A row as it is handed out: borrowed from the line that it stands on.

use std::borrow::Cow;
use std::iter::FusedIterator;

use super::escape::unescape;

/// One sample of one series.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub(super) line: &'a str,
    pub(super) name: Text,
    pub(super) labels: &'a [Label],
    pub(super) value: f64,
    pub(super) timestamp: Option<i64>,
}

/// A row's labels as names and values, in the order in which they stand there.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    line: &'a str,
    labels: std::slice::Iter<'a, Label>,
}

/// Where in a line a name or a value is, its quotes not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    start: u32,
    end: u32,
    /// It has a backslash. Kept so that nobody has to look again.
    escaped: bool,
}

/// Where in a line a label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) name: Text,
    pub(super) value: Text,
}

impl<'a> Row<'a> {
    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        self.name.read(self.line)
    }

    /// The labels. No name occurs twice, and `__name__` not at all.
    #[must_use]
    pub fn labels(&self) -> Labels<'a> {
        Labels {
            line: self.line,
            labels: self.labels.iter(),
        }
    }

    /// The value of the label with this name. A label that is there and empty is `Some("")`.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<Cow<'a, str>> {
        let label = self.labels.iter().find(|label| label.name.is(self.line, name))?;
        Some(label.value.read(self.line))
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The timestamp in milliseconds since 1970, if the row has one.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        self.timestamp
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let label = self.labels.next()?;
        Some((label.name.read(self.line), label.value.read(self.line)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.labels.size_hint()
    }
}

impl ExactSizeIterator for Labels<'_> {}

impl FusedIterator for Labels<'_> {}

impl Text {
    /// Of lines that are no longer than [`Text::MAX`].
    #[allow(clippy::cast_possible_truncation, reason = "the reader cuts lines at Text::MAX")]
    pub(super) fn new(start: usize, end: usize, escaped: bool) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
            escaped,
        }
    }

    /// The longest line whose places it can say.
    pub(super) const MAX: usize = u32::MAX as usize;

    /// What is written there.
    pub(super) fn raw(self, line: &str) -> &str {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The same as bytes, which costs no look for the borders of characters.
    pub(super) fn bytes(self, line: &str) -> &[u8] {
        line.as_bytes()
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// What is meant.
    pub(super) fn read(self, line: &str) -> Cow<'_, str> {
        let raw = self.raw(line);
        if self.escaped {
            unescape(raw)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// Whether it means this.
    pub(super) fn is(self, line: &str, other: &str) -> bool {
        if self.escaped {
            unescape(self.raw(line)) == other
        } else {
            self.raw(line) == other
        }
    }

    pub(super) fn is_escaped(self) -> bool {
        self.escaped
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}
