//! A page of Markdown on a terminal.

use crate::render::{Screen, Wrap};
use anstyle::Style;
use std::fmt::Write;

const HEADING: Style = Style::new().bold();
const INDENT: usize = 2;

/// Headings bold, text wrapped and indented, code indented further and never wrapped.
pub(super) fn styled(page: &str, screen: Screen) -> String {
    let mut out = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            flush(&mut out, &mut paragraph, screen);
            in_code = !in_code;
        } else if in_code {
            let _ = writeln!(
                out,
                "{:width$}{line}",
                "",
                width = if line.is_empty() { 0 } else { 2 * INDENT }
            );
        } else if line.starts_with('#') {
            flush(&mut out, &mut paragraph, screen);
            let heading = line.trim_start_matches('#').trim_start();
            let _ = writeln!(out, "{HEADING}{heading}{HEADING:#}");
        } else if line.is_empty() || line.starts_with("- ") {
            flush(&mut out, &mut paragraph, screen);
            if line.is_empty() {
                out.push('\n');
            } else {
                paragraph.push(line);
            }
        } else {
            paragraph.push(line);
        }
    }
    flush(&mut out, &mut paragraph, screen);
    out
}

fn flush(out: &mut String, paragraph: &mut Vec<&str>, screen: Screen) {
    let Some(first) = paragraph.first() else { return };
    let hanging = if first.starts_with("- ") { 2 } else { 0 };
    let wrap = Wrap {
        width: screen.width,
        taken: INDENT,
        indent: INDENT + hanging,
    };
    let _ = writeln!(out, "{:INDENT$}{}", "", wrap.text(&paragraph.join(" ")));
    paragraph.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_as_it_is() {
        let page = "# SF101 x\n\n## What\n\nlong text\nthat goes on\n\n- one\n  two\n\n```sh\na   b\n\nc\n```\n";
        let screen = Screen {
            width: 40,
            unicode: true,
        };
        let plain = anstream::adapter::strip_str(&styled(page, screen)).to_string();
        assert_eq!(
            plain,
            "SF101 x\n\nWhat\n\n  long text that goes on\n\n  - one two\n\n    a   b\n\n    c\n"
        );
    }
}
