//! What each phase does with each input.

use super::pace::{self, Wait};
use super::state::Request;
use super::{Action, Alarm, Gate, Input, Phase, Setback, SetbackKind as Kind, State};
use std::time::Duration;

/// One step: the state, the time, and what has been decided so far.
pub(super) struct Step<'a> {
    pub(super) state: &'a mut State,
    pub(super) now: Duration,
    pub(super) actions: Vec<Action>,
}

// === impl State ===

impl State {
    /// What follows from `input`, `now` after the start. The times of successive steps never decrease.
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Action> {
        let mut step = Step {
            state: self,
            now,
            actions: Vec::new(),
        };
        if let Some(answered) = input.answers()
            && step.state.sent.take_if(|sent| *sent == answered).is_none()
        {
            return step.actions;
        }
        step.note(&input);
        step.decide(input);
        step.watch_gate();
        step.actions
    }
}

// === impl Input ===

impl Input {
    /// To which request it is an answer.
    fn answers(&self) -> Option<Request> {
        match self {
            Self::Registered(_) | Self::RegisterFailed(_) => Some(Request::Register),
            Self::HeartbeatAccepted { .. } | Self::HeartbeatFailed(_) => Some(Request::Heartbeat),
            _ => None,
        }
    }
}

// === impl Step ===

impl Step<'_> {
    /// The table: what is done, which is in `moves.rs` (`look_at_gate` is the way from active to degraded); when the gate counts
    /// as lost is [`State::lost`]. An input that a phase does not name changes nothing there but what [`Step::note`] keeps.
    #[expect(
        clippy::match_same_arms,
        reason = "a table: one line for each pair, whether or not two do the same"
    )]
    fn decide(&mut self, input: Input) {
        use self::Input as I;
        use self::Phase as P;
        match (self.state.phase, input) {
            (P::Starting, I::Started) => self.verify_in("the parameters were read"),
            (P::Starting, I::Stop) => self.stop(),

            (P::Verifying, I::Verified(Gate::Passes)) => self.settle("every gating check passes"),
            (P::Verifying, I::Verified(_)) => self.explain(),
            (P::Verifying, I::ParametersChanged) => self.verify(),
            (P::Verifying, I::Stop) => self.stop(),

            (P::Standby, I::Elected) => self.take_over(),
            (P::Standby, I::Verified(_)) => self.look_at_gate(),
            (P::Standby, I::Timer(Alarm::Gate)) => self.miss_verification(),
            (P::Standby, I::ParametersChanged) => self.verify(),
            (P::Standby, I::Stop) => self.stop(),

            (P::Registering, I::Registered(granted)) => self.activate(granted),
            (P::Registering, I::Timer(Alarm::Request)) => self.ask(),
            (P::Registering, I::Verified(_)) => self.look_at_gate(),
            (P::Registering, I::Timer(Alarm::Gate)) => self.miss_verification(),
            (P::Registering, I::ParametersChanged) => self.use_other_parameters(),
            (P::Registering, I::Deposed) => self.retire("the Lease was lost"),
            (P::Registering, I::Stop) => self.stop(),
            (P::Registering, I::RegisterFailed(why)) => match why.kind {
                Kind::Rejected => self.reject(&why),
                Kind::VerifyAgain => self.verify_again(&why),
                Kind::Superseded => self.yield_to_later(&why),
                Kind::Unregistered | Kind::Later { .. } => self.ask_later(),
            },

            (P::Active, I::Timer(Alarm::Request)) => self.ask(),
            (P::Active, I::HeartbeatAccepted { interval }) => self.beat(interval),
            (P::Active, I::Registered(granted)) => self.renew(granted),
            (P::Active, I::Verified(_)) => self.look_at_gate(),
            (P::Active, I::Timer(Alarm::Gate)) => self.miss_verification(),
            (P::Active, I::ParametersChanged) => self.use_other_parameters(),
            (P::Active, I::Deposed) => self.retire("the Lease was lost"),
            (P::Active, I::Stop) => self.stop(),
            (P::Active, I::HeartbeatFailed(why) | I::RegisterFailed(why)) => match why.kind {
                Kind::Rejected => self.reject(&why),
                Kind::VerifyAgain => self.verify_again(&why),
                Kind::Superseded => self.yield_to_later(&why),
                Kind::Unregistered => self.register_lost(&why),
                Kind::Later { .. } => self.ask_later(),
            },

            (P::Degraded, I::Timer(Alarm::Request)) => self.ask(),
            (P::Degraded, I::HeartbeatAccepted { interval }) => self.beat(interval),
            (P::Degraded, I::Verified(Gate::Passes)) => self.recover(),
            (P::Degraded, I::Verified(_)) => self.explain(),
            (P::Degraded, I::ParametersChanged) => self.use_other_parameters(),
            (P::Degraded, I::Deposed) => self.retire("the Lease was lost"),
            (P::Degraded, I::Stop) => self.stop(),
            (P::Degraded, I::HeartbeatFailed(why)) => match why.kind {
                Kind::Rejected => self.reject(&why),
                Kind::VerifyAgain | Kind::Unregistered => self.verify_again(&why),
                Kind::Superseded => self.yield_to_later(&why),
                Kind::Later { .. } => self.ask_later(),
            },

            (P::Rejected, I::Timer(Alarm::Request)) => self.settle("a refused registration is tried again"),
            (P::Rejected, I::ParametersChanged) => self.settle("the parameters changed"),
            (P::Rejected, I::Deposed) => self.retire("the Lease was lost"),
            (P::Rejected, I::Stop) => self.stop(),

            (P::Stopping, I::HeartbeatAccepted { .. } | I::HeartbeatFailed(_)) => self.end(),
            (P::Stopping, I::Timer(Alarm::Farewell)) => self.end(),
            (P::Stopping, I::Deposed) => self.end(),

            (_, _) => {}
        }
    }

    /// What is kept of an input whatever the phase.
    fn note(&mut self, input: &Input) {
        match input {
            Input::Elected => self.state.leader = true,
            Input::Deposed => self.follow(),
            Input::Verified(gate) => self.note_gate(gate),
            Input::StatusSeen { registered } => self.note_status(*registered),
            Input::Registered(_) | Input::HeartbeatAccepted { .. } => self.note_success(),
            Input::RegisterFailed(why) | Input::HeartbeatFailed(why) => self.note_setback(why),
            Input::Timer(Alarm::Gate) => self.state.gate_due = None,
            _ => {}
        }
    }

    fn note_gate(&mut self, gate: &Gate) {
        let now = self.now;
        let state = &mut *self.state;
        match gate {
            Gate::Passes => (state.doubt, state.failing, state.confirmed) = (None, None, false),
            Gate::Fails(_) => {
                let first = *state.failing.get_or_insert(now);
                state.confirmed |= now.saturating_sub(first) >= pace::APART;
                state.doubt.get_or_insert(now);
            }
            Gate::Unknown(_) => _ = state.doubt.get_or_insert(now),
        }
        state.gate = Some(gate.clone());
        state.judged = now;
    }

    /// Another replica leads. What Starbase last said to this one was said to a leader: a standby's readiness is judged by
    /// what the leader writes, in whatever phase the Lease was lost.
    pub(super) fn follow(&mut self) {
        let state = &mut *self.state;
        (state.leader, state.refused, state.outdated) = (false, false, false);
    }

    /// The leader's own word counts for more than what it wrote earlier, so it is told only what makes it ready: the
    /// registration that its predecessor wrote down.
    fn note_status(&mut self, registered: bool) {
        let state = &mut *self.state;
        if registered {
            state.known |= !state.refused;
        } else if !state.leader {
            state.known = false;
        }
    }

    fn note_success(&mut self) {
        self.state.healthy.get_or_insert(self.now);
        self.state.setback = None;
    }

    fn note_setback(&mut self, why: &Setback) {
        let now = self.now;
        let state = &mut *self.state;
        if (state.healthy.take()).is_some_and(|since| now.saturating_sub(since) >= pace::CALM) {
            state.streak = 0;
        }
        state.streak = state.streak.saturating_add(1);
        state.setback = Some(why.message.clone());
        if let Kind::Later { after: Some(after) } = why.kind {
            state.not_before = state.not_before.max(now + pace::retry_after(after));
        }
    }

    /// Keeps the alarm of the gate where the state wants it.
    fn watch_gate(&mut self) {
        let due = self.state.gate_due(self.now);
        if due == self.state.gate_due {
            return;
        }
        self.state.gate_due = due;
        self.actions.push(match due {
            Some(due) => Action::Set(Alarm::Gate, Wait::exactly(due.saturating_sub(self.now))),
            None => Action::Clear(Alarm::Gate),
        });
    }
}
