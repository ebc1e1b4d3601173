//! A report in which nothing acts on a screen: every form for people is made from one, so that none can forget it.
//!
//! It is made by way of JSON, so that it covers every text of a report, also those that are added later.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use starform_verify::printable::{printable, printable_line};
use starform_verify::report::Report;
use std::borrow::Cow;
use std::io;

/// The report with every text made [printable]. Copied only where there is something to replace.
pub(super) fn neutral(report: &Report) -> serde_json::Result<Cow<'_, Report>> {
    let mut formatter = Neutral { found: false };
    written(report, io::sink(), &mut formatter)?;
    if !formatter.found {
        return Ok(Cow::Borrowed(report));
    }
    let mut json = Vec::new();
    written(report, &mut json, &mut formatter)?;
    serde_json::from_slice(&json).map(Cow::Owned)
}

fn written(report: &Report, writer: impl io::Write, formatter: &mut Neutral) -> serde_json::Result<()> {
    report.serialize(&mut Serializer::with_formatter(writer, formatter))
}

/// Writes JSON whose strings are printable, and notes whether any was not.
struct Neutral {
    found: bool,
}

impl Formatter for &mut Neutral {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        match printable(fragment) {
            Cow::Borrowed(fragment) => writer.write_all(fragment.as_bytes()),
            Cow::Owned(fragment) => {
                self.found = true;
                // What is written out begins with a backslash; a fragment itself holds none.
                writer.write_all(fragment.replace('\\', "\\\\").as_bytes())
            }
        }
    }

    fn write_char_escape<W: io::Write + ?Sized>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let byte = match escape {
            CharEscape::Backspace => 0x08,
            CharEscape::Tab => b'\t',
            CharEscape::FormFeed => 0x0c,
            CharEscape::CarriageReturn => b'\r',
            CharEscape::AsciiControl(byte) => byte,
            other => return CompactFormatter.write_char_escape(writer, other),
        };
        debug_assert!(
            matches!(printable_line(char::from(byte).encode_utf8(&mut [0; 4])), Cow::Owned(_)),
            "JSON escapes only controls"
        );
        self.found = true;
        write!(writer, "\\\\u{{{byte:x}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_report_without_anything_that_acts_is_not_copied() {
        let mut report = sample::wildcard();
        report.summary.answer = "größe \"quoted\" back\\slash\nnext".to_owned();
        assert!(matches!(neutral(&report), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn every_text_is_made_printable_and_all_else_stays() {
        let mut report = sample::forbidden();
        let hostile = "\\ \u{1b}[2J \"\u{9b}31m\t\u{8}\u{c}\r\u{202e}\nnext";
        report.subject.context = Some(hostile.to_owned());
        report.summary.ignored = vec![hostile.to_owned()];
        let mut expected = report.clone();
        expected.subject.context = Some(printable(hostile).into_owned());
        expected.summary.ignored = vec![printable(hostile).into_owned()];
        assert_eq!(*neutral(&report).unwrap(), expected);
    }
}
