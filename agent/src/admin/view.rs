//! Everything that the agent's routes answer from, at one moment.

use super::probes::{Line, Readiness, Statement};
use super::readiness;
use crate::announce::{self, Names};
use crate::identity::Identity;
use crate::lifecycle::{Broken, Gate, Phase};
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use jiff::Timestamp;
use starform_verify::contract::Contract;
use starform_verify::report::{CheckResult, StepReport};
use std::sync::Arc;
use tokio::sync::watch;

/// Where the agent's state is read. The token is in none of it.
#[derive(Clone, Debug)]
pub struct Sources {
    /// This pod.
    pub identity: Identity,
    /// The contract that the verifications are judged by.
    pub contract: Arc<Contract>,
    /// Cluster ID and region; `None` until they were read.
    pub names: watch::Receiver<Option<Names>>,
    /// Where the lifecycle stands.
    pub snapshot: watch::Receiver<Snapshot>,
    /// The last verification.
    pub verifications: watch::Receiver<Option<Arc<Verification>>>,
}

/// The agent's state at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// This pod.
    pub identity: Identity,
    /// The contract.
    pub contract: Arc<Contract>,
    /// Cluster ID and region.
    pub names: Option<Names>,
    /// Where the lifecycle stands.
    pub snapshot: Snapshot,
    /// The last verification.
    pub verification: Option<Arc<Verification>>,
    /// The agent's clock.
    pub now: Timestamp,
}

// === impl Sources ===

impl Sources {
    /// The state now.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            identity: self.identity.clone(),
            contract: Arc::clone(&self.contract),
            names: self.names.borrow().clone(),
            snapshot: self.snapshot.borrow().clone(),
            verification: self.verifications.borrow().clone(),
            now: Timestamp::now(),
        }
    }
}

impl Readiness for Sources {
    fn statement(&self) -> Statement {
        readiness::statement(&self.view())
    }

    fn line(&self, name: &str) -> Option<Line> {
        readiness::line(&self.view(), name)
    }
}

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
