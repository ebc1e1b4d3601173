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

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let kind = prop_oneof![
        2 => Just(SetbackKind::Rejected),
        2 => Just(SetbackKind::VerifyAgain),
        2 => Just(SetbackKind::Unregistered),
        2 => Just(SetbackKind::Superseded),
        3 => Just(SetbackKind::Later { after: None }),
        2 => (0_u64..400).prop_map(|after| SetbackKind::Later { after: Some(seconds(after)) }),
    ];
    let one = prop_oneof![
        4 => Just(Move::Elected),
        2 => Just(Move::Deposed),
        12 => Just(Move::Pass),
        5 => Just(Move::Fail),
        3 => Just(Move::Unknown),
        2 => any::<bool>().prop_map(Move::Status),
        1 => Just(Move::Parameters),
        10 => Just(Move::Answer(None)),
        6 => kind.prop_map(|kind| Move::Answer(Some(kind))),
        6 => (0_u64..20_000).prop_map(|millis| Move::Wait(Duration::from_millis(millis))),
        1 => (0_u64..1_500).prop_map(|secs| Move::Wait(seconds(secs))),
        10 => Just(Move::Ring),
    ];
    proptest::collection::vec(one, 200..260)
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
