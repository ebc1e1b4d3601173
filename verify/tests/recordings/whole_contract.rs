//! A cluster of the testbed that keeps the whole contract, recorded once and replayed: by `starform-verify audit --step
//! 1,2,3,4,5,6 --record testdata/evidence/whole-contract.json`, in what `tests/run the_auditor`
//! leaves while it runs. It was recorded before the ConfigMaps of Alloy were read: `alloySettings`, and when they were read,
//! were added by hand, as the testbed's chart and the real one make them of the contract's values. So was that NodeMetrics were read
//! again: as of a pod of metrics-server that gave every answer, the one that was recorded.

use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::Evidence;
use starform_verify::report::{Report, Verdict};
use starform_verify_cli::render::{Format, Screen, render};

const RECORDING: &str = include_str!("../../../testdata/evidence/whole-contract.json");

/// Judges all that is the cluster's own.
fn judge(evidence: &Evidence) -> Report {
    let request = SelectionRequest {
        steps: vec![
            StepId::One,
            StepId::Two,
            StepId::Three,
            StepId::Four,
            StepId::Five,
            StepId::Six,
        ],
        ..SelectionRequest::default()
    };
    evaluate(
        &Contract::embedded().unwrap(),
        evidence,
        &Selection::new(&request).unwrap(),
    )
}

#[test]
fn a_whole_cluster_conforms_in_every_step() {
    let report = judge(&serde_json::from_str(RECORDING).unwrap());
    assert!(report.summary.conforms, "{}", report.summary.answer);
    let beside: Vec<(&str, Verdict)> = (report.checks())
        .filter(|check| check.verdict != Verdict::Pass)
        .map(|check| (check.code.as_str(), check.verdict))
        .collect();
    // No Gateway was made in it yet; the testbed comes up with step 3, before step 2; and Starbase was not asked.
    assert_eq!(
        beside,
        [
            ("SF206", Verdict::NotApplicable),
            ("SF209", Verdict::NotApplicable),
            ("SF483", Verdict::Warn),
            ("SF603", Verdict::NotAsked),
            ("SF604", Verdict::NotAsked)
        ]
    );
}

#[test]
fn what_was_recorded_before_alloy_s_configuration_was_read_does_not_say_that_no_credential_is_in_it() {
    let mut recorded: serde_json::Value = serde_json::from_str(RECORDING).unwrap();
    recorded["telemetry"].as_object_mut().unwrap().remove("alloySettings");
    let report = judge(&serde_json::from_value(recorded).unwrap());
    let beside: Vec<&str> = (report.checks())
        .filter(|check| check.verdict == Verdict::Unknown)
        .map(|check| check.code.as_str())
        .collect();
    assert_eq!(beside, ["SF447", "SF448"]);
}

#[test]
fn the_text_is_as_it_was() {
    let screen = Screen {
        width: 100,
        unicode: true,
    };
    let text = render(&judge(&serde_json::from_str(RECORDING).unwrap()), Format::Text, screen);
    insta::with_settings!({filters => vec![("contract sha256:[0-9a-f]+", "contract [digest]")]}, {
        insta::assert_snapshot!(text.without_styles());
    });
}

#[test]
fn every_gating_check_of_it_passes() {
    let report = judge(&serde_json::from_str(RECORDING).unwrap());
    let contract = Contract::embedded().unwrap();
    let gating = (contract.steps.iter())
        .flat_map(|step| &step.checks)
        .filter(|terms| terms.gates);
    for terms in gating {
        let check = report.checks().find(|check| check.code == terms.code).unwrap();
        assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.code, check.observed);
    }
}

#[test]
fn it_is_read_as_it_was_written() {
    let evidence: Evidence = serde_json::from_str(RECORDING).unwrap();
    let text = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
}
