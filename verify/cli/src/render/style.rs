//! The few styles there are. They add to symbols and words and never replace them.

use anstyle::{AnsiColor, Style};
use starform_verify::report::Verdict;
use std::fmt;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// The style of a verdict's symbol: colours that read on a light and on a dark ground.
pub(super) fn of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => AnsiColor::Green.on_default(),
        Verdict::Warn | Verdict::Waived => AnsiColor::Yellow.on_default(),
        Verdict::Fail => AnsiColor::Red.on_default().bold(),
        Verdict::Unknown => AnsiColor::Magenta.on_default().bold(),
        Verdict::Blocked | Verdict::NotApplicable | Verdict::NotAsked => DIM,
    }
}

/// A text in a style.
pub(super) struct Styled<T>(pub(super) Style, pub(super) T);

impl<T: fmt::Display> fmt::Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0.render(), self.1, self.0.render_reset())
    }
}
