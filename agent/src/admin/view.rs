//! What the routes say of the agent's state.

use crate::announce;
use crate::lifecycle::{Broken, Gate, Phase};
use crate::view::View;
use starform_verify::report::{CheckResult, StepReport};

// === impl View ===

impl View {
    /// The answer in one line, without the phase: what is broken first, else why the phase is what it is.
    pub(super) fn answer(&self) -> String {
        let reason = || match self.snapshot.reason.as_str() {
            "" => format!("the phase is {}", self.snapshot.phase),
            reason => reason.to_owned(),
        };
        match (self.snapshot.phase, self.verification.as_deref()) {
            // What the gate came to is not why the phase is one of these.
            (Phase::Starting | Phase::Rejected | Phase::Stopping, _) => reason(),
            (_, None) if self.snapshot.gate.is_none() => "nothing judged yet".to_owned(),
            (_, Some(verification)) if verification.gate != Gate::Passes => {
                announce::answer(&verification.gate, &verification.report)
            }
            _ => reason(),
        }
    }

    /// The lifecycle's reason, where the answer does not say it already.
    pub(super) fn reason(&self) -> Option<&str> {
        let reason = self.snapshot.reason.as_str();
        let told = |broken: &Broken| reason.contains(&broken.observed);
        (!reason.is_empty() && self.answer() != reason && !self.broken().is_some_and(told)).then_some(reason)
    }

    /// Starbase's setback, where the reason does not say it already.
    pub(super) fn setback(&self) -> Option<&str> {
        let setback = self.snapshot.setback.as_deref()?;
        (!self.snapshot.reason.contains(setback)).then_some(setback)
    }

    /// What does not pass first, of the checks that gate.
    pub(super) fn broken(&self) -> Option<&Broken> {
        match &self.verification.as_deref()?.gate {
            Gate::Passes => None,
            Gate::Fails(broken) | Gate::Unknown(broken) => Some(broken),
        }
    }

    /// The check to mend first: the broken one, or what that one stands behind.
    pub(super) fn first_broken(&self) -> Option<(&StepReport, &CheckResult)> {
        let report = &self.verification.as_deref()?.report;
        let (step, check) = announce::find(report, &self.broken()?.code)?;
        let root = check
            .behind
            .as_deref()
            .and_then(|behind| announce::find(report, behind));
        Some(root.unwrap_or((step, check)))
    }
}
