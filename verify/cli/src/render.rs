//! Turns a report into what a person or a program reads.
//!
//! Every form is made from the same [`Report`], and none leaves a check out. A rendering may carry ANSI styles; whoever
//! writes it strips them where they are not wanted. What comes from outside acts on no screen: a form for people is made
//! from a report that is `neutral`, JSON escapes it, and whatever else is shown is [`Shown`] too.

mod command;
mod json;
mod junit;
mod neutral;
pub mod pages;
mod short;
mod shown;
mod style;
mod symbol;
mod text;
mod wrap;

#[cfg(test)]
pub(crate) mod sample;

use starform_verify::printable::one_line;
use starform_verify::report::{Report, ToolError};
use std::fmt;
use std::str::FromStr;

use self::json::ErrorDocument;
pub(crate) use self::json::schema;
pub use self::shown::Shown;
pub(crate) use self::wrap::Wrap;

/// An output form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For an engineer: the answer first, then step by step.
    Text,
    /// For a chat: the answer, what is not as it should be, versions and counts.
    Short,
    /// The report itself.
    Json,
    /// For a build server.
    Junit,
}

/// What the reader's screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns to wrap at. Commands are never wrapped.
    pub width: usize,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
}

/// Renders a report. Ends in a newline.
#[must_use]
pub fn render(report: &Report, format: Format, screen: Screen) -> Shown {
    let for_people = |report: &Report| match format {
        Format::Text => text::render(report, screen),
        Format::Short => short::render(report, screen),
        Format::Junit => junit::render(report),
        Format::Json => String::new(),
    };
    match format {
        Format::Json => json::render(report),
        Format::Text | Format::Short | Format::Junit => match neutral::neutral(report) {
            Ok(report) => Shown::own(for_people(&report)),
            // A report is always read as it was written. Were it not, the styles would be written out too.
            Err(_) => Shown::plain(&for_people(report)),
        },
    }
}

/// Renders why there is no report, in a report's place. Ends in a newline.
#[must_use]
pub(crate) fn render_error(error: &ToolError, format: Format) -> Shown {
    match format {
        Format::Json => ErrorDocument::new(error.clone()).render(),
        Format::Junit => Shown::own(junit::error(error)),
        Format::Text | Format::Short => {
            let first = std::iter::once(("error", error.message.as_str()));
            let lines = first.chain(error.beneath());
            let lines: Vec<String> = lines
                .map(|(label, text)| format!("{label}: {}", one_line(text)))
                .collect();
            Shown::plain(&format!("{}\n", lines.join("\n")))
        }
    }
}

// === impl Format ===

impl Format {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Text, Self::Short, Self::Json, Self::Junit];

    /// Whether a program reads it, which has to find something also where there is no report.
    #[must_use]
    pub(crate) fn is_for_programs(self) -> bool {
        matches!(self, Self::Json | Self::Junit)
    }

    /// Whether a reader of this form sees why the tool could not run.
    #[must_use]
    pub(crate) fn tells_errors(self) -> bool {
        matches!(self, Self::Text | Self::Short)
    }

    /// As the command line writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Short => "short",
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| format!("there is no output form {name:?}; the forms are text, short, json and junit"))
    }
}
