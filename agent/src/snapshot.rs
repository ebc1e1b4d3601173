//! What the rest of the agent sees of the lifecycle.

use crate::lifecycle::{Gate, Phase, Reason};
use jiff::Timestamp;
use std::time::Duration;

/// The lifecycle at one moment. Published whenever any of it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: Reason,
    /// Whether this replica leads.
    pub leader: bool,
    /// What the gating checks last came to; `None` before the first time.
    pub gate: Option<Gate>,
    /// What `/readyz` answers.
    pub ready: bool,
    /// The registration, where there is one.
    pub registration: Option<Registered>,
    /// What Starbase last answered that was no success, in words; `None` once it accepts again.
    pub setback: Option<String>,
}

/// A registration that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its generation.
    pub generation: u64,
    /// When it was granted.
    pub granted: Timestamp,
    /// When Starbase last accepted a heartbeat.
    pub heartbeat_accepted: Option<Timestamp>,
    /// How often it wants one.
    pub interval: Duration,
}

/// A change of phase: told once each, as a log line, an Event and a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// From which phase.
    pub from: Phase,
    /// To which.
    pub to: Phase,
    /// Why, in words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

// === impl Snapshot ===

impl Snapshot {
    /// Before anything is known; what the channel holds until the lifecycle runs.
    #[must_use]
    pub fn starting(since: Timestamp) -> Self {
        Self {
            phase: Phase::Starting,
            since,
            reason: "the parameters are not read yet".into(),
            leader: false,
            gate: None,
            ready: false,
            registration: None,
            setback: None,
        }
    }
}
