//! One symbol a verdict, each one column wide.

use super::Screen;
use crate::report::Verdict;

/// The symbol of a verdict.
pub(super) fn of(verdict: Verdict, screen: Screen) -> &'static str {
    match (verdict, screen.unicode) {
        (Verdict::Pass, true) => "√",
        (Verdict::Pass, false) => "+",
        (Verdict::Warn, true) => "‼",
        (Verdict::Warn, false) => "!",
        (Verdict::Fail, true) => "×",
        (Verdict::Fail, false) => "x",
        (Verdict::Unknown, _) => "?",
        (Verdict::Blocked, true) => "·",
        (Verdict::Blocked, false) => ".",
        (Verdict::NotApplicable, true) => "–",
        (Verdict::NotApplicable, false) => "-",
        (Verdict::Waived, _) => "~",
    }
}

/// The word for a verdict.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warning",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::Blocked => "blocked",
        Verdict::NotApplicable => "not applicable",
        Verdict::Waived => "waived",
    }
}
