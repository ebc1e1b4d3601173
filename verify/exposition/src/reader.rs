//! Puts lines together from chunks and hands out the rows on them.

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

use super::line::Line;
use super::row::{Label, Row, Text};
use super::selector::Selector;
use super::{Format, Limits, RowError, RowErrorKind, Selection, Summary};

/// Reads a body chunk by chunk. What it hands out and sums up does not depend on where the chunks are cut.
///
/// ```
/// use starform_exposition::{Format, Limits, Reader, Selection};
///
/// let mut reader = Reader::new(Format::OpenMetrics, Selection::Metric("kube_pod_labels"), Limits::default());
/// let mut pods = Vec::new();
/// for chunk in ["kube_pod_labels{pod=\"web-", "0\"} 1\n# E", "OF\n"] {
///     reader.push(chunk.as_bytes(), &mut |row| pods.extend(row.label("pod").map(std::borrow::Cow::into_owned)));
/// }
/// let summary = reader.finish();
/// assert_eq!(pods, ["web-0"]);
/// assert!(summary.saw_eof && summary.row_errors == 0);
/// ```
#[derive(Debug)]
pub struct Reader {
    format: Format,
    limits: Limits,
    rows: Rows,
    /// The beginning of a line that the last chunk did not end, cut at the limit.
    carry: Vec<u8>,
    /// How long that line is so far.
    carried: usize,
    end_mark: Finder<'static>,
}

/// Everything that reading a line needs or changes.
#[derive(Debug)]
struct Rows {
    selector: Selector,
    labels: Vec<Label>,
    summary: Summary,
}

impl Reader {
    /// A reader of one body.
    #[must_use]
    pub fn new(format: Format, selection: Selection<'_>, limits: Limits) -> Self {
        Self {
            format,
            limits: Limits {
                line: limits.line.clamp(END_MARK.len(), Text::MAX),
                ..limits
            },
            rows: Rows {
                selector: Selector::new(selection),
                labels: Vec::new(),
                summary: Summary::default(),
            },
            carry: Vec::new(),
            carried: 0,
            end_mark: Finder::new(b"\n# EOF"),
        }
    }

    /// Reads on. Rows are handed out as soon as their line has ended.
    pub fn push(&mut self, chunk: &[u8], on_row: &mut impl FnMut(Row<'_>)) {
        let mut lines = chunk;
        if self.carried > 0 {
            let Some(feed) = memchr(b'\n', chunk) else {
                return self.keep(chunk);
            };
            self.keep(&chunk[..feed]);
            self.end_carried_line(on_row);
            lines = &chunk[feed + 1..];
        }
        let whole = memrchr(b'\n', lines).map_or(0, |feed| feed + 1);
        let (lines, rest) = lines.split_at(whole);
        self.read_lines(lines, on_row);
        self.keep(rest);
    }

    /// What is to be said of the body now that it has ended.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        if self.carried > 0 {
            // OpenMetrics lets the last line feed be missing (openmetricslex.l, `"EOF"\n?`).
            let marked = self.carries_end_mark();
            self.rows.summary.saw_eof = marked;
            self.rows.summary.ended_mid_line = !marked;
        }
        self.rows.summary
    }

    /// Takes over part of a line that ends in a later chunk.
    fn keep(&mut self, part: &[u8]) {
        if part.is_empty() {
            return;
        }
        self.content_follows();
        let room = (self.limits.line).saturating_sub(self.carry.len());
        self.carry.extend_from_slice(&part[..part.len().min(room)]);
        self.carried = self.carried.saturating_add(part.len());
        self.rows.summary.bytes += part.len() as u64;
    }

    fn end_carried_line(&mut self, on_row: &mut impl FnMut(Row<'_>)) {
        let offset = self.rows.summary.bytes - self.carried as u64;
        if self.carried > self.limits.line {
            self.rows.too_long(&self.carry, offset, self.limits);
        } else if self.rows.selector.wants(&self.carry) {
            self.rows.line(&self.carry, offset, self.format, self.limits, on_row);
        }
        self.rows.summary.saw_eof = self.carries_end_mark();
        self.rows.summary.bytes += 1;
        self.carry.clear();
        self.carried = 0;
    }

    fn read_lines(&mut self, lines: &[u8], on_row: &mut impl FnMut(Row<'_>)) {
        if lines.is_empty() {
            return;
        }
        self.content_follows();
        let offset = self.rows.summary.bytes;
        let mut from = 0;
        while let Some((start, end)) = self.rows.selector.next(lines, from) {
            let line = &lines[start..end];
            let offset = offset + start as u64;
            if line.len() > self.limits.line {
                self.rows.too_long(&line[..self.limits.line], offset, self.limits);
            } else {
                self.rows.line(line, offset, self.format, self.limits, on_row);
            }
            from = end + 1;
        }
        if self.format == Format::OpenMetrics {
            self.find_end_mark(lines);
        }
        self.rows.summary.bytes += lines.len() as u64;
    }

    fn find_end_mark(&mut self, lines: &[u8]) {
        // The feed before it makes it rare enough to be found at the speed of memory.
        let first = lines.starts_with(END_MARK).then_some(0);
        for start in first
            .into_iter()
            .chain(self.end_mark.find_iter(lines).map(|feed| feed + 1))
        {
            match &lines[start + END_MARK.len()..] {
                b"\n" => self.rows.summary.saw_eof = true,
                [b'\n', ..] => self.rows.summary.content_after_eof = true,
                _ => {}
            }
        }
    }

    fn carries_end_mark(&self) -> bool {
        self.format == Format::OpenMetrics && self.carried == END_MARK.len() && self.carry == END_MARK
    }

    fn content_follows(&mut self) {
        if self.rows.summary.saw_eof {
            self.rows.summary.saw_eof = false;
            self.rows.summary.content_after_eof = true;
        }
    }
}

impl Rows {
    /// Reads a line that the selector wants.
    fn line(&mut self, line: &[u8], offset: u64, format: Format, limits: Limits, on_row: &mut impl FnMut(Row<'_>)) {
        let Ok(text) = std::str::from_utf8(line) else {
            return self.error(RowErrorKind::InvalidUtf8, line, offset, limits);
        };
        if format == Format::Text && text.bytes().all(super::bytes::is_blank) {
            return;
        }
        let mut reading = Line::new(text, format, &mut self.labels);
        let read = reading.read();
        let name = reading.name();
        if !self.selector.is(text, name) {
            return;
        }
        match (read, name) {
            (Ok(sample), Some(name)) => {
                self.summary.rows += 1;
                on_row(Row {
                    line: text,
                    name,
                    labels: &self.labels,
                    value: sample.value,
                    timestamp: sample.timestamp,
                });
            }
            (Ok(_), None) => self.error(RowErrorKind::Name, line, offset, limits),
            (Err(kind), _) => self.error(kind, line, offset, limits),
        }
    }

    /// A line of which only the beginning is known.
    fn too_long(&mut self, beginning: &[u8], offset: u64, limits: Limits) {
        if self.selector.wants(beginning) {
            self.error(RowErrorKind::TooLong, beginning, offset, limits);
        }
    }

    fn error(&mut self, kind: RowErrorKind, line: &[u8], offset: u64, limits: Limits) {
        self.summary.row_errors += 1;
        if self.summary.errors.len() < limits.errors {
            self.summary.errors.push(RowError::new(kind, offset, line));
        }
    }
}

/// OpenMetrics' last line.
const END_MARK: &[u8] = b"# EOF";

#[cfg(test)]
mod tests;
