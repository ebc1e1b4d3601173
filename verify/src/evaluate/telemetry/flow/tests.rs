//! What checks say of the pages in `testdata/exposition`.

use super::*;
use crate::contract::Contract;
use crate::evaluate::{check, judge};
use crate::evidence::{ApiServer, Evidence, RunningJob, Source, Target, TelemetryWorkload, Timing};
use crate::flow::page_tests::{file, parse};
use crate::flow::{Samples, alloy};
use rstest::rstest;
use serde_json::json;
use starform_exposition::Format;

mod losses;

fn read(program: Program, page: &str, read_ms: i64) -> Observed<Metrics> {
    let samples = parse(program, page, Format::Text).unwrap();
    Observed::Seen(Metrics { read_ms, samples })
}

/// A pod whose container runs for so long as its page says, when that is read.
fn workload(started: Timestamp) -> TelemetryWorkload {
    let pod = json!({"name": "pod-0", "node": "node1", "address": "10.244.0.11", "ready": true,
        "created": started, "started": started, "restarts": 0});
    let workload = json!({"workload": {"kind": "DaemonSet", "namespace": "telemetry", "name": "pods", "desired": 1, "ready": 1,
        "updated": 1, "available": 1, "observed": true, "image": "i:v1", "version": "1", "release": "r", "flags": {},
        "unreadFlags": null, "unreadArguments": []}, "operator": false, "pods": [pod]});
    serde_json::from_value(workload).unwrap()
}

/// What a check says of one pod with these pages, so many seconds after each other.
fn judged(program: Program, code: &str, first: &str, again: Option<&str>, apart: i64) -> Outcome {
    let target = Target::inside();
    // The moment that the real Alloy's first pages were read.
    let now: Timestamp = "2026-11-29T02:33:49Z".parse().unwrap();
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
    let first = read(program, first, 1_000);
    let Observed::Seen(metrics) = &first else {
        panic!("it was read");
    };
    let started = match program {
        Program::Alloy => {
            let started = Samples::of(metrics).value(alloy::STARTED).unwrap();
            let seconds: i64 = format!("{:.0}", started.trunc()).parse().unwrap();
            Timestamp::from_second(seconds).unwrap()
        }
        _ => now - crate::flow::uptime(program, metrics, None).unwrap(),
    };
    let page = MetricsPage {
        namespace: "telemetry".to_owned(),
        pod: "pod-0".to_owned(),
        node: Some("node1".to_owned()),
        first,
        again: again.map(|again| read(program, again, 1_000 + apart * 1_000)),
        jobs: Some(Observed::Seen(vec![RunningJob {
            name: "kube-state-metrics".to_owned(),
            honor_labels: true,
            reads_cadvisor: Some(false),
        }])),
        // The recorded vmagent scrapes every 2 s.
        scrape_interval_ms: (program == Program::Vmagent).then_some(0),
    };
    let component = match program {
        Program::FluentBit => &mut evidence.telemetry.fluent_bit,
        Program::Vmagent => &mut evidence.telemetry.vmagent,
        Program::Alloy => &mut evidence.telemetry.alloy,
    };
    component.metrics = Observed::Seen(vec![page]);
    component.workloads = Observed::Seen(vec![workload(started)]);
    let mut contract = Contract::embedded().unwrap();
    // The pages were recorded half a minute after the start.
    contract.thresholds.flow_start = jiff::SignedDuration::from_secs(10);
    let subject = Subject {
        contract: &contract,
        evidence: &evidence,
    };
    judge::judge(check(code).unwrap(), subject)
}

#[track_caller]
fn says(told: &Outcome, verdict: Verdict, words: &str) {
    assert_eq!(told.verdict, verdict, "{}", told.observed);
    assert!(told.observed.contains(words), "{}", told.observed);
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
#[case(
    "SF436",
    "refused",
    Some("refused-again"),
    Verdict::Fail,
    "given up now: pod-0 (vmagent_remotewrite_packets_dropped_total of 1 by"
)]
#[case(
    "SF436",
    "refused",
    Some("refused"),
    Verdict::Warn,
    "given up since it started, none now: pod-0 (47 vmagent_remotewrite"
)]
#[case("SF435", "accepted", None, Verdict::Pass, "1 pod")]
#[case("SF433", "accepted", None, Verdict::Pass, "kube-state-metrics")]
fn real_pages_of_vmagent_are_judged(
    #[case] code: &str,
    #[case] first: &str,
    #[case] again: Option<&str>,
    #[case] verdict: Verdict,
    #[case] words: &str,
) {
    let page = |name: &str| file(&format!("vmagent-1.150.0-{name}"));
    let again = again.map(page);
    says(
        &judged(Program::Vmagent, code, &page(first), again.as_deref(), 10),
        verdict,
        words,
    );
}

/// The real Fluent Bit, each state read twice.
#[rstest]
#[case("SF411", "flowing", false, Verdict::Pass, "1 pod")]
#[case("SF412", "flowing", false, Verdict::Pass, "1 pod")]
#[case("SF413", "flowing", false, Verdict::Pass, "1 pod")]
#[case("SF414", "flowing", false, Verdict::Pass, "1 pod")]
#[case(
    "SF411",
    "answers-503",
    true,
    Verdict::Fail,
    "pod-0 on node1 was refused 43 times within 10s and delivered nothing"
)]
#[case("SF412", "answers-503", true, Verdict::Warn, "43 chunks refused or tried again")]
#[case("SF413", "answers-503", true, Verdict::Warn, "the buffer grows: pod-0 on node1")]
#[case("SF414", "answers-503", true, Verdict::Pass, "1 pod")]
#[case("SF411", "answers-503", false, Verdict::Unknown, "was not read again")]
#[case(
    "SF411",
    "answers-401",
    true,
    Verdict::Fail,
    "was refused 12 times within 10s and delivered nothing"
)]
#[case(
    "SF414",
    "answers-401",
    true,
    Verdict::Fail,
    "fluentbit_output_dropped_records_total of vector by 12"
)]
#[case(
    "SF411",
    "hangs",
    true,
    Verdict::Fail,
    "was refused 9 times within 10s and delivered nothing"
)]
#[case("SF413", "hangs", true, Verdict::Warn, "the buffer grows")]
#[case("SF414", "hangs", true, Verdict::Warn, "given up since it started, none now")]
#[case(
    "SF411",
    "refused",
    true,
    Verdict::Fail,
    "was refused 51 times within 10s and delivered nothing"
)]
#[case("SF411", "recovered", true, Verdict::Pass, "1 pod")]
#[case("SF412", "recovered", true, Verdict::Pass, "1 pod")]
#[case("SF413", "recovered", true, Verdict::Pass, "1 pod")]
#[case(
    "SF414",
    "recovered",
    true,
    Verdict::Warn,
    "118 fluentbit_output_dropped_records_total of vector"
)]
fn real_pages_of_fluent_bit_are_judged(
    #[case] code: &str,
    #[case] state: &str,
    #[case] twice: bool,
    #[case] verdict: Verdict,
    #[case] words: &str,
) {
    let first = file(&format!("fluent-bit-5.1.1-{state}"));
    let again = twice.then(|| file(&format!("fluent-bit-5.1.1-{state}-10s-later")));
    says(
        &judged(Program::FluentBit, code, &first, again.as_deref(), 10),
        verdict,
        words,
    );
}

/// The real Alloy, one state after the other.
#[rstest]
#[case("SF451", "metrics", "flowing", None, Verdict::Pass, "1 pod")]
#[case("SF452", "metrics", "flowing", None, Verdict::Pass, "18 components")]
#[case("SF453", "metrics", "flowing", None, Verdict::Pass, "1 pod")]
#[case(
    "SF451",
    "metrics",
    "flowing",
    Some("answers-429"),
    Verdict::Fail,
    "was refused 132 times within 2m 40s and delivered nothing"
)]
#[case("SF453", "metrics", "flowing", Some("answers-429"), Verdict::Pass, "1 pod")]
#[case(
    "SF451",
    "metrics",
    "answers-429",
    Some("answers-500"),
    Verdict::Fail,
    "was refused 128 times"
)]
#[case(
    "SF451",
    "metrics",
    "answers-500",
    Some("answers-401"),
    Verdict::Fail,
    "was refused 10599 times"
)]
#[case(
    "SF453",
    "metrics",
    "answers-500",
    Some("answers-401"),
    Verdict::Fail,
    "samples_failed_total of prometheus.remote_write.grafana_cloud_metrics 7e1e8f by 10587"
)]
#[case("SF451", "metrics", "answers-401", Some("recovered"), Verdict::Pass, "1 pod")]
#[case(
    "SF453",
    "metrics",
    "answers-401",
    Some("recovered"),
    Verdict::Warn,
    "10587 prometheus_remote_storage_samples_failed_total"
)]
#[case("SF451", "metrics", "answers-401", None, Verdict::Unknown, "was not read again")]
#[case("SF451", "singleton", "flowing", None, Verdict::Pass, "1 pod")]
#[case(
    "SF451",
    "singleton",
    "flowing",
    Some("answers-429"),
    Verdict::Fail,
    "was refused 8 times"
)]
#[case(
    "SF451",
    "singleton",
    "answers-429",
    Some("answers-429"),
    Verdict::Fail,
    "delivered nothing within 2m 40s, and more than that waits"
)]
#[case(
    "SF451",
    "singleton",
    "answers-429",
    Some("answers-500"),
    Verdict::Fail,
    "was refused 1 times"
)]
#[case(
    "SF451",
    "singleton",
    "answers-500",
    Some("answers-401"),
    Verdict::Fail,
    "was refused 32 times"
)]
#[case(
    "SF453",
    "singleton",
    "answers-500",
    Some("answers-401"),
    Verdict::Fail,
    "loki_write_dropped_entries_total of loki.write.grafana_cloud_logs 1 by 32"
)]
#[case("SF451", "singleton", "answers-401", Some("recovered"), Verdict::Pass, "1 pod")]
#[case(
    "SF453",
    "singleton",
    "answers-401",
    Some("recovered"),
    Verdict::Warn,
    "32 loki_write_dropped_entries_total"
)]
fn real_pages_of_alloy_are_judged(
    #[case] code: &str,
    #[case] collector: &str,
    #[case] first: &str,
    #[case] again: Option<&str>,
    #[case] verdict: Verdict,
    #[case] words: &str,
) {
    let page = |state: &str| file(&format!("alloy-1.18.1-{collector}-{state}"));
    let again = again.map(page);
    says(
        &judged(Program::Alloy, code, &page(first), again.as_deref(), 160),
        verdict,
        words,
    );
}

/// Within ten seconds a healthy Alloy that once failed sends nothing; within its own rhythm it does.
#[test]
fn a_window_that_is_shorter_than_the_rhythm_tells_nothing() {
    let page = |state: &str| file(&format!("alloy-1.18.1-metrics-{state}"));
    let told = |apart| {
        judged(
            Program::Alloy,
            "SF451",
            &page("recovered"),
            Some(&page("recovered")),
            apart,
        )
    };
    says(&told(10), Verdict::Unknown, "a window of 1m 10s did not fit");
    let told = judged(
        Program::Alloy,
        "SF453",
        &page("recovered"),
        Some(&page("recovered")),
        10,
    );
    says(&told, Verdict::Unknown, "a window of 1m 10s did not fit");
}
