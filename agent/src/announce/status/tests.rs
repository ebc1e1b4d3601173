use super::*;
use crate::admin::sample;
use crate::lifecycle::{Broken, Phase};
use proptest::prelude::*;
use starform_verify::contract::StepId;
use starform_verify::evidence::NodeJoin;
use testdata::recordings;

fn of(phase: Phase, recording: &str) -> ShuttleStatus {
    let view = sample::view(phase, recording);
    let verification = view.verification.as_deref();
    status(Facts {
        names: view.names.as_ref(),
        identity: &view.identity,
        uid: verification.and_then(|seen| seen.uid.as_deref()),
        snapshot: &view.snapshot,
        verification,
        written: view.now,
    })
}

#[test]
fn it_says_what_the_snapshot_and_the_verification_say() {
    let view = sample::view(Phase::Degraded, "shard-down");
    let seen = view.verification.as_deref().unwrap();
    let status = of(Phase::Degraded, "shard-down");
    assert_eq!(status.api_version, STATUS_VERSION);
    assert_eq!(status.pod, view.identity.pod);
    assert_eq!(
        (status.cluster_id.as_str(), status.region.as_str()),
        ("fra1-shop", "fra1")
    );
    assert_eq!(Some(&status.uid), seen.uid.as_ref());
    assert_eq!((status.phase, status.since), (Phase::Degraded, view.snapshot.since));
    let registration = status.registration.unwrap();
    assert_eq!(
        (registration.generation, registration.heartbeat_interval_seconds),
        (7, 30)
    );
    let verdict = status.verdict.unwrap();
    assert!(!verdict.passes);
    assert_eq!(verdict.first_broken.as_deref(), Some("SF321"));
    assert_eq!(verdict.first_broken_step, Some(StepId::Three));
    // What the agent says of the gate is what the auditor says of the whole, where what fails gates.
    assert_eq!(verdict.answer, seen.report.summary.answer);
    assert_eq!(
        (status.canary, status.join, status.nodes),
        (seen.canary.clone(), seen.join.clone(), seen.nodes.clone())
    );
}

#[test]
fn agent_and_auditor_name_the_same_first_broken_check_on_every_recording() {
    for recording in recordings::names() {
        let view = sample::view(Phase::Verifying, &recording);
        let summary = &view.verification.as_deref().unwrap().report.summary;
        let verdict = of(Phase::Verifying, &recording).verdict.unwrap();
        let first = summary.first_broken.as_ref();
        assert_eq!(
            verdict.first_broken.as_deref(),
            summary.first_broken_code(),
            "{recording}"
        );
        assert_eq!(verdict.first_broken_step, first.map(|first| first.step), "{recording}");
        assert_eq!(verdict.passes, summary.conforms, "{recording}");
        assert_eq!(verdict.answer, summary.answer, "{recording}");
    }
}

#[test]
fn before_the_first_verification_it_claims_nothing() {
    let status = of(Phase::Verifying, "");
    assert_eq!(status.verdict, None);
    assert_eq!(status.uid, "");
    assert!(!status.canary.row && !status.join.complete);
    assert_eq!(status.nodes.of, 0);
}

#[test]
fn a_failure_that_does_not_gate_is_told_beside_the_pass() {
    let view = sample::view(Phase::Active, "healthy");
    let mut verification = view.verification.as_deref().unwrap().clone();
    verification.report.summary.conforms = false;
    verification.report.summary.answer = "step 1 is broken: …".to_owned();
    let verdict = verdict(&verification);
    assert!(verdict.passes);
    assert_eq!(verdict.answer, "every gating check passes; step 1 is broken: …");
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    for phase in Phase::ALL {
        let status = of(phase, "healthy");
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<ShuttleStatus>(&json).unwrap(), status);
    }
}

#[test]
fn a_cluster_of_any_size_fits_into_a_config_map() {
    let view = sample::view(Phase::Degraded, "healthy");
    let mut verification = view.verification.as_deref().unwrap().clone();
    let long = "é".repeat(100_000);
    verification.join.joined = (0..20_000).map(|n| format!("{n:063}")).collect();
    verification.join.complete = true;
    verification.join.failed = vec![
        NodeJoin {
            node: "node".to_owned(),
            problem: long.clone()
        };
        500
    ];
    verification.nodes.unproven = (0..20_000).map(|n| format!("{n:063}")).collect();
    verification.gate = Gate::Fails(Broken::of("SF304", StepId::Three, &long));
    let mut snapshot = view.snapshot.clone();
    snapshot.reason = long.into();
    let status = status(Facts {
        names: view.names.as_ref(),
        identity: &view.identity,
        uid: None,
        snapshot: &snapshot,
        verification: Some(&verification),
        written: view.now,
    });
    assert!(serde_json::to_string(&status).unwrap().len() <= STATUS_BYTES);
    assert_eq!(status.join.failed.len(), STATUS_NAMES);
    assert!(status.join.joined.len() > 1_000);
    // Who is left out is not claimed.
    assert!(!status.join.complete);
}

proptest! {
    #[test]
    fn a_text_is_cut_at_a_character(text in ".{0,400}", bytes in 3usize..300) {
        let cut = cut(&text, bytes);
        prop_assert!(cut.len() <= bytes.max(text.len().min(bytes)));
        prop_assert!(cut == text || text.starts_with(cut.strip_suffix('…').unwrap()));
    }
}
