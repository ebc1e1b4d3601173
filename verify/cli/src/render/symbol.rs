//! One symbol a verdict, each one column wide.

use super::Screen;
use starform_verify::report::Verdict;

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
        (Verdict::NotAsked, true) => "○",
        (Verdict::NotAsked, false) => "o",
        (Verdict::Waived, _) => "~",
    }
}
