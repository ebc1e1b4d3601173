//! What the routes say of the agent's state.

use crate::announce;
use crate::lifecycle::{Broken, Gate, Phase};
use crate::verification::Verification;
use crate::view::View;
use starform_verify::report::{CheckResult, StepReport};

/// What the answer tells.
enum Told<'a> {
    /// What the gate came to.
    Gate(&'a Verification),
    /// That nothing was judged.
    NothingJudged,
    /// Why the phase is what it is.
    Reason,
}

// === impl View ===

impl View {
    /// The answer in one line, without the phase: what is broken first, else why the phase is what it is.
    pub(super) fn answer(&self) -> String {
        match self.told() {
            Told::NothingJudged => "nothing judged yet".to_owned(),
            Told::Gate(verification) => announce::answer(&verification.gate, &verification.report),
            Told::Reason if self.snapshot.reason.words.is_empty() => format!("the phase is {}", self.snapshot.phase),
            Told::Reason => self.snapshot.reason.words.clone(),
        }
    }

    /// What the answer tells.
    fn told(&self) -> Told<'_> {
        match (self.snapshot.phase, self.verification.as_deref()) {
            // What the gate came to is not why the phase is one of these.
            (Phase::Starting | Phase::Rejected | Phase::Stopping, _) => Told::Reason,
            (_, None) if self.snapshot.gate.is_none() => Told::NothingJudged,
            (_, Some(verification)) if verification.gate != Gate::Passes => Told::Gate(verification),
            _ => Told::Reason,
        }
    }

    /// The lifecycle's reason, where the answer does not say it already.
    pub(super) fn reason(&self) -> Option<&str> {
        let reason = &self.snapshot.reason;
        let told = match self.told() {
            Told::Reason => true,
            Told::NothingJudged => false,
            Told::Gate(_) => reason.broken.is_some() && reason.broken.as_ref() == self.broken(),
        };
        (!told && !reason.words.is_empty()).then_some(&reason.words)
    }

    /// Starbase's setback, where the reason does not say it already.
    pub(super) fn setback(&self) -> Option<&str> {
        let setback = self.snapshot.setback.as_deref();
        setback.filter(|_| self.snapshot.reason.setback.as_deref() != setback)
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
        let (step, check) = announce::find(report, self.broken()?.code()?)?;
        let root = check
            .behind
            .as_deref()
            .and_then(|behind| announce::find(report, behind));
        Some(root.unwrap_or((step, check)))
    }
}
