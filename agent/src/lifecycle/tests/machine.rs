//! The lifecycle with a shell that has no I/O: alarms ring when time passes, answers answer what is in flight.

use super::super::state::Request;
use super::super::*;
use super::{broken, granted, seconds, setback};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Elected,
    Deposed,
    Pass,
    Fail,
    Unknown,
    Status(bool),
    Parameters,
    /// What is in flight is accepted, or not.
    Answer(Option<SetbackKind>),
    /// Time passes; alarms ring.
    Wait(Duration),
    /// Time passes until the next alarm, and that rings.
    Ring,
}

/// The lifecycle, its alarms, and what a bystander knows.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) state: State,
    pub(super) now: Duration,
    alarms: BTreeMap<Alarm, Duration>,
    pub(super) in_flight: Option<Request>,
    generation: u64,
    pub(super) steps: Vec<Record>,
}

/// One step as a bystander saw it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Duration,
    pub(super) before: State,
    pub(super) input: Input,
    pub(super) actions: Vec<Action>,
    pub(super) after: State,
}

/// Sequences of moves. Drawn as numbers: a union of strategies takes ten times as long to draw, and shrinks no better.
pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec(any::<u32>(), 200..260).prop_map(|numbers| numbers.into_iter().map(Move::of).collect())
}

// === impl Move ===

impl Move {
    /// The move that a number stands for; the lower bits say which, the upper ones how long.
    pub(super) fn of(number: u32) -> Self {
        let amount = u64::from(number >> 8);
        match number % 64 {
            0..4 => Self::Elected,
            4..6 => Self::Deposed,
            6..18 => Self::Pass,
            18..23 => Self::Fail,
            23..26 => Self::Unknown,
            26..28 => Self::Status(amount % 2 == 0),
            28 => Self::Parameters,
            29..39 => Self::Answer(None),
            39..46 => Self::Answer(Some(match amount % 8 {
                0 => SetbackKind::Rejected,
                1 => SetbackKind::VerifyAgain,
                2 => SetbackKind::Unregistered,
                3 => SetbackKind::Superseded,
                4..6 => SetbackKind::Later {
                    after: Some(seconds(amount / 8 % 400)),
                },
                _ => SetbackKind::Later { after: None },
            })),
            46..52 => Self::Wait(Duration::from_millis(amount % 20_000)),
            52 => Self::Wait(seconds(amount % 1_500)),
            _ => Self::Ring,
        }
    }
}

// === impl Machine ===

impl Machine {
    pub(super) fn started() -> Self {
        let mut machine = Self {
            state: State::default(),
            now: Duration::ZERO,
            alarms: BTreeMap::new(),
            in_flight: None,
            generation: 0,
            steps: Vec::new(),
        };
        machine.feed(Input::Started);
        machine
    }

    pub(super) fn after(moves: &[Move]) -> Self {
        let mut machine = Self::started();
        for each in moves {
            machine.make(each);
        }
        machine
    }

    pub(super) fn make(&mut self, step: &Move) {
        match step {
            // The shell says neither twice.
            Move::Elected => self.feed(Input::Elected),
            Move::Deposed => self.feed(Input::Deposed),
            Move::Pass => self.feed(Input::Verified(Gate::Passes)),
            Move::Fail => self.feed(Input::Verified(Gate::Fails(broken()))),
            Move::Unknown => self.feed(Input::Verified(Gate::Unknown(broken()))),
            Move::Status(registered) => self.feed(Input::StatusSeen {
                registered: *registered,
            }),
            Move::Parameters => self.feed(Input::ParametersChanged),
            Move::Answer(outcome) => self.answer(*outcome),
            Move::Wait(length) => self.pass(*length),
            Move::Ring => {
                let due = self.alarms.values().min().copied();
                self.pass(due.map_or(Duration::ZERO, |due| due.saturating_sub(self.now)));
            }
        }
    }

    pub(super) fn answer(&mut self, outcome: Option<SetbackKind>) {
        self.generation += 1;
        let input = match (self.in_flight.take(), outcome) {
            (None, _) => return,
            (Some(Request::Register), None) => Input::Registered(granted(self.generation)),
            (Some(Request::Register), Some(kind)) => Input::RegisterFailed(setback(kind)),
            (Some(Request::Heartbeat), None) => Input::HeartbeatAccepted { interval: seconds(30) },
            (Some(Request::Heartbeat), Some(kind)) => Input::HeartbeatFailed(setback(kind)),
        };
        self.feed(input);
    }

    /// Time passes, and every alarm that is due rings in its turn.
    pub(super) fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some((alarm, due)) = self.next().filter(|(_, due)| *due <= until) {
            self.now = self.now.max(due);
            self.alarms.remove(&alarm);
            self.feed(Input::Timer(alarm));
        }
        self.now = until;
    }

    pub(super) fn rings(&self, alarm: Alarm) -> Option<Duration> {
        self.alarms.get(&alarm).copied()
    }

    fn next(&self) -> Option<(Alarm, Duration)> {
        self.alarms
            .iter()
            .map(|(alarm, due)| (*alarm, *due))
            .min_by_key(|(_, due)| *due)
    }

    pub(super) fn feed(&mut self, input: Input) {
        let before = self.state.clone();
        let actions = self.state.step(input.clone(), self.now);
        for action in &actions {
            match action {
                Action::Register | Action::Heartbeat { .. } | Action::Forget => {
                    self.alarms.remove(&Alarm::Request);
                    self.in_flight = match action {
                        Action::Register => Some(Request::Register),
                        Action::Heartbeat { .. } => Some(Request::Heartbeat),
                        _ => None,
                    };
                }
                // The earliest that the shell may draw: what must not be too early shows.
                Action::Set(alarm, wait) => _ = self.alarms.insert(*alarm, self.now + wait.least),
                Action::Clear(alarm) => _ = self.alarms.remove(alarm),
                Action::Verify | Action::StepDown | Action::Announce { .. } | Action::End => {}
            }
        }
        self.steps.push(Record {
            at: self.now,
            before,
            input,
            actions,
            after: self.state.clone(),
        });
    }
}

// === impl Record ===

impl Record {
    pub(super) fn registers(&self) -> bool {
        self.actions.contains(&Action::Register)
    }

    pub(super) fn asks(&self) -> bool {
        self.registers()
            || self
                .actions
                .iter()
                .any(|action| matches!(action, Action::Heartbeat { .. }))
    }

    pub(super) fn enters(&self, phase: Phase) -> bool {
        self.before.phase() != phase && self.after.phase() == phase
    }
}
