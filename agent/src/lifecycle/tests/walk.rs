//! Every pair of phase and input.

use super::super::*;
use super::machine::{Machine, Move};
use super::{broken, granted, seconds, setback};
use crate::lifecycle::state::Request;
use std::collections::BTreeSet;
use std::fmt::Write;

/// States that stand for all: every phase, as leader and as standby where the phase has both, and in the conditions that
/// change what it does.
fn states() -> Vec<(&'static str, Machine)> {
    use Move::{Answer, Deposed, Elected, Fail, Parameters, Pass, Status, Unknown, Wait};
    let late = Wait(seconds(20));
    let register = [Elected, Pass];
    let active = [Elected, Pass, Answer(None), Answer(None)];
    let with = |first: &[Move], then: &[Move]| Machine::after(&[first, then].concat());
    let mut starting = Machine::started();
    starting.state = State::default();
    let mut starting_leader = starting.clone();
    starting_leader.feed(Input::Elected);
    let mut farewell = with(&active, &[]);
    farewell.feed(Input::Stop);
    let mut ended = with(&[Pass], &[]);
    ended.feed(Input::Stop);
    vec![
        ("starting", starting),
        ("starting, leads", starting_leader),
        ("verifying", with(&[], &[])),
        ("verifying, leads", with(&[Elected], &[])),
        ("standby", with(&[Pass], &[])),
        ("standby, ready", with(&[Pass, Status(true)], &[])),
        ("standby, ready, in doubt", with(&[Pass, Status(true), Unknown], &[])),
        ("registering", with(&register, &[])),
        ("registering, ready", with(&[Status(true)], &register)),
        (
            "registering, ready, in doubt",
            with(&[Status(true)], &[Elected, Pass, Unknown]),
        ),
        ("active", with(&active, &[])),
        ("active, once failed", with(&active, &[Fail, late.clone()])),
        ("active, other parameters", with(&active, &[Parameters])),
        ("degraded", with(&active, &[Fail, late.clone(), Fail, Answer(None)])),
        (
            "degraded, other parameters",
            with(&active, &[Fail, late, Fail, Parameters]),
        ),
        ("rejected", with(&register, &[Answer(Some(SetbackKind::Rejected))])),
        ("was leader", with(&active, &[Deposed])),
        ("stopping", farewell),
        ("stopping, ended", ended),
    ]
}

fn inputs() -> Vec<Input> {
    let kinds = [
        SetbackKind::Rejected,
        SetbackKind::VerifyAgain,
        SetbackKind::Unregistered,
        SetbackKind::Superseded,
        SetbackKind::Later { after: None },
        SetbackKind::Later {
            after: Some(seconds(90)),
        },
    ];
    let mut all = vec![
        Input::Started,
        Input::Elected,
        Input::Deposed,
        Input::Verified(Gate::Passes),
        Input::Verified(Gate::Fails(broken())),
        Input::Verified(Gate::Unknown(broken())),
        Input::StatusSeen { registered: true },
        Input::StatusSeen { registered: false },
        Input::Registered(granted(7)),
        Input::HeartbeatAccepted { interval: seconds(60) },
        Input::ParametersChanged,
        Input::Timer(Alarm::Request),
        Input::Timer(Alarm::Gate),
        Input::Timer(Alarm::Farewell),
        Input::Stop,
    ];
    all.extend(kinds.map(|kind| Input::RegisterFailed(setback(kind))));
    all.extend(kinds.map(|kind| Input::HeartbeatFailed(setback(kind))));
    all
}

/// An input's variant. No wildcard: a new variant has to be named here, and then be walked.
fn variant(input: &Input) -> &'static str {
    match input {
        Input::Started => "started",
        Input::Elected => "elected",
        Input::Deposed => "deposed",
        Input::Verified(_) => "verified",
        Input::StatusSeen { .. } => "status seen",
        Input::Registered(_) => "registered",
        Input::RegisterFailed(_) => "register failed",
        Input::HeartbeatAccepted { .. } => "heartbeat accepted",
        Input::HeartbeatFailed(_) => "heartbeat failed",
        Input::ParametersChanged => "parameters changed",
        Input::Timer(_) => "timer",
        Input::Stop => "stop",
    }
}

fn shown(input: &Input) -> String {
    let detail = match input {
        Input::Verified(Gate::Passes) => "passes".to_owned(),
        Input::Verified(Gate::Fails(_)) => "fails".to_owned(),
        Input::Verified(Gate::Unknown(_)) => "unknown".to_owned(),
        Input::StatusSeen { registered } => registered.to_string(),
        Input::RegisterFailed(why) | Input::HeartbeatFailed(why) => match why.kind {
            SetbackKind::Later { after: Some(after) } => format!("Later after {after:?}"),
            SetbackKind::Later { after: None } => "Later".to_owned(),
            kind => format!("{kind:?}"),
        },
        Input::Timer(alarm) => format!("{alarm:?}"),
        _ => return variant(input).to_owned(),
    };
    format!("{}: {detail}", variant(input))
}

fn done(action: &Action) -> Option<String> {
    Some(match action {
        // The change of phase stands in front.
        Action::Announce { .. } => return None,
        Action::Set(alarm, wait) if wait.least == wait.most => format!("{alarm:?} in {:?}", wait.least),
        Action::Set(alarm, wait) => format!("{alarm:?} in {:?}..{:?}", wait.least, wait.most),
        Action::Clear(alarm) => format!("no {alarm:?}"),
        Action::Heartbeat { generation } => format!("Heartbeat of {generation}"),
        other => format!("{other:?}"),
    })
}

#[test]
fn every_pair_of_phase_and_input_does_what_the_table_says() {
    let mut table = String::new();
    for (name, machine) in states() {
        let ready = if machine.state.ready() { "ready" } else { "unready" };
        writeln!(table, "\n{name}: {} ({ready})", machine.state.phase()).unwrap();
        for input in inputs() {
            let mut state = machine.state.clone();
            // As if the question had been asked, so that every answer is one.
            state.sent = match variant(&input) {
                "registered" | "register failed" => Some(Request::Register),
                "heartbeat accepted" | "heartbeat failed" => Some(Request::Heartbeat),
                _ => state.sent,
            };
            let actions = state.step(input.clone(), machine.now + seconds(3));
            let mut row = format!("  {:<34}", shown(&input));
            if state.phase() != machine.state.phase() {
                write!(row, "-> {} ", state.phase()).unwrap();
            }
            if state.ready() != machine.state.ready() {
                row.push_str(if state.ready() { "ready " } else { "unready " });
            }
            let actions: Vec<String> = actions.iter().filter_map(done).collect();
            if !actions.is_empty() {
                write!(row, "| {}", actions.join(", ")).unwrap();
            }
            writeln!(table, "{}", row.trim_end()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_phase_and_every_input_is_walked() {
    let phases: BTreeSet<Phase> = states().iter().map(|(_, machine)| machine.state.phase()).collect();
    assert_eq!(phases, BTreeSet::from(Phase::ALL));
    let variants: BTreeSet<&str> = inputs().iter().map(variant).collect();
    assert_eq!(variants.len(), 12);
    // Only a leader registers, is registered, or is refused; the properties say that no path leads elsewhere.
    for phase in [Phase::Starting, Phase::Verifying, Phase::Stopping] {
        let roles: BTreeSet<bool> = (states().iter())
            .filter(|(_, machine)| machine.steps.len() > 1 || phase != Phase::Stopping)
            .filter(|(_, machine)| machine.state.phase() == phase)
            .map(|(_, machine)| machine.state.leader())
            .collect();
        assert_eq!(roles.len(), 2, "{phase}");
    }
}

#[test]
fn an_answer_to_nothing_is_none() {
    let mut machine = Machine::after(&[Move::Pass, Move::Elected]);
    machine.feed(Input::Deposed);
    let state = machine.state.clone();
    for input in [
        Input::Registered(granted(1)),
        Input::HeartbeatFailed(setback(SetbackKind::Superseded)),
    ] {
        machine.feed(input);
        assert_eq!(machine.state, state);
    }
}

#[test]
fn a_flapping_starbase_is_not_met_at_full_speed() {
    let mut machine = Machine::after(&[Move::Elected, Move::Pass, Move::Answer(None)]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        machine.answer(Some(SetbackKind::Later { after: None }));
        let actions = &machine.steps.last().unwrap().actions;
        waits.extend(actions.iter().filter_map(|action| match action {
            Action::Set(Alarm::Request, wait) => Some(wait.most.as_secs()),
            _ => None,
        }));
        // One success between: no reason to forget.
        machine.make(&Move::Ring);
        machine.answer(None);
        machine.make(&Move::Pass);
        machine.make(&Move::Ring);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 120, 120]);
    machine.answer(None);
    for _ in 0..12 {
        machine.pass(seconds(30));
        machine.answer(None);
    }
    machine.make(&Move::Ring);
    machine.answer(Some(SetbackKind::Later { after: None }));
    let wait = machine.steps.last().unwrap().actions.first().cloned();
    assert_eq!(wait, Some(Action::Set(Alarm::Request, pace::backoff(1))));
}
