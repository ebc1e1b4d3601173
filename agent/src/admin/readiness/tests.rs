use super::*;
use crate::admin::sample;
use crate::lifecycle::Phase;
use rstest::rstest;
use starform_verify::contract::StepId;
use starform_verify::evidence::{Evidence, Observed};
use std::sync::Arc;
use testdata::recordings;

fn verbose(phase: Phase, recording: &str) -> String {
    statement(&sample::view(phase, recording)).to_string()
}

#[test]
fn before_the_first_verification() {
    insta::assert_snapshot!(verbose(Phase::Verifying, ""));
}

#[test]
fn verifying_with_step_3_broken() {
    insta::assert_snapshot!(verbose(Phase::Verifying, "kube-state-metrics-wildcard"));
}

#[test]
fn active() {
    insta::assert_snapshot!(verbose(Phase::Active, "healthy"));
}

#[test]
fn rejected() {
    insta::assert_snapshot!(verbose(Phase::Rejected, "healthy"));
}

#[test]
fn parameters_that_cannot_be_read_are_the_answer_while_it_starts() {
    let mut view = sample::view(Phase::Starting, "");
    view.snapshot.reason = "the file token is not there".into();
    assert_eq!(
        statement(&view).answer,
        "not ready: starting: the file token is not there"
    );
}

#[test]
fn a_refusal_is_the_answer_whatever_the_gate_came_to() {
    for recording in ["", "healthy", "shard-down"] {
        let answer = statement(&sample::view(Phase::Rejected, recording)).answer;
        assert!(answer.contains("the token is revoked"), "{answer}");
    }
}

#[test]
fn the_first_line_is_the_answer_in_every_phase() {
    for phase in Phase::ALL {
        for recording in ["", "healthy", "shard-down"] {
            let view = sample::view(phase, recording);
            let statement = statement(&view);
            let start = if view.snapshot.ready { "ready: " } else { "not ready: " };
            assert!(
                statement.answer.starts_with(&format!("{start}{phase}: ")),
                "{}",
                statement.answer
            );
            assert_eq!(statement.ready, view.snapshot.ready);
            let last = statement.to_string().lines().last().unwrap().to_owned();
            assert_eq!(last == "readyz check passed", view.snapshot.ready);
        }
    }
}

/// A standby, and a leader that registers, are ready once the cluster is known to be registered, and not before.
#[rstest]
fn the_phase_s_line_says_what_the_answer_does(
    #[values(Phase::Standby, Phase::Registering)] phase: Phase,
    #[values(true, false)] known: bool,
) {
    let mut view = sample::view(phase, "healthy");
    view.snapshot.ready = known;
    let expected = if known {
        [Standing::Holds, Standing::Told]
    } else {
        [Standing::Fails, Standing::Fails]
    };
    let standings = ["phase", "registration"].map(|name| line(&view, name).unwrap().standing);
    assert_eq!(standings, expected);
}

#[test]
fn every_gating_check_has_a_line_and_nothing_unseen_holds() {
    for recording in recordings::names() {
        let view = sample::view(Phase::Verifying, &recording);
        let report = &view.verification.as_deref().unwrap().report;
        let lines = statement(&view).lines;
        for terms in view.contract.steps.iter().flat_map(|step| &step.checks) {
            let found = lines.iter().find(|line| line.name == terms.code);
            assert_eq!(found.is_some(), terms.gates, "{recording} {}", terms.code);
            let verdict = report
                .checks()
                .find(|check| check.code == terms.code)
                .map(|check| check.verdict);
            let holds = line(&view, &terms.code).unwrap().standing == Standing::Holds;
            let passes = matches!(verdict, Some(Verdict::Pass | Verdict::Warn | Verdict::Waived));
            assert_eq!(holds, passes, "{recording} {}", terms.code);
        }
    }
}

#[test]
fn of_several_broken_steps_the_first_of_the_contract_s_order_leads() {
    let answer = |change: fn(&mut Evidence)| {
        let mut evidence = recordings::with_steps_2_and_4("kube-state-metrics-wildcard");
        change(&mut evidence);
        let verification = sample::verified(evidence, false);
        statement(&sample::view_of(Phase::Verifying, Some(verification)))
    };
    let fourth = answer(|evidence| evidence.telemetry.fluent_bit.workloads = Observed::Seen(Vec::new()));
    assert!(fourth.answer.contains("step 3 is broken"), "{}", fourth.answer);
    assert!(fourth.advice.starts_with("step 3 ("), "{}", fourth.advice);
    assert!(
        fourth
            .lines
            .iter()
            .any(|line| line.name == "SF402" && line.standing == Standing::Fails)
    );
    let second = answer(|evidence| evidence.gateway.classes = Observed::Seen(Vec::new()));
    assert!(second.answer.contains("step 2 is broken"), "{}", second.answer);
    assert!(second.answer.ends_with("(SF203)"), "{}", second.answer);
    assert!(
        second.advice.starts_with("step 2 (Envoy Gateway) is broken: SF203, "),
        "{}",
        second.advice
    );
}

/// As an agent that may not read steps 2 and 4.
#[test]
fn steps_of_which_nothing_was_seen_keep_the_gate_shut() {
    let verification = sample::verified(recordings::as_recorded("healthy"), true);
    let statement = statement(&sample::view_of(Phase::Verifying, Some(verification)));
    let start = "not ready: verifying: cannot tell whether step 2 is kept: ";
    assert!(statement.answer.starts_with(start), "{}", statement.answer);
    assert!(statement.answer.ends_with("(SF201)"), "{}", statement.answer);
    for code in ["SF201", "SF203", "SF402", "SF411", "SF434", "SF451"] {
        let line = statement.lines.iter().find(|line| line.name == code).unwrap();
        assert_eq!(line.standing, Standing::Unknown, "{code}");
    }
}

#[test]
fn a_check_that_the_report_lacks_is_unknown() {
    let mut view = sample::view(Phase::Verifying, "healthy");
    let mut verification = view.verification.as_deref().unwrap().clone();
    for step in &mut verification.report.steps {
        step.checks.retain(|check| check.code != "SF304");
    }
    verification.gate = Gate::of(&verification.report, &view.contract);
    view.verification = Some(Arc::new(verification));
    assert_eq!(line(&view, "sf304").unwrap().standing, Standing::Unknown);
    let statement = statement(&view);
    assert!(
        statement
            .answer
            .contains("cannot tell whether step 3 is kept: it was not judged (SF304)")
    );
}

#[test]
fn a_gate_without_any_check_says_so() {
    let mut view = sample::view(Phase::Verifying, "healthy");
    let mut verification = view.verification.as_deref().unwrap().clone();
    verification.gate = Gate::Unknown(Broken::without_check("no gating check has anything to judge"));
    view.verification = Some(Arc::new(verification));
    let statement = statement(&view);
    assert!(
        statement.answer.contains("no gating check has anything to judge"),
        "{}",
        statement.answer
    );
    assert_eq!(statement.advice, "");
}

#[test]
fn what_is_mended_first_is_what_the_others_stand_behind() {
    let mut view = sample::view(Phase::Verifying, "metrics-server-absent");
    let mut verification = view.verification.as_deref().unwrap().clone();
    let blocked = verification
        .report
        .checks()
        .find(|check| check.verdict == Verdict::Blocked && check.gates);
    let blocked = blocked.unwrap().clone();
    verification.gate = Gate::Fails(Broken::of(&blocked.code, StepId::Three, &blocked.observed));
    view.verification = Some(Arc::new(verification));
    assert_eq!(view.first_broken().unwrap().1.code, blocked.behind.unwrap());
}
