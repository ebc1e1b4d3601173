//! The lifecycle: a pure function of state, input and time. I/O, clock and randomness are [`crate::shell`]'s.
//!
//! | phase | means | left for |
//! |---|---|---|
//! | starting | parameters are not read yet | verifying: they are |
//! | verifying | the gate does not pass | standby, registering: it passes |
//! | standby | it passes, another replica leads; sends nothing | registering: elected; verifying: the gate is lost |
//! | registering | it passes, not accepted yet | active: accepted; rejected: 401, 403, 409; verifying: 422, gate lost |
//! | active | registered | degraded: the gate is lost; registering: 404, 410; rejected; verifying: 422 |
//! | degraded | registered, the gate is lost | active: it passes; verifying: 404, 410, 422; rejected |
//! | rejected | refused | registering, verifying: after some minutes, or at once with other parameters |
//! | stopping | the process ends | |
//!
//! 412, or the Lease lost, ends in standby (verifying, where the gate is lost). What each phase does with each input is
//! the `match` in `table.rs`; what came of every pair is kept in `snapshots/`.
//!
//! Four rules hold everywhere. A request is sent by a leader only, and never before Starbase's Retry-After is over.
//! A registration is sent only while the last verification passed and is fresh: where it is not, a verification is
//! asked for and the registration follows it. The gate is lost by two failing verifications some seconds apart, or by
//! ten minutes in which nothing was seen to pass; what is not ready has nothing to hold, so there one suffices. It is
//! ready from the moment this UID is known to be registered, and only while it has not lost the gate.

mod moves;
mod pace;
mod reason;
mod requests;
mod state;
mod table;
#[cfg(test)]
mod tests;

use starform_verify::contract::StepId;
use starform_verify::report::FirstBroken;
use std::time::Duration;

pub use self::pace::Wait;
pub use self::reason::Reason;
pub use self::state::{Action, Alarm, State};
pub use starform_verify::evidence::Phase;

/// What the gating checks came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Every one was seen, and none fails.
    Passes,
    /// One fails.
    Fails(Broken),
    /// None fails, and one could not be seen.
    Unknown(Broken),
}

/// The first gating check that does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which, and its step; `None` where it is no check's matter.
    pub check: Option<FirstBroken>,
    /// What was observed, in words.
    pub observed: String,
}

/// What happens to the lifecycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The parameters were read, and all tasks run.
    Started,
    /// This replica became the leader.
    Elected,
    /// It is no longer.
    Deposed,
    /// The gating checks were judged.
    Verified(Gate),
    /// The leader's status was read: whether it shows this cluster's UID registered. For the standby.
    StatusSeen {
        /// Whether it does.
        registered: bool,
    },
    /// Starbase registered the cluster.
    Registered(Granted),
    /// It did not.
    RegisterFailed(Setback),
    /// Starbase accepted a heartbeat, and wants the next after so long.
    HeartbeatAccepted {
        /// Until the next.
        interval: Duration,
    },
    /// It did not.
    HeartbeatFailed(Setback),
    /// The token file changed, or another parameter did.
    ParametersChanged,
    /// A wait that an action set is over.
    Timer(Alarm),
    /// The process was asked to stop.
    Stop,
}

/// A registration that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Its generation; every later request carries it.
    pub generation: u64,
    /// How often Starbase wants a heartbeat.
    pub interval: Duration,
}

/// Why a request to Starbase had no success, as far as the lifecycle is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// What follows from it.
    pub kind: SetbackKind,
    /// What was tried, what came back, what to do: in words, without the token.
    pub message: String,
}

/// What follows from a setback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetbackKind {
    /// 401, 403: the token is not accepted. 409: the ID belongs to another cluster.
    Rejected,
    /// 422: Starbase wants a report that says more.
    VerifyAgain,
    /// 404, 410: Starbase does not know this registration.
    Unregistered,
    /// 412: a later registration of the same cluster stands: another agent leads.
    Superseded,
    /// 429, 5xx, no connection, an answer that is not the API's: again later, not before `after` where there is one.
    Later {
        /// `Retry-After`.
        after: Option<Duration>,
    },
}

// === impl Broken ===

impl Broken {
    /// This check of this step.
    #[must_use]
    pub fn of(code: impl Into<String>, step: StepId, observed: impl Into<String>) -> Self {
        Self {
            check: Some(FirstBroken {
                code: code.into(),
                step,
            }),
            observed: observed.into(),
        }
    }

    /// No check's matter.
    #[must_use]
    pub fn without_check(observed: impl Into<String>) -> Self {
        Self {
            check: None,
            observed: observed.into(),
        }
    }

    /// The check's code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.check.as_ref().map(|check| check.code.as_str())
    }
}
