//! Pages as the programs write them, and as they must not be.

use super::*;
use crate::contract::Contract;
use crate::evaluate::{Selection, SelectionRequest, evaluate};
use crate::evidence::{
    ApiServer, Evidence, Metrics, MetricsPage, RunningJob, Source, Target, Timing, Vantage,
};
use crate::report::{CheckResult, Verdict};
use jiff::Timestamp;
use rstest::rstest;

fn file(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/exposition");
    std::fs::read_to_string(format!("{directory}/{name}.txt")).unwrap()
}

fn parse(program: Program, body: &str, format: Format) -> Result<Vec<MetricsSample>, (Reason, String)> {
    let mut reader = Reader::new(format, crate::exposition::Selection::All, Limits::default());
    let mut page = Page::new(program);
    for chunk in body.as_bytes().chunks(1_000) {
        reader.push(chunk, &mut |row| page.push(&row));
    }
    assert!(!page.too_much);
    page.finish(format, &reader.finish())
}

fn read(program: Program, name: &str, read_ms: u64) -> Observed<Metrics> {
    let samples = parse(program, &file(name), Format::Text).unwrap();
    Observed::Seen(Metrics { read_ms, samples })
}

/// What a check says of one pod with these pages.
fn judged(program: Program, code: &str, first: &str, again: Option<&str>) -> CheckResult {
    let target = Target {
        context: None,
        context_named: false,
        kubeconfig: None,
        vantage: Vantage::Inside,
    };
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
    let request = SelectionRequest {
        checks: vec![code.to_owned()],
        ..SelectionRequest::default()
    };
    let mut contract = Contract::embedded().unwrap();
    // The pages were recorded half a minute after the start.
    contract.thresholds.flow_start = jiff::SignedDuration::from_secs(10);
    let report = evaluate(&contract, &evidence, &Selection::new(&request).unwrap());
    report.checks().find(|check| check.code == code).unwrap().clone()
}

#[rstest]
#[case(Program::Vmagent, "vmagent-1.130.0-accepted")]
#[case(Program::Vmagent, "vmagent-1.150.0-accepted")]
#[case(Program::FluentBit, "fluent-bit-5.1.1.documented")]
#[case(Program::Alloy, "alloy-1.18.1-metrics.documented")]
#[case(Program::Alloy, "alloy-1.18.1-singleton.documented")]
fn a_healthy_page_leaves_no_question(#[case] program: Program, #[case] name: &str) {
    let samples = parse(program, &file(name), Format::Text).unwrap();
    let metrics = Metrics { read_ms: 0, samples };
    assert!(!program.leaves_a_question(&metrics), "{:#?}", program.queues(&metrics));
    let queues = program.queues(&metrics).unwrap();
    assert_eq!(queues.len(), 1, "{queues:?}");
    assert!(queues[0].delivered > 0.0 && queues[0].taken_in > 0.0, "{queues:?}");
    // A page of 60 KB comes to some hundred bytes of evidence a counter, and to no address.
    assert!(metrics.samples.len() < 40, "{}", metrics.samples.len());
    let evidence = serde_json::to_string(&metrics).unwrap();
    for word in ["://", "secret", "example.com", "tmpData", "node:"] {
        assert!(!evidence.contains(word), "{word} in {evidence}");
    }
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
    assert!(told.observed.contains("was refused 1 times within 10s"), "{}", told.observed);
    let told = judged(Program::FluentBit, "SF413", page, Some(again));
    assert_eq!(told.verdict, Verdict::Warn, "{}", told.observed);
    let told = judged(Program::Alloy, "SF451", "alloy-1.18.1-metrics.documented", None);
    assert_eq!(told.verdict, Verdict::Pass, "{}", told.observed);
}

#[rstest]
#[case::another_program("alloy-1.18.1-metrics.documented", "it has no vm_app_uptime_seconds")]
#[case::not_even_one("kubelet-cadvisor-1.35.4", "it has no vm_app_uptime_seconds")]
fn another_program_s_page_is_none(#[case] name: &str, #[case] says: &str) {
    let (reason, message) = parse(Program::Vmagent, &file(name), Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Malformed);
    assert!(message.contains(says), "{message}");
}

#[test]
fn a_page_that_is_cut_is_truncated() {
    let page = file("vmagent-1.150.0-accepted");
    let cut = &page[..page.len() - 3];
    let (reason, _) = parse(Program::Vmagent, cut, Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Truncated);
    let (reason, _) = parse(Program::Vmagent, &page, Format::OpenMetrics).unwrap_err();
    assert_eq!(reason, Reason::Truncated);
    // Cut where a line ends, nothing tells it but what is missing.
    for end in page.match_indices('\n').map(|(end, _)| end + 1) {
        let Ok(samples) = parse(Program::Vmagent, &page[..end], Format::Text) else {
            continue;
        };
        let metrics = Metrics { read_ms: 0, samples };
        let whole = parse(Program::Vmagent, &page, Format::Text).unwrap();
        let told = Program::Vmagent.queues(&metrics);
        let all = Program::Vmagent.queues(&Metrics { read_ms: 0, samples: whole });
        assert!(told.is_err() || told == all, "{end}: {told:?}");
    }
}

#[test]
fn a_counter_that_cannot_be_read_is_not_one_that_is_0() {
    let page = file("vmagent-1.150.0-accepted");
    let dropped = "vmagent_remotewrite_packets_dropped_total{url=\"1:secret-url\"} ";
    assert!(page.contains(dropped));
    let broken = page.replace(dropped, &format!("{dropped}many"));
    let (reason, _) = parse(Program::Vmagent, &broken, Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Malformed);
    // What is wrong elsewhere is nothing to the checks.
    let other = page.replace("go_goroutines ", "go_goroutines many");
    assert!(other != page && parse(Program::Vmagent, &other, Format::Text).is_ok());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, crate::exposition::Selection::All, Limits::default());
    let name = "vm_promscrape_scrape_pool_targets";
    let mut jobs = String::new();
    for job in 0..=SAMPLE_BOUND {
        jobs.push_str(&format!("{name}{{scrape_job=\"{job}\",status=\"up\"}} 1\n"));
    }
    reader.push(jobs.as_bytes(), &mut |row| page.push(&row));
    assert!(page.too_much);
    assert_eq!(page.samples.len(), SAMPLE_BOUND);
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, crate::exposition::Selection::All, Limits::default());
    let long = "j".repeat(VALUE_BOUND + 1);
    let line = format!("{name}{{scrape_job=\"{long}\",status=\"up\"}} 1\n");
    reader.push(line.as_bytes(), &mut |row| page.push(&row));
    assert!(page.too_much && page.samples.is_empty());
}

#[test]
fn a_url_in_clear_is_reduced_to_its_number() {
    let line = "vmagent_remotewrite_errors_total{url=\"2:https://u:p@store/api/v1/write\"} 0\n\
        vm_persistentqueue_blocks_dropped_total{path=\"/data/queue/2_5FC965F7A29EDB1D\"} 0\n\
        vmagent_remotewrite_errors_total{url=\"https\"} 0\n";
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, crate::exposition::Selection::All, Limits::default());
    reader.push(line.as_bytes(), &mut |row| page.push(&row));
    let labels: Vec<_> = (page.samples.iter())
        .flat_map(|sample| sample.labels.values().map(String::as_str))
        .collect();
    assert_eq!(labels, ["2", "2", ""]);
}
