//! What something came to, as the page shows it: a symbol and a word, and a colour that says nothing which these do not.

use super::phase_state;
use crate::view::View;
use maud::{Markup, html};
use starform_verify::report::{StepReport, Verdict};

/// What a step, a check or the whole came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Pass,
    /// It works, and something should change.
    Warn,
    /// Broken.
    Fail,
    /// Could not be seen.
    Unknown,
    /// Stands behind what is broken.
    Blocked,
    /// Nothing to judge.
    NotApplicable,
    /// A fail that the contract accepts.
    Waived,
    /// Under way.
    Waits,
    /// No check has looked.
    NotAudited,
}

// === impl State ===

impl State {
    /// Of the phase.
    pub(super) fn of_phase(view: &View) -> Self {
        phase_state(view.snapshot.phase, view.first_broken().map(|(_, check)| check.verdict))
    }

    /// Of a step: the worst of its checks.
    pub(super) fn of_step(step: &StepReport) -> Self {
        let came_to = |verdict: Verdict| step.checks.iter().any(|check| check.verdict == verdict);
        let order = [
            Verdict::Fail,
            Verdict::Unknown,
            Verdict::Blocked,
            Verdict::Warn,
            Verdict::Waived,
            Verdict::Pass,
            Verdict::NotApplicable,
            Verdict::NotAsked,
        ];
        order
            .into_iter()
            .find(|verdict| came_to(*verdict))
            .map_or(Self::NotAudited, Self::of)
    }

    /// Of a check.
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Warn => Self::Warn,
            Verdict::Fail => Self::Fail,
            Verdict::Unknown => Self::Unknown,
            Verdict::Blocked => Self::Blocked,
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::NotAsked => Self::NotAudited,
            Verdict::Waived => Self::Waived,
        }
    }

    /// One character.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Warn => "!",
            Self::Fail => "✕",
            Self::Unknown => "?",
            Self::Blocked => "∙",
            Self::NotApplicable => "–",
            Self::Waived => "~",
            Self::Waits => "…",
            Self::NotAudited => "○",
        }
    }

    /// In words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warning",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
            Self::NotApplicable => "not applicable",
            Self::Waived => "waived",
            Self::Waits => "waits",
            Self::NotAudited => "not audited",
        }
    }

    /// Its class in the style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn | Self::Waived => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Blocked | Self::NotApplicable | Self::Waits | Self::NotAudited => "idle",
        }
    }

    /// Symbol and word.
    pub(super) fn badge(self) -> Markup {
        html! {
            span class=(format!("badge {}", self.class())) {
                span aria-hidden="true" { (self.symbol()) } " " (self.word())
            }
        }
    }
}
