//! What the table's arms do.

use super::pace::{self, Wait};
use super::state::Request;
use super::table::Step;
use super::{Action, Alarm, Gate, Granted, Phase, Reason, Setback, State};
use std::time::Duration;

// === impl State ===

impl State {
    /// What is wrong with the gate.
    fn broken(&self) -> Reason {
        let (broken, how) = match &self.gate {
            None => return "no verification yet".into(),
            Some(Gate::Passes) => return "no verification for too long".into(),
            Some(Gate::Fails(broken)) => (broken, "fails"),
            Some(Gate::Unknown(broken)) => (broken, "could not be seen"),
        };
        let words = match broken.code() {
            Some(code) => format!("{code} {how}: {}", broken.observed),
            None => broken.observed.clone(),
        };
        Reason::of_broken(words, broken)
    }
}

// === impl Step ===

impl Step<'_> {
    /// Changes the phase. Nothing of an earlier phase stays in flight.
    fn enter(&mut self, to: Phase, reason: impl Into<Reason>) {
        let from = std::mem::replace(&mut self.state.phase, to);
        self.state.reason = reason.into();
        self.state.owed = false;
        let reason = self.state.reason.words.clone();
        self.actions.push(Action::Announce { from, to, reason });
        self.forget();
    }

    pub(super) fn verify(&mut self) {
        if !self.actions.contains(&Action::Verify) {
            self.actions.push(Action::Verify);
        }
    }

    pub(super) fn verify_in(&mut self, reason: impl Into<Reason>) {
        self.enter(Phase::Verifying, reason);
        self.verify();
    }

    /// The phase stays; why is said anew.
    pub(super) fn explain(&mut self) {
        self.state.reason = self.state.broken();
    }

    /// To where a cluster without a registration belongs.
    pub(super) fn settle(&mut self, reason: &str) {
        let refused = self.state.phase == Phase::Rejected;
        if self.state.lost(self.now) {
            let reason = self.state.broken().after(reason);
            self.verify_in(reason);
        } else if !self.state.leader {
            self.enter(Phase::Standby, reason);
        } else {
            self.enter(Phase::Registering, reason);
            // What was refused has waited, or has other parameters now.
            if refused { self.ask_now() } else { self.ask_paced() }
        }
    }

    /// A standby was elected. It stays ready, and no backoff of an earlier time as leader is forgotten.
    pub(super) fn take_over(&mut self) {
        self.enter(Phase::Registering, "elected; registers anew");
        self.ask_paced();
    }

    /// A verification that was waited for has not come.
    pub(super) fn miss_verification(&mut self) {
        self.state.doubt.get_or_insert(self.now);
        self.look_at_gate();
        self.verify();
    }

    /// Acts on a gate that is in doubt, or no longer.
    pub(super) fn look_at_gate(&mut self) {
        if self.state.lost(self.now) {
            return self.lose_gate();
        }
        match self.state.doubt {
            None if self.state.owed => self.ask_paced(),
            None => {}
            Some(since) => {
                // A registration on its way was allowed by an older verification.
                if self.state.sent == Some(Request::Register) {
                    self.forget();
                    self.ask();
                }
                // The first sign is looked into at once.
                if since == self.now || self.state.failing == Some(self.now) {
                    self.verify();
                }
            }
        }
    }

    fn lose_gate(&mut self) {
        let reason = self.state.broken();
        match self.state.phase {
            Phase::Active => {
                self.enter(Phase::Degraded, reason);
                self.ask_now();
            }
            _ => self.verify_in(reason),
        }
    }

    /// The gate passes again.
    pub(super) fn recover(&mut self) {
        self.enter(Phase::Active, "every gating check passes again");
        self.ask_now();
    }

    /// The cluster is registered.
    pub(super) fn activate(&mut self, granted: Granted) {
        self.hold(granted);
        self.enter(Phase::Active, format!("registered, generation {}", granted.generation));
        self.ask_now();
    }

    /// Registered anew while active.
    pub(super) fn renew(&mut self, granted: Granted) {
        self.hold(granted);
        self.ask_now();
    }

    fn hold(&mut self, granted: Granted) {
        let state = &mut *self.state;
        state.registration = Some(Granted {
            interval: pace::interval(granted.interval),
            ..granted
        });
        (state.known, state.refused, state.outdated) = (true, false, false);
    }

    /// A heartbeat was accepted.
    pub(super) fn beat(&mut self, interval: Duration) {
        let interval = pace::interval(interval);
        if let Some(registration) = &mut self.state.registration {
            registration.interval = interval;
        }
        let owed = self.state.owed;
        self.plan(pace::heartbeat(interval));
        self.state.owed = owed;
    }

    /// Other parameters: another token, perhaps another ID. Readiness waits for Starbase's word. Where the gate does not
    /// pass, a heartbeat lets Starbase judge the token, and the registration follows the gate.
    pub(super) fn use_other_parameters(&mut self) {
        self.state.outdated = true;
        self.verify();
        self.ask_now();
    }

    /// Starbase has lost the registration.
    pub(super) fn register_lost(&mut self, why: &Setback) {
        self.state.registration = None;
        self.enter(Phase::Registering, Reason::of_setback(&why.message));
        self.ask_later();
    }

    /// Starbase refuses: unready until it accepts.
    pub(super) fn reject(&mut self, why: &Setback) {
        self.state.registration = None;
        (self.state.known, self.state.refused) = (false, true);
        self.enter(Phase::Rejected, Reason::of_setback(&why.message));
        self.plan(pace::refused());
    }

    /// What was seen does not suffice: it is looked at anew.
    pub(super) fn verify_again(&mut self, why: &Setback) {
        self.state.registration = None;
        self.state.gate = None;
        self.verify_in(Reason::of_setback(&why.message));
    }

    /// A later registration stands: whoever made it leads. The Lease is given back; there is no fight.
    pub(super) fn yield_to_later(&mut self, why: &Setback) {
        self.follow();
        self.actions.push(Action::StepDown);
        self.retire(Reason::of_setback(&why.message));
    }

    /// No longer the leader, with nothing in flight and no registration of its own.
    pub(super) fn retire(&mut self, reason: impl Into<Reason>) {
        let degraded = self.state.phase == Phase::Degraded;
        self.state.registration = None;
        if degraded || self.state.lost(self.now) {
            self.verify_in(reason);
        } else {
            self.enter(Phase::Standby, reason);
        }
    }

    /// The process ends. Starbase is told by a leader that is registered, if it does not want to be left alone.
    pub(super) fn stop(&mut self) {
        let told = self.state.leader && self.now >= self.state.not_before;
        self.enter(Phase::Stopping, "the process was asked to stop");
        match self.state.registration {
            Some(Granted { generation, .. }) if told => {
                self.send_heartbeat(generation);
                self.actions
                    .push(Action::Set(Alarm::Farewell, Wait::exactly(pace::FAREWELL)));
            }
            _ => self.end(),
        }
    }

    pub(super) fn end(&mut self) {
        if std::mem::replace(&mut self.state.ended, true) {
            return;
        }
        self.forget();
        if std::mem::take(&mut self.state.leader) {
            self.actions.push(Action::StepDown);
        }
        self.actions.push(Action::End);
    }
}
