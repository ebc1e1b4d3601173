//! How the collectors' pages are read: what is asked, of whom, how often, and within which bounds.

use starform_verify::collect::Plan;
use starform_verify::contract::Contract;
use starform_verify::evidence::{MetricsPage, Observed, Reason, Source, Unknown};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use testdata::{Fault, Mock, asked, collect, plan};

const TEXT: &str = "text/plain; version=0.0.4";

/// A plan for these pages, and what they are found through.
fn pages_of(source: Source) -> Plan {
    let mut sources: BTreeSet<Source> = source.found_through().iter().copied().collect();
    sources.insert(source);
    // By its clock a page agrees with its container's start.
    sources.insert(Source::ApiServer);
    Plan { sources, ..plan() }
}

/// A contract with a short window: what is waited for is not the clock's business here.
fn contract() -> Contract {
    let mut contract = Contract::embedded().unwrap();
    contract.thresholds.flow_window = jiff::SignedDuration::from_millis(300);
    contract
}

fn seen(pages: &Observed<Vec<MetricsPage>>) -> &[MetricsPage] {
    match pages {
        Observed::Seen(pages) => pages,
        other => panic!("{other:?}"),
    }
}

fn requests(mock: &Mock, part: &str) -> usize {
    mock.log().iter().filter(|head| head.contains(part)).count()
}

fn unseen<T: std::fmt::Debug>(observed: &Observed<T>) -> &Unknown {
    match observed {
        Observed::Unknown(unknown) => unknown,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_healthy_cluster_is_asked_once_and_nobody_waits() {
    let mock = Mock::start().await;
    // The window of the contract itself: a second of it would be felt.
    let contract = Contract::embedded().unwrap();
    let begun = Instant::now();
    let evidence = collect(&mock.targets(), &contract, &plan()).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(requests(&mock, "/proxy/"), 8, "{:#?}", mock.log());
    let telemetry = &evidence.telemetry;
    for (pages, count) in [
        (&telemetry.fluent_bit, 2),
        (&telemetry.vmagent, 1),
        (&telemetry.alloy, 2),
    ] {
        let pages = seen(&pages.metrics);
        assert_eq!(pages.len(), count);
        assert!(pages.iter().all(|page| page.again.is_none()), "{pages:?}");
    }
    let jobs = seen(&telemetry.vmagent.metrics)[0].jobs.as_ref().unwrap();
    let Observed::Seen(jobs) = jobs else {
        panic!("{jobs:?}");
    };
    assert!(
        jobs.iter()
            .any(|job| job.name == "kube-state-metrics" && job.honor_labels)
    );
    // No address, no credential, no node name of the program's own telling.
    let text = serde_json::to_string(&seen(&telemetry.alloy.metrics)).unwrap();
    assert!(!text.contains("grafana-cloud.example"), "{text}");
}

#[tokio::test]
async fn only_a_page_that_leaves_a_question_is_read_again() {
    let mock = Mock::start().await;
    let good = asked("fluent-bit's metrics").body();
    let retried = good.replace(
        "fluentbit_output_retries_total{name=\"vector\"} 0",
        "fluentbit_output_retries_total{name=\"vector\"} 3",
    );
    assert_ne!(good, retried);
    mock.answer(
        "fluent-bit's metrics",
        vec![(200, TEXT, retried), (200, TEXT, good.to_owned())],
    );
    let begun = Instant::now();
    let plan = pages_of(Source::FluentBitMetrics);
    let evidence = collect(&mock.targets(), &contract(), &plan).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(requests(&mock, "/proxy/"), 3);
    let pages = seen(&evidence.telemetry.fluent_bit.metrics);
    let again: Vec<bool> = pages.iter().map(|page| page.again.is_some()).collect();
    assert_eq!(again.iter().filter(|again| **again).count(), 1, "{again:?}");
    for page in pages.iter().filter(|page| page.again.is_some()) {
        let (Observed::Seen(first), Some(Observed::Seen(again))) = (&page.first, &page.again) else {
            panic!("{page:?}");
        };
        assert!(
            again.read_ms >= first.read_ms + 300,
            "{} {}",
            first.read_ms,
            again.read_ms
        );
    }
}

#[tokio::test]
async fn the_audit_s_time_is_not_spent_on_waiting() {
    let mock = Mock::start().await;
    let page = asked("vmagent's metrics").body();
    let failed = page.replace(
        "vmagent_remotewrite_errors_total{url=\"1:secret-url\"} 0",
        "vmagent_remotewrite_errors_total{url=\"1:secret-url\"} 9",
    );
    mock.answer("vmagent's metrics", vec![(200, TEXT, failed)]);
    let plan = Plan {
        timeout: Duration::from_secs(5),
        ..pages_of(Source::VmagentMetrics)
    };
    let begun = Instant::now();
    let evidence = collect(&mock.targets(), &Contract::embedded().unwrap(), &plan).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let page = &seen(&evidence.telemetry.vmagent.metrics)[0];
    assert!(matches!(page.first, Observed::Seen(_)));
    let unknown = unseen(page.again.as_ref().unwrap());
    assert_eq!(unknown.reason, Reason::TimedOut);
    assert!(unknown.message.contains("no time left"), "{unknown}");
}

#[tokio::test]
async fn an_interrupted_audit_does_not_wait() {
    let mock = Mock::start().await;
    let page = asked("vmagent's metrics").body();
    let failed = page.replace(
        "errors_total{url=\"1:secret-url\"} 0",
        "errors_total{url=\"1:secret-url\"} 9",
    );
    mock.answer("vmagent's metrics", vec![(200, TEXT, failed)]);
    let plan = pages_of(Source::VmagentMetrics);
    let stop = plan.stop.clone();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.cancel();
    };
    let begun = Instant::now();
    let (targets, contract) = (mock.targets(), Contract::embedded().unwrap());
    let (evidence, ()) = tokio::join!(collect(&targets, &contract, &plan), stopping);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(unseen(&evidence.telemetry.vmagent.metrics).reason, Reason::NotCollected);
}

#[tokio::test]
async fn one_silent_pod_leaves_the_others_seen() {
    let mock = Mock::start().await;
    mock.fault("alloy-singleton's metrics", Fault::Close);
    let plan = pages_of(Source::AlloyMetrics);
    let evidence = collect(&mock.targets(), &contract(), &plan).await;
    let pages = seen(&evidence.telemetry.alloy.metrics);
    assert!(matches!(pages[0].first, Observed::Seen(_)));
    assert_eq!(unseen(&pages[1].first).reason, Reason::Unreachable);
    // The operator collects nothing, and is not asked.
    assert_eq!(requests(&mock, "alloy-operator-79d4c6f9b5-zt7mn"), 0);
}

#[tokio::test]
async fn a_page_without_end_is_too_large() {
    let mock = Mock::start().await;
    let mut body = asked("vmagent's metrics").body().to_owned();
    let line = format!("# {}\n", "x".repeat(4_000));
    while body.len() <= 16 << 20 {
        body.push_str(&line);
    }
    mock.answer("vmagent's metrics", vec![(200, TEXT, body)]);
    let plan = pages_of(Source::VmagentMetrics);
    let evidence = collect(&mock.targets(), &contract(), &plan).await;
    let page = &seen(&evidence.telemetry.vmagent.metrics)[0];
    assert_eq!(unseen(&page.first).reason, Reason::TooLarge);
    assert_eq!(page.jobs, None);
}

#[tokio::test]
async fn inside_the_cluster_a_pod_is_asked_without_a_credential() {
    let mock = Mock::start().await;
    let pods = asked("vmagent's pods").body().replace("10.244.1.12", "127.0.0.1");
    mock.answer("vmagent's pods", vec![(200, "application/json", pods)]);
    let mut contract = contract();
    contract.components.vmagent.port = mock.address.port();
    let targets = mock.targets_from(starform_verify::evidence::Vantage::Inside);
    let plan = pages_of(Source::VmagentMetrics);
    let evidence = collect(&targets, &contract, &plan).await;
    assert_eq!(requests(&mock, "/proxy/"), 0);
    let heads = mock.log();
    let head = heads.iter().find(|head| head.starts_with("GET /metrics ")).unwrap();
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
    // The mock is no vmagent there.
    let unknown = unseen(&seen(&evidence.telemetry.vmagent.metrics)[0].first);
    assert_eq!(unknown.reason, Reason::Refused);
}
