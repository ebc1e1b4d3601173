//! When the next request is sent, and which.

use super::pace::{self, Wait};
use super::state::Request;
use super::table::Step;
use super::{Action, Alarm, Granted};

// === impl Step ===

impl Step<'_> {
    /// Nothing is in flight, and nothing waits to be.
    pub(super) fn forget(&mut self) {
        self.state.sent = None;
        if self.actions.last() != Some(&Action::Forget) {
            self.actions.push(Action::Forget);
        }
    }

    pub(super) fn send_heartbeat(&mut self, generation: u64) {
        self.state.sent = Some(Request::Heartbeat);
        self.actions.push(Action::Heartbeat { generation });
    }

    /// Sends the request that the phase wants.
    pub(super) fn ask(&mut self) {
        if !self.state.registers() {
            if let Some(Granted { generation, .. }) = self.state.registration {
                self.send_heartbeat(generation);
            }
        } else if self.state.fresh(self.now) {
            self.state.owed = false;
            self.state.sent = Some(Request::Register);
            self.actions.push(Action::Register);
        } else {
            self.state.owed = true;
            self.verify();
            // Until then an earlier registration is kept alive.
            match self.state.registration {
                Some(Granted { generation, .. }) => self.send_heartbeat(generation),
                None => self.forget(),
            }
        }
    }

    /// Now, or when Retry-After is over.
    pub(super) fn ask_now(&mut self) {
        if self.now >= self.state.not_before {
            self.ask();
        } else {
            self.forget();
            self.plan(pace::backoff(self.state.streak.max(1)));
        }
    }

    /// Now, unless Starbase's last answer was a setback.
    pub(super) fn ask_paced(&mut self) {
        if self.state.setback.is_some() {
            self.ask_later();
        } else {
            self.ask_now();
        }
    }

    /// After a backoff, and not before Retry-After is over.
    pub(super) fn ask_later(&mut self) {
        self.plan(pace::backoff(self.state.streak));
    }

    /// After a wait that begins when Retry-After is over, and may then be a quarter as long: Starbase says the same to
    /// many at once. Nothing waits for a verification any longer: the request looks for one itself when it is due.
    pub(super) fn plan(&mut self, wait: Wait) {
        let first = self.state.not_before.saturating_sub(self.now);
        let wait = Wait {
            most: wait.most.max(first / 4),
            ..wait
        };
        self.state.owed = false;
        self.actions.push(Action::Set(Alarm::Request, wait.after(first)));
    }
}
