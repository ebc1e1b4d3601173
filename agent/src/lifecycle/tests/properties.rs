//! What holds after any sequence of at least two hundred moves.

#![expect(
    clippy::unchecked_time_subtraction,
    reason = "time only goes on; where it does not, the test is to fail"
)]

use super::super::*;
use super::machine::{Machine, Move, Record, moves};
use super::seconds;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a bystander knows of the gate.
#[derive(Default)]
struct Watcher {
    /// When it last passed, if nothing has failed since.
    passed: Option<Duration>,
    last_passes: bool,
    first_failure: Option<Duration>,
    confirmed: bool,
    last_pass: Option<Duration>,
    known: bool,
    not_before: Duration,
}

// === impl Watcher ===

impl Watcher {
    fn see(&mut self, record: &Record) {
        match &record.input {
            Input::Verified(Gate::Passes) => {
                *self = Self {
                    passed: Some(record.at),
                    last_pass: Some(record.at),
                    last_passes: true,
                    first_failure: None,
                    confirmed: false,
                    ..*self
                }
            }
            Input::Verified(Gate::Fails(_)) => {
                (self.passed, self.last_passes) = (None, false);
                let first = *self.first_failure.get_or_insert(record.at);
                self.confirmed |= record.at - first >= seconds(10);
            }
            Input::Verified(Gate::Unknown(_)) => self.last_passes = false,
            Input::Registered(_) | Input::StatusSeen { registered: true } => self.known = true,
            Input::RegisterFailed(why) | Input::HeartbeatFailed(why) => {
                if let SetbackKind::Later { after: Some(after) } = why.kind {
                    self.not_before = self.not_before.max(record.at + after);
                }
            }
            _ => {}
        }
    }
}

/// Nothing is proven of what is never reached.
#[test]
fn the_moves_reach_every_phase_and_what_the_properties_speak_of() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut phases, mut registered, mut refused, mut superseded, mut patient) = (BTreeSet::new(), 0, 0, 0, 0);
    for _ in 0..200 {
        let moves: Vec<Move> = (0..230).map(|_| Move::of(random.u32(..))).collect();
        for record in Machine::after(&moves).steps {
            phases.insert(record.after.phase());
            registered += usize::from(record.registers());
            refused += usize::from(record.enters(Phase::Rejected));
            superseded += usize::from(record.actions.contains(&Action::StepDown));
            patient += usize::from(record.after.not_before > record.at);
        }
    }
    let expected: BTreeSet<Phase> = Phase::ALL
        .into_iter()
        .filter(|phase| *phase != Phase::Stopping)
        .collect();
    phases.insert(Phase::Starting);
    assert_eq!(phases, expected);
    for count in [registered, refused, superseded, patient] {
        assert!(count > 100, "{registered} {refused} {superseded} {patient}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_becomes_active_or_registers_before_the_gate_is_seen_to_pass(moves in moves()) {
        let mut watcher = Watcher::default();
        for record in Machine::after(&moves).steps {
            watcher.see(&record);
            if record.enters(Phase::Active) {
                prop_assert!(watcher.passed.is_some(), "{record:?}");
            }
            if record.registers() {
                prop_assert!(watcher.last_passes, "{record:?}");
                prop_assert!(watcher.passed.is_some_and(|at| record.at - at <= seconds(300)), "{record:?}");
            }
        }
    }

    #[test]
    fn nothing_registers_while_rejected(moves in moves()) {
        let mut refused = None;
        for record in Machine::after(&moves).steps {
            if record.enters(Phase::Rejected) {
                refused = Some(record.at);
            }
            if record.after.phase() == Phase::Rejected {
                prop_assert!(!record.asks(), "{record:?}");
                prop_assert!(!record.after.ready(), "{record:?}");
            }
            if record.before.phase() == Phase::Rejected && record.registers() {
                let waited = record.at - refused.unwrap();
                prop_assert!(record.input == Input::ParametersChanged || waited >= seconds(240), "{record:?}");
            }
        }
    }

    #[test]
    fn every_state_leads_to_active(moves in moves()) {
        let mut machine = Machine::after(&moves);
        if !machine.state.leader() {
            machine.make(&Move::Elected);
        }
        for _ in 0..40 {
            if machine.state.phase() == Phase::Active {
                break;
            }
            machine.make(&Move::Pass);
            if machine.in_flight.is_some() {
                machine.make(&Move::Answer(None));
            } else if let Some(due) = machine.rings(Alarm::Request) {
                // In time with the verifier, as the agent is: a passing verification is never long away.
                while machine.now < due {
                    machine.make(&Move::Wait((due - machine.now).min(seconds(60))));
                    machine.make(&Move::Pass);
                }
            }
        }
        prop_assert_eq!(machine.state.phase(), Phase::Active, "{:?}", machine.state);
    }

    #[test]
    fn whoever_does_not_lead_is_ready_once_its_leader_is_registered(moves in moves()) {
        let mut machine = Machine::after(&moves);
        if machine.state.leader() {
            machine.make(&Move::Deposed);
        }
        machine.make(&Move::Pass);
        machine.make(&Move::Status(true));
        prop_assert_eq!(machine.state.phase(), Phase::Standby, "{:?}", machine.state);
        prop_assert!(machine.state.ready(), "{:?}", machine.state);
    }

    #[test]
    fn only_a_leader_asks_anything_and_412_ends_it(moves in moves()) {
        for record in Machine::after(&moves).steps {
            if record.asks() {
                prop_assert!(record.after.leader(), "{record:?}");
            }
            let phase = record.after.phase();
            let leads = matches!(phase, Phase::Registering | Phase::Active | Phase::Degraded | Phase::Rejected);
            prop_assert!(!leads || record.after.leader(), "{record:?}");
            if let Input::RegisterFailed(why) | Input::HeartbeatFailed(why) = &record.input
                && why.kind == SetbackKind::Superseded
            {
                prop_assert!(record.actions.contains(&Action::StepDown), "{record:?}");
                prop_assert!(record.actions.contains(&Action::Forget), "{record:?}");
                prop_assert!(!record.after.leader() && record.after.registration().is_none(), "{record:?}");
            }
            if record.input == Input::Deposed && record.before.leader() {
                prop_assert!(record.after.registration().is_none() && !record.after.leader(), "{record:?}");
            }
        }
    }

    #[test]
    fn what_is_ready_has_passed_and_is_registered(moves in moves()) {
        let mut watcher = Watcher::default();
        for record in Machine::after(&moves).steps {
            watcher.see(&record);
            if record.after.ready() {
                prop_assert!(watcher.known, "{record:?}");
                prop_assert!(!watcher.confirmed, "{record:?}");
                // Ten minutes without a verification, and ten more in which none passed.
                let pass = watcher.last_pass.map(|at| record.at - at);
                prop_assert!(pass.is_some_and(|age| age <= seconds(1200)), "{record:?}");
            }
        }
    }

    #[test]
    fn no_request_is_sent_before_its_retry_after_is_over(moves in moves(), stop in any::<bool>()) {
        let mut machine = Machine::after(&moves);
        if stop {
            machine.feed(Input::Stop);
        }
        let mut watcher = Watcher::default();
        for record in machine.steps {
            watcher.see(&record);
            prop_assert!(!record.asks() || record.at >= watcher.not_before, "{record:?}");
        }
    }

    #[test]
    fn a_stop_ends_in_time_and_a_second_one_changes_nothing(before in moves(), after in moves()) {
        let mut machine = Machine::after(&before);
        machine.steps.clear();
        machine.feed(Input::Stop);
        let stopped = machine.now;
        for (index, each) in after.iter().enumerate() {
            machine.make(each);
            if index % 20 == 3 {
                let state = machine.state.clone();
                machine.feed(Input::Stop);
                prop_assert_eq!(&machine.state, &state);
                prop_assert!(machine.steps.last().unwrap().actions.is_empty());
            }
        }
        machine.pass(seconds(6));
        let actions = || machine.steps.iter().flat_map(|record| &record.actions);
        prop_assert_eq!(actions().filter(|action| **action == Action::End).count(), 1);
        let heartbeats = actions().filter(|action| matches!(action, Action::Heartbeat { .. })).count();
        prop_assert!(heartbeats <= 1);
        prop_assert!(!machine.steps.iter().any(Record::registers));
        let ended = machine.steps.iter().find(|record| record.actions.contains(&Action::End)).unwrap().at;
        prop_assert!(ended - stopped <= seconds(5));
        prop_assert_eq!(machine.state.phase(), Phase::Stopping);
    }

    #[test]
    fn every_change_of_phase_is_announced_once(moves in moves()) {
        for record in Machine::after(&moves).steps {
            let announced: Vec<_> = (record.actions.iter())
                .filter_map(|action| match action {
                    Action::Announce { from, to, reason } => Some((*from, *to, reason.is_empty())),
                    _ => None,
                })
                .collect();
            let (from, to) = (record.before.phase(), record.after.phase());
            let expected = if from == to { vec![] } else { vec![(from, to, false)] };
            prop_assert_eq!(announced, expected, "{:?}", record);
        }
    }
}
