//! Whether step 4's collectors flow, from their pages to the verdict: states that people reported, how long each is looked at,
//! and that nothing is waited for where earlier readings are at hand. The clock is paused.

use rstest::rstest;
use starform_verify::collect::{EarlierPages, Plan, Progress};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, MetricsPage, Observed, Source};
use starform_verify::report::{CheckResult, Verdict};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testdata::{Answers, asked, cases, collect, plan};
use tokio::time::Instant;

const TEXT: &str = "text/plain; version=0.0.4";
const OPEN: &str = "alloy-metrics' metrics";

/// An audit with the command line's own time.
fn whole() -> Plan {
    Plan {
        timeout: Duration::from_mins(2),
        ..plan()
    }
}

fn judged(evidence: &Evidence, code: &str) -> CheckResult {
    let report = evaluate(&Contract::embedded().unwrap(), evidence, &Selection::all());
    report.checks().find(|check| check.code == code).unwrap().clone()
}

fn pages(evidence: &Evidence, source: Source) -> &[MetricsPage] {
    let component = match source {
        Source::FluentBitMetrics => &evidence.telemetry.fluent_bit,
        Source::VmagentMetrics => &evidence.telemetry.vmagent,
        _ => &evidence.telemetry.alloy,
    };
    match &component.metrics {
        Observed::Seen(pages) => pages,
        other => panic!("{other:?}"),
    }
}

/// Alloy's page with another value of these counters.
fn alloy(changed: &[(&str, &str)]) -> (u16, &'static str, String) {
    let lines = asked(OPEN).body().lines().map(|line| {
        let (name, _) = line.split_once('{').unwrap_or((line, ""));
        let value = changed.iter().find(|(changed, _)| *changed == name);
        match (value, line.rsplit_once(' ')) {
            (Some((_, value)), Some((sample, _))) => format!("{sample} {value}\n"),
            _ => format!("{line}\n"),
        }
    });
    (200, TEXT, lines.collect())
}

#[rstest]
#[case(
    "fluentbit-frozen-page-uptime-35",
    "SF411",
    Verdict::Fail,
    "fluent-bit-4v9kd on node1 stands still: its page says the same 35s"
)]
#[case(
    "fluentbit-engine-hung-after-retry",
    "SF411",
    Verdict::Fail,
    "fluent-bit-4v9kd on node1 stands still"
)]
#[case(
    "fluentbit-output-hangs-busy-no-retry",
    "SF411",
    Verdict::Fail,
    "more than that waits for output vector (and 1 more of 2 pods)"
)]
#[case(
    "fluentbit-output-hangs-busy-no-retry",
    "SF413",
    Verdict::Warn,
    "the buffer is 25 % full or more"
)]
#[case(
    "vmagent-hourly-series-limit-drops",
    "SF436",
    Verdict::Fail,
    "vmagent_hourly_series_limit_rows_dropped_total at 1840000"
)]
#[case(
    "vmagent-two-stores-one-down",
    "SF434",
    Verdict::Fail,
    "vmagent-0 (store 2) has delivered nothing"
)]
#[case(
    "alloy-far-behind-but-moving",
    "SF451",
    Verdict::Warn,
    "what k8s-monitoring-alloy-metrics-0 delivers is 30m behind what it takes in"
)]
#[tokio::test(start_paused = true)]
async fn a_state_that_was_reported_is_judged(
    #[case] case: &str,
    #[case] code: &str,
    #[case] verdict: Verdict,
    #[case] says: &str,
) {
    let answers = cases::case(case).unwrap().answers().unwrap();
    let evidence = collect(&answers.targets(), &Contract::embedded().unwrap(), &whole()).await;
    let told = judged(&evidence, code);
    assert_eq!(told.verdict, verdict, "{}", told.observed);
    assert!(told.observed.contains(says), "{}", told.observed);
    // No address and no credential of a page is told.
    let telemetry = &evidence.telemetry;
    let pages = [&telemetry.fluent_bit, &telemetry.vmagent, &telemetry.alloy].map(|program| &program.metrics);
    let text = serde_json::to_string(&pages).unwrap();
    assert!(
        !text.contains("secret-url") && !text.contains("grafana-cloud.example"),
        "{text}"
    );
}

/// What is told of a page that is left behind is how to start it anew.
#[tokio::test(start_paused = true)]
async fn an_engine_that_stands_still_is_started_anew() {
    let answers = cases::case("fluentbit-frozen-page-uptime-35")
        .unwrap()
        .answers()
        .unwrap();
    let evidence = collect(&answers.targets(), &Contract::embedded().unwrap(), &whole()).await;
    let fix = judged(&evidence, "SF411").fix.unwrap();
    assert_eq!(
        fix.commands,
        ["kubectl --namespace telemetry delete pod fluent-bit-4v9kd"]
    );
    // The other one is neither asked again nor blamed.
    let asked_again: Vec<bool> = (pages(&evidence, Source::FluentBitMetrics).iter())
        .map(|page| page.again.is_some())
        .collect();
    assert_eq!(asked_again, [true, false]);
}

/// A healthy Alloy that failed once is looked at until it delivers, and one that lost something until its rhythm is over.
#[rstest]
#[case::it_failed_once(&[("prometheus_remote_storage_samples_retried_total", "40")], 3, 30)]
#[case::it_lost_something(&[("prometheus_remote_storage_samples_failed_total", "40")], 7, 70)]
#[tokio::test(start_paused = true)]
async fn alloy_is_looked_at_for_as_long_as_its_rhythm(
    #[case] past: &[(&'static str, &'static str)],
    #[case] readings: usize,
    #[case] seconds: u64,
) {
    let answers = Answers::good();
    let more = [
        ("prometheus_remote_storage_samples_total", "3304144"),
        ("prometheus_remote_storage_bytes_total", "61270011"),
    ];
    let later = [past, &more].concat();
    answers.answer(OPEN, vec![alloy(past), alloy(past), alloy(past), alloy(&later)]);
    let waited = Mutex::new(Vec::new());
    let begun = Instant::now();
    let (targets, contract, plan) = (answers.targets(), Contract::embedded().unwrap(), whole());
    let evidence = starform_verify::collect::collect(&targets, &contract, &plan, |step| {
        if let Progress::Waiting(source, within) = step {
            waited.lock().unwrap().push((source, within));
        }
    })
    .await;
    let took = begun.elapsed().as_secs();
    assert_eq!(took / 10 * 10, seconds);
    let asked = answers
        .log()
        .iter()
        .filter(|head| head.contains("alloy-metrics-0:12345"))
        .count();
    assert_eq!(asked, 1 + readings);
    assert_eq!(
        *waited.lock().unwrap(),
        [(Source::AlloyMetrics, Duration::from_secs(70))]
    );
    assert_eq!(judged(&evidence, "SF451").verdict, Verdict::Pass);
    let lost = judged(&evidence, "SF453").verdict;
    assert_eq!(lost, if seconds == 70 { Verdict::Warn } else { Verdict::Pass });
}

/// Within the time that there is it is tried; what did not fit is unknown.
#[tokio::test(start_paused = true)]
async fn a_window_that_does_not_fit_is_unknown() {
    let answers = Answers::good();
    answers.answer(
        OPEN,
        vec![alloy(&[("prometheus_remote_storage_samples_retried_total", "40")])],
    );
    let plan = Plan {
        timeout: Duration::from_secs(45),
        ..plan()
    };
    let begun = Instant::now();
    let evidence = collect(&answers.targets(), &Contract::embedded().unwrap(), &plan).await;
    assert!(begun.elapsed() < plan.timeout);
    let told = judged(&evidence, "SF451");
    assert_eq!(told.verdict, Verdict::Unknown, "{}", told.observed);
    assert!(
        told.observed.contains("a window of 1m 10s did not fit"),
        "{}",
        told.observed
    );
}

/// Where its page does not say how often it scrapes, its ConfigMap does.
#[tokio::test(start_paused = true)]
async fn alloy_s_rhythm_is_that_of_its_configuration() {
    let answers = Answers::good();
    let (status, content_type, body) = alloy(&[]);
    let silent: Vec<&str> = body.lines().filter(|line| !line.contains("interval_length")).collect();
    answers.answer(OPEN, vec![(status, content_type, silent.join("\n") + "\n")]);
    let map = asked("alloy-metrics' configmap").body();
    let slower = map.replace("scrape_interval = \\\"60s\\\"", "scrape_interval = \\\"2m\\\"");
    let expected = if slower == map { 60_000 } else { 120_000 };
    answers.answer("alloy-metrics' configmap", vec![(200, "application/json", slower)]);
    let evidence = collect(&answers.targets(), &Contract::embedded().unwrap(), &whole()).await;
    assert_eq!(
        pages(&evidence, Source::AlloyMetrics)[0].scrape_interval_ms,
        Some(expected)
    );
    assert_eq!(
        pages(&evidence, Source::VmagentMetrics)[0].scrape_interval_ms,
        Some(30_000)
    );
}

/// Who collects again and again waits for nothing: what is open is compared with an earlier round.
#[tokio::test(start_paused = true)]
async fn an_earlier_round_is_compared_with() {
    let answers = Answers::good();
    let past = [("prometheus_remote_storage_samples_failed_total", "40")];
    let more = [
        past[0],
        ("prometheus_remote_storage_samples_total", "3304144"),
        ("prometheus_remote_storage_bytes_total", "61270011"),
    ];
    answers.answer(OPEN, vec![alloy(&past), alloy(&past), alloy(&more)]);
    let plan = Plan {
        earlier: Some(Arc::new(EarlierPages::default())),
        ..plan()
    };
    let (targets, contract) = (answers.targets(), Contract::embedded().unwrap());
    let round = async || {
        let begun = Instant::now();
        let evidence = collect(&targets, &contract, &plan).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        let told = judged(&evidence, "SF451");
        let page = pages(&evidence, Source::AlloyMetrics)[0].clone();
        (told.verdict, told.observed, page)
    };
    let (verdict, observed, page) = round().await;
    assert!(page.again.is_none());
    assert_eq!(
        (verdict, observed.contains("was not read again")),
        (Verdict::Unknown, true),
        "{observed}"
    );
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (verdict, observed, _) = round().await;
    assert_eq!(
        (verdict, observed.contains("did not fit")),
        (Verdict::Unknown, true),
        "{observed}"
    );
    tokio::time::sleep(Duration::from_secs(45)).await;
    let (verdict, observed, page) = round().await;
    assert_eq!(verdict, Verdict::Pass, "{observed}");
    let (Observed::Seen(first), Some(Observed::Seen(again))) = (&page.first, &page.again) else {
        panic!("{page:?}");
    };
    assert!(
        first.read_ms < 0 && again.read_ms - first.read_ms >= 75_000,
        "{} {}",
        first.read_ms,
        again.read_ms
    );
}

/// A pod that started anew is not compared with what it was.
#[tokio::test(start_paused = true)]
async fn another_process_is_compared_with_itself_alone() {
    let answers = Answers::good();
    let past = [("prometheus_remote_storage_samples_retried_total", "40")];
    let anew = [past[0], ("process_start_time_seconds", "1795359999")];
    let (_, _, mut restarted) = alloy(&past);
    restarted = restarted.replace(
        "process_start_time_seconds 1.79535930512e+09",
        "process_start_time_seconds 1795359999",
    );
    assert!(restarted.contains(anew[1].1));
    answers.answer(OPEN, vec![alloy(&past), (200, TEXT, restarted)]);
    let plan = Plan {
        earlier: Some(Arc::new(EarlierPages::default())),
        ..plan()
    };
    let (targets, contract) = (answers.targets(), Contract::embedded().unwrap());
    collect(&targets, &contract, &plan).await;
    tokio::time::sleep(Duration::from_secs(80)).await;
    let evidence = collect(&targets, &contract, &plan).await;
    assert!(pages(&evidence, Source::AlloyMetrics)[0].again.is_none());
}
