//! The classic form: sections in brackets, a key and its value a line.
//! Source: <https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/format-schema>.

use super::document::{Document, Kind, Section};

/// Reads a file. What is none of it is passed over: Fluent Bit would not have started with it.
pub(super) fn parse(text: &str) -> Document {
    let mut document = Document::default();
    // Whether the section that the lines belong to is one that is read.
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let kind = Kind::of(section.trim());
            inside = kind.is_some();
            let entries = Vec::new();
            document.sections.extend(kind.map(|kind| Section { kind, entries }));
            continue;
        }
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim();
        if key.eq_ignore_ascii_case("@INCLUDE") {
            document.includes.push(value.to_owned());
        } else if key.eq_ignore_ascii_case("@SET") {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            document
                .variables
                .push((name.trim().to_owned(), value.trim().to_owned()));
        } else if let (true, Some(section)) = (inside, document.sections.last_mut()) {
            section.entries.push((key.to_lowercase(), value.to_owned()));
        }
    }
    document
}
