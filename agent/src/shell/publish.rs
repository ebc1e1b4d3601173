//! What the shell tells: the snapshot, and every transition.

use crate::lifecycle::{Input, Phase, State};
use crate::snapshot::{Registered, Snapshot, Transition};
use jiff::Timestamp;
use std::collections::VecDeque;
use tokio::sync::{mpsc, watch};

/// How many transitions may wait for their receiver. A cluster that flaps makes one every ten seconds; an announcer
/// that is three quarters of an hour behind has failed.
pub(super) const WAITING: usize = 256;

/// The channels, and what the state itself does not know: the time of day.
pub(super) struct Published {
    snapshot: watch::Sender<Snapshot>,
    transitions: mpsc::Sender<Transition>,
    waiting: VecDeque<Transition>,
    clock: fn() -> Timestamp,
    since: Timestamp,
    granted: Timestamp,
    heartbeat_accepted: Option<Timestamp>,
}

// === impl Published ===

impl Published {
    pub(super) fn new(
        snapshot: watch::Sender<Snapshot>,
        transitions: mpsc::Sender<Transition>,
        clock: fn() -> Timestamp,
    ) -> Self {
        let now = clock();
        Self {
            snapshot,
            transitions,
            waiting: VecDeque::new(),
            clock,
            since: now,
            granted: now,
            heartbeat_accepted: None,
        }
    }

    /// Starbase accepted.
    pub(super) fn accepted(&mut self, input: &Input) {
        match input {
            Input::Registered(_) => (self.granted, self.heartbeat_accepted) = ((self.clock)(), None),
            _ => self.heartbeat_accepted = Some((self.clock)()),
        }
    }

    /// The phase has changed.
    pub(super) fn announce(&mut self, from: Phase, to: Phase, reason: String) {
        self.since = (self.clock)();
        self.waiting.push_back(Transition {
            from,
            to,
            reason,
            at: self.since,
        });
    }

    /// Publishes where the lifecycle stands, where that has changed.
    pub(super) fn publish(&self, state: &State) {
        let registration = state.registration().map(|granted| Registered {
            generation: granted.generation,
            granted: self.granted,
            heartbeat_accepted: self.heartbeat_accepted,
            interval: granted.interval,
        });
        let next = Snapshot {
            phase: state.phase(),
            since: self.since,
            reason: state.reason().clone(),
            leader: state.leader(),
            gate: state.gate().cloned(),
            ready: state.ready(),
            registration,
            setback: state.setback().map(str::to_owned),
        };
        self.snapshot.send_if_modified(|last| {
            let modified = *last != next;
            *last = next;
            modified
        });
    }

    /// Whether no further transition may be made.
    pub(super) fn full(&self) -> bool {
        self.waiting.len() >= WAITING
    }

    /// How many transitions wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Tells the first transition that waits; for ever where none does. Once nobody listens there is nobody to tell.
    pub(super) async fn tell(&mut self) {
        if self.waiting.is_empty() {
            return std::future::pending().await;
        }
        match self.transitions.reserve().await {
            Ok(permit) => {
                if let Some(first) = self.waiting.pop_front() {
                    permit.send(first);
                }
            }
            Err(_) => self.waiting.clear(),
        }
    }

    /// Tells all that wait.
    pub(super) async fn tell_all(&mut self) {
        while !self.waiting.is_empty() {
            self.tell().await;
        }
    }
}
