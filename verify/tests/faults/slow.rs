//! Answers that come slowly: the line's fault, and never that of what is at its other end; and no longer a wait than was asked for.

use crate::states::{sources, state};
use rstest::rstest;
use starform_verify::collect::Plan;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Asked, Evidence, Observed, Reason, Trouble, Unknown};
use starform_verify::report::{CheckResult, Report, Verdict};
use std::time::Duration;
use testdata::{Answers, Fault, Mock, REQUESTS, asked, collect, plan};
use tokio::time::Instant;

/// A contract by which what has kept silent for a second has kept silent long enough.
fn contract() -> Contract {
    let mut contract = Contract::embedded().unwrap();
    contract.thresholds.scrape_timeout = jiff::SignedDuration::from_secs(1);
    contract
}

fn check<'a>(report: &'a Report, code: &str) -> &'a CheckResult {
    report.checks().find(|check| check.code == code).unwrap()
}

/// How a part of the evidence is got at.
type Part = fn(&Evidence) -> Option<Unknown>;

fn seen<T>(observed: &Observed<T>) -> &T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("not seen"),
    }
}

fn of_store<T>(observed: &Observed<Asked<T>>) -> Option<&Unknown> {
    observed.unknown()
}

/// Over real sockets: a list of the API server's, the metrics API, pages of components behind its proxy, Starbase, the stores. Each
/// drips, a tenth of it every 300 ms, and has two seconds.
#[rstest]
#[case::a_list("nodes", "SF104", |e: &Evidence| e.nodes.unknown().cloned())]
#[case::the_metrics_api("node-metrics", "SF305", |e: &Evidence| e.node_metrics.unknown().cloned())]
#[case::kube_state_metrics("scrape", "SF323", |e: &Evidence| seen(&e.scrapes)[0].rows.unknown().cloned())]
#[case::fluent_bit("fluent-bit's metrics", "SF410", |e: &Evidence| seen(&e.telemetry.fluent_bit.metrics)[0].first.unknown().cloned())]
#[case::vmagent("vmagent's metrics", "SF430", |e: &Evidence| seen(&e.telemetry.vmagent.metrics)[0].first.unknown().cloned())]
#[case::alloy("alloy-metrics' metrics", "SF450", |e: &Evidence| seen(&e.telemetry.alloy.metrics)[0].first.unknown().cloned())]
#[case::starbase("starbase", "SF603", |e: &Evidence| e.shuttle.starbase.unknown().cloned())]
#[case::the_metrics_store("store: series", "SF701", |e: &Evidence| of_store(&e.region.metrics_store).cloned())]
#[case::the_log_store("logs: columns", "SF711", |e: &Evidence| of_store(&e.region.log_store).cloned())]
#[tokio::test]
async fn what_still_comes_is_told_with_how_much_came_and_is_no_fault_of_its_own(
    #[case] name: &'static str,
    #[case] code: &str,
    #[case] part: Part,
) {
    let mock = Mock::start().await;
    mock.drip(name, Duration::from_millis(300));
    let plan = Plan {
        request_timeout: Duration::from_secs(2),
        ..plan()
    };
    let begun = Instant::now();
    let evidence = collect(&mock.targets(), &contract(), &plan).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let unknown = part(&evidence).unwrap_or_else(|| panic!("{name} was seen"));
    assert_eq!(
        (unknown.reason, unknown.trouble),
        (Reason::TimedOut, Some(Trouble::Slow))
    );
    let waited = unknown.waited.unwrap();
    let whole = asked(name).body().len() as u64;
    assert!(waited.bytes > 0 && waited.bytes < whole, "{waited:?} of {whole}");
    assert!((2_000..4_000).contains(&waited.ms), "{waited:?}");
    let told = format!("the line is slow: {} bytes in 2", waited.bytes);
    assert!(unknown.message.starts_with(&told), "{}", unknown.message);

    let report = evaluate(&contract(), &evidence, &Selection::all());
    assert_eq!(report.error, None);
    let check = check(&report, code);
    assert_eq!(check.verdict, Verdict::Unknown, "{}", check.observed);
    assert!(check.observed.contains(&told), "{}", check.observed);
    let fix = check.fix.as_ref().unwrap();
    assert!(
        fix.summary.contains("--request-timeout") && fix.commands.is_empty(),
        "{fix:?}"
    );
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("restart it"), "{text}");
}

/// What kept silent while something else came slowly may have waited for the same line.
#[tokio::test(start_paused = true)]
async fn beside_a_slow_answer_nobody_s_silence_is_a_fault() {
    let answers = Answers::good();
    for (name, code) in [("scrape", "SF323"), ("vmagent's metrics", "SF430")] {
        answers.mend();
        answers.fault(name, Fault::Hang);
        let evidence = collect(&answers.targets(), &contract(), &plan()).await;
        let report = evaluate(&contract(), &evidence, &Selection::all());
        assert_eq!(check(&report, code).verdict, Verdict::Fail, "{name}");
        answers.fault("pods", Fault::Drip);
        let evidence = collect(&answers.targets(), &contract(), &plan()).await;
        let report = evaluate(&contract(), &evidence, &Selection::all());
        assert_eq!(check(&report, code).verdict, Verdict::Unknown, "{name}");
    }
}

/// Half of a page, and then nothing: that is no line that is slow.
#[tokio::test(start_paused = true)]
async fn a_page_that_stops_in_the_middle_hangs() {
    let answers = Answers::good();
    answers.fault("scrape", Fault::HangInBody);
    let evidence = collect(&answers.targets(), &contract(), &plan()).await;
    let report = evaluate(&contract(), &evidence, &Selection::all());
    let check = check(&report, "SF323");
    assert_eq!(check.verdict, Verdict::Fail);
    assert!(
        check.observed.contains("and none for the last 4s"),
        "{}",
        check.observed
    );
}

/// Who waits for a shorter time than Prometheus has proved nothing.
#[tokio::test(start_paused = true)]
async fn silence_for_less_than_the_contract_s_time_is_not_known_to_be_one() {
    let answers = Answers::good();
    answers.fault("scrape", Fault::Hang);
    let contract = Contract::embedded().unwrap();
    for (seconds, verdict) in [(2, Verdict::Unknown), (10, Verdict::Fail), (30, Verdict::Fail)] {
        let plan = Plan {
            request_timeout: Duration::from_secs(seconds),
            ..plan()
        };
        let evidence = collect(&answers.targets(), &contract, &plan).await;
        let report = evaluate(&contract, &evidence, &Selection::all());
        assert_eq!(check(&report, "SF323").verdict, verdict, "{seconds} s");
    }
}

/// Answers that begin after more than Prometheus' time are seen by whoever waits, and told.
#[tokio::test(start_paused = true)]
async fn a_page_that_begins_late_is_read_and_told() {
    let answers = Answers::good();
    answers.begin_late("scrape", Duration::from_secs(15));
    let contract = Contract::embedded().unwrap();
    let plan = Plan {
        request_timeout: Duration::from_secs(20),
        ..plan()
    };
    let evidence = collect(&answers.targets(), &contract, &plan).await;
    let report = evaluate(&contract, &evidence, &Selection::all());
    let check = check(&report, "SF323");
    assert_eq!(check.verdict, Verdict::Warn, "{}", check.observed);
    assert!(
        check.observed.contains("began to answer after 15s"),
        "{}",
        check.observed
    );
}

/// Each request in turn, slow: the time that was asked for is the time that it has, and not a moment more.
#[tokio::test(start_paused = true)]
async fn the_time_of_a_request_is_that_of_every_request() {
    let answers = Answers::good();
    let contract = Contract::embedded().unwrap();
    // Ten parts, two seconds apart.
    for asked in &REQUESTS {
        for (seconds, is_seen) in [(60, true), (5, false)] {
            answers.mend();
            answers.drip(asked.name, Duration::from_secs(2));
            let plan = Plan {
                timeout: Duration::from_mins(10),
                request_timeout: Duration::from_secs(seconds),
                ..plan()
            };
            let evidence = collect(&answers.targets(), &contract, &plan).await;
            let json = serde_json::to_value(&evidence).unwrap();
            for source in sources().into_iter().filter(|source| asked.sources.contains(source)) {
                let state = state(&json, source);
                let expected = if is_seen { "seen" } else { "timed-out" };
                assert_eq!(state, expected, "{}: {source}, {seconds} s", asked.name);
                let timing = &evidence.timings[&source];
                // Two requests at the most are sent one after the other for one source of the good answers.
                let most = Duration::from_secs(seconds * 2).as_millis() + 100;
                let took = timing.ended_ms - timing.started_ms;
                assert!(u128::from(took) <= most, "{}: {source} took {took} ms", asked.name);
            }
        }
    }
}
