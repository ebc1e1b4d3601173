//! What checks say of the pages in `testdata/exposition`.

use super::*;
use crate::contract::Contract;
use crate::evaluate::{check, judge};
use crate::evidence::{ApiServer, Evidence, RunningJob, Source, Target, Timing};
use crate::flow::page_tests::{file, parse};
use rstest::rstest;
use starform_exposition::Format;

fn read(program: Program, name: &str, read_ms: u64) -> Observed<Metrics> {
    let samples = parse(program, &file(name), Format::Text).unwrap();
    Observed::Seen(Metrics { read_ms, samples })
}

/// What a check says of one pod with these pages.
fn judged(program: Program, code: &str, first: &str, again: Option<&str>) -> Outcome {
    let target = Target::inside();
    let now: Timestamp = "2026-11-22T15:02:50Z".parse().unwrap();
    let mut evidence = Evidence::empty(target, String::new(), Vec::new(), now);
    evidence.api_server = Observed::Seen(ApiServer {
        git_version: "v1.35.4".to_owned(),
        date: Some(now),
    });
    let timing = Timing {
        started_ms: 0,
        ended_ms: 0,
    };
    evidence.timings = Source::ALL.map(|source| (source, timing)).into();
    let page = MetricsPage {
        namespace: "telemetry".to_owned(),
        pod: "pod-0".to_owned(),
        node: Some("node1".to_owned()),
        first: read(program, first, 1_000),
        again: again.map(|again| read(program, again, 11_000)),
        jobs: Some(Observed::Seen(vec![RunningJob {
            name: "kube-state-metrics".to_owned(),
            honor_labels: true,
        }])),
    };
    let component = match program {
        Program::FluentBit => &mut evidence.telemetry.fluent_bit,
        Program::Vmagent => &mut evidence.telemetry.vmagent,
        Program::Alloy => &mut evidence.telemetry.alloy,
    };
    component.metrics = Observed::Seen(vec![page]);
    let mut contract = Contract::embedded().unwrap();
    // The pages were recorded half a minute after the start.
    contract.thresholds.flow_start = jiff::SignedDuration::from_secs(10);
    let subject = Subject {
        contract: &contract,
        evidence: &evidence,
    };
    judge::judge(check(code).unwrap(), subject)
}

#[rstest]
#[case("SF434", "accepted", None, Verdict::Pass, "1 pod")]
#[case("SF434", "refused", Some("refused-again"), Verdict::Fail, "has delivered nothing")]
#[case("SF434", "hangs", Some("hangs-again"), Verdict::Fail, "has delivered nothing")]
#[case("SF434", "started", Some("accepted"), Verdict::Pass, "1 pod")]
#[case("SF434", "started", Some("started"), Verdict::Unknown, "nothing is delivered yet")]
#[case("SF434", "accepted", Some("started"), Verdict::Unknown, "started anew")]
#[case("SF434", "hangs", None, Verdict::Unknown, "was not read again")]
#[case("SF436", "accepted", None, Verdict::Pass, "1 pod")]
#[case("SF436", "refused", Some("refused-again"), Verdict::Fail, "given up within seconds")]
#[case("SF436", "refused", Some("refused"), Verdict::Warn, "47 given up since it started")]
#[case("SF435", "accepted", None, Verdict::Pass, "1 pod")]
#[case("SF433", "accepted", None, Verdict::Pass, "kube-state-metrics")]
fn real_pages_of_vmagent_are_judged(
    #[case] code: &str,
    #[case] first: &str,
    #[case] again: Option<&str>,
    #[case] verdict: Verdict,
    #[case] says: &str,
) {
    let page = |name: &str| format!("vmagent-1.150.0-{name}");
    let told = judged(Program::Vmagent, code, &page(first), again.map(page).as_deref());
    assert_eq!(told.verdict, verdict, "{}", told.observed);
    assert!(told.observed.contains(says), "{}", told.observed);
}

#[test]
fn documented_pages_are_judged() {
    let page = "fluent-bit-5.1.1-aggregator-away.documented";
    let again = "fluent-bit-5.1.1-aggregator-away-again.documented";
    let told = judged(Program::FluentBit, "SF411", page, Some(again));
    assert_eq!(told.verdict, Verdict::Fail, "{}", told.observed);
    assert!(
        told.observed.contains("was refused 1 times within 10s"),
        "{}",
        told.observed
    );
    let told = judged(Program::FluentBit, "SF413", page, Some(again));
    assert_eq!(told.verdict, Verdict::Warn, "{}", told.observed);
    let told = judged(Program::Alloy, "SF451", "alloy-1.18.1-metrics.documented", None);
    assert_eq!(told.verdict, Verdict::Pass, "{}", told.observed);
}

#[rstest]
#[case(12.9, Some(12))]
#[case(-1.5, Some(-1))]
#[case(999_999_999_999.0, Some(999_999_999_999))]
#[case(1e12, None)]
#[case(f64::INFINITY, None)]
#[case(f64::NEG_INFINITY, None)]
#[case(f64::NAN, None)]
fn a_value_has_a_whole_part_within_the_bounds(#[case] value: f64, #[case] expected: Option<i64>) {
    assert_eq!(whole(value), expected);
}
