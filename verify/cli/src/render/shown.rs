//! Text that may be shown, by type: whoever writes to a screen takes nothing else.

use anstyle::Style;
use serde::Serialize;
use starform_verify::printable::{printable, printable_json, printable_line};
use std::fmt;
use std::ops::Deref;

/// Text in which nothing acts on a screen but the styles that this program has put around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown(String);

// === impl Shown ===

impl Shown {
    /// Any text.
    #[must_use]
    pub(crate) fn plain(text: &str) -> Self {
        Self(printable(text).into_owned())
    }

    /// Any text behind a word of this program's own. Its further lines are indented: a name with an end of a line in it must
    /// not begin a line that looks like this program's own.
    #[must_use]
    pub(crate) fn labelled(style: Style, label: &'static str, text: &str) -> Self {
        let text = printable(text).replace('\n', "\n  ");
        Self(format!("{style}{label}{style:#}: {text}"))
    }

    /// Any text as one line in a style.
    #[must_use]
    pub(crate) fn line(style: Style, text: &str) -> Self {
        Self(format!("{style}{}{style:#}", printable_line(text)))
    }

    /// A file or a script of many lines: tabs stay, and an end of a line as Windows has it becomes one.
    #[must_use]
    pub(crate) fn document(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let lines: Vec<_> = text.split('\t').map(printable).collect();
        Self(lines.join("\t"))
    }

    /// JSON, pretty, that is read as exactly the document. Ends in a newline.
    ///
    /// # Errors
    /// Where the document has no form in JSON.
    pub(crate) fn json(document: &impl Serialize) -> serde_json::Result<Self> {
        let mut text = serde_json::to_string_pretty(document)?;
        text.push('\n');
        Ok(Self(match printable_json(&text) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(escaped) => escaped,
        }))
    }

    /// What this program has written of itself alone: help, pages, completions. Nothing in it comes from outside.
    #[must_use]
    pub(crate) fn own(text: String) -> Self {
        Self(text)
    }

    /// Without styles, for a file.
    #[must_use]
    pub fn without_styles(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_error_no_further_line_looks_like_the_beginning_of_another() {
        let shown = Shown::labelled(
            Style::new(),
            "error",
            "there is no context \u{1b}a\n√ conforms: step 1\n",
        );
        let lines: Vec<&str> = shown.trim_end().lines().collect();
        assert_eq!(lines, ["error: there is no context \\u{1b}a", "  √ conforms: step 1"]);
    }
}
