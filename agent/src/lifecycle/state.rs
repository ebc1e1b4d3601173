//! The lifecycle's state, and what it can ask of its shell.

use super::pace::{self, Wait};
use super::{Gate, Granted, Phase, Reason};
use std::time::Duration;

/// What the shell is to do. In the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask Starbase to register the cluster, now. Ends what is in flight and what waits.
    Register,
    /// Send a heartbeat, now. Ends what is in flight and what waits.
    Heartbeat {
        /// Of the registration.
        generation: u64,
    },
    /// End the request that is in flight, and the wait for the next.
    Forget,
    /// Say [`super::Input::Timer`] after a wait. Replaces an earlier wait of the same alarm.
    Set(Alarm, Wait),
    /// Forget that wait.
    Clear(Alarm),
    /// A verification is wanted now.
    Verify,
    /// Give back the Lease.
    StepDown,
    /// The phase has changed: one log line, one Event.
    Announce {
        /// From which phase.
        from: Phase,
        /// To which.
        to: Phase,
        /// Why, in words.
        reason: String,
    },
    /// Nothing is left to do: the shell returns.
    End,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// The next request.
    Request,
    /// The gate is to be looked at again.
    Gate,
    /// The last heartbeat has taken too long.
    Farewell,
}

/// A request to Starbase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Register,
    Heartbeat,
}

/// Where the lifecycle stands. Times are since its start.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most pairs of them occur"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(super) phase: Phase,
    pub(super) reason: Reason,
    pub(super) leader: bool,
    /// What the last verification came to, and when.
    pub(super) gate: Option<Gate>,
    pub(super) judged: Duration,
    /// Since when no verification passed, after one that did.
    pub(super) doubt: Option<Duration>,
    /// When the first one failed since the last that passed, and whether another has confirmed it.
    pub(super) failing: Option<Duration>,
    pub(super) confirmed: bool,
    /// When [`Alarm::Gate`] is due.
    pub(super) gate_due: Option<Duration>,
    /// What Starbase granted, and still holds as far as is known.
    pub(super) registration: Option<Granted>,
    /// Whether this UID is known to be registered, by its own registration or the leader's status.
    pub(super) known: bool,
    /// Refused since the last registration: an older status does not make it known.
    pub(super) refused: bool,
    /// The registration was made with other parameters than today's.
    pub(super) outdated: bool,
    /// A registration is due and waits for a verification that passes.
    pub(super) owed: bool,
    /// What is in flight. An answer to anything else is none.
    pub(super) sent: Option<Request>,
    /// Starbase's last answer, where it was no success.
    pub(super) setback: Option<String>,
    /// How many setbacks there were in a row; see [`pace::CALM`].
    pub(super) streak: u32,
    /// Since when Starbase has accepted everything.
    pub(super) healthy: Option<Duration>,
    /// No request before: Retry-After.
    pub(super) not_before: Duration,
    pub(super) ended: bool,
}

// === impl State ===

impl State {
    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Whether this replica leads. False from the moment it steps down, before the Lease is gone.
    #[must_use]
    pub fn leader(&self) -> bool {
        self.leader
    }

    /// What the gating checks last came to.
    #[must_use]
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// The registration that stands, as far as is known.
    #[must_use]
    pub fn registration(&self) -> Option<Granted> {
        self.registration
    }

    /// Starbase's last answer, where it was no success.
    #[must_use]
    pub fn setback(&self) -> Option<&str> {
        self.setback.as_deref()
    }

    /// What `/readyz` answers: the gate is not lost, and this UID is registered. It stays so while Starbase cannot be
    /// reached, and while another replica takes over: neither harms the cluster. Standby and registering are only ever
    /// held by an agent that has not lost the gate.
    #[must_use]
    pub fn ready(&self) -> bool {
        match self.phase {
            Phase::Active => true,
            Phase::Standby | Phase::Registering => self.known,
            Phase::Starting | Phase::Verifying | Phase::Degraded | Phase::Rejected | Phase::Stopping => false,
        }
    }

    /// Whether the request that is due is a registration; otherwise it is a heartbeat.
    pub(super) fn registers(&self) -> bool {
        match self.phase {
            Phase::Registering => true,
            Phase::Active => self.outdated,
            _ => false,
        }
    }

    /// Whether a registration may be sent.
    pub(super) fn fresh(&self, now: Duration) -> bool {
        self.gate == Some(Gate::Passes) && self.doubt.is_none() && now.saturating_sub(self.judged) <= pace::FRESH
    }

    /// Whether the gate is lost: see the module.
    pub(super) fn lost(&self, now: Duration) -> bool {
        let passes = self.gate == Some(Gate::Passes) && self.doubt.is_none();
        let held = self.doubt.is_some_and(|since| now.saturating_sub(since) < pace::HOLD);
        self.confirmed || !(passes || self.known && held)
    }

    /// When the gate is to be looked at again though no verification comes.
    pub(super) fn gate_due(&self, now: Duration) -> Option<Duration> {
        if !matches!(self.phase, Phase::Standby | Phase::Registering | Phase::Active) {
            return None;
        }
        let confirms = self.failing.map(|first| first + pace::APART).filter(|due| *due > now);
        let unheld = self.doubt.map(|since| since + pace::HOLD);
        let silent = unheld.is_none().then_some(self.judged + pace::SILENCE);
        [confirms, unheld, silent].into_iter().flatten().min()
    }
}
