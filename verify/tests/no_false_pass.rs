//! Every request of an audit, answered in turn in every wrong way, through the whole pipeline: whatever rests on it never
//! passes, the report is whole, and the exit code says so.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows only those functions that are tests themselves"
)]

use futures::{StreamExt, stream};
use starform_verify::collect::collect;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, Selection, SelectionRequest, check, evaluate};
use starform_verify::evidence::{self, Evidence, Observed, Source};
use starform_verify::render::{Format, Screen, render};
use starform_verify::report::{ExitCode, FailOn, Report, Verdict, exit_code};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

#[path = "mock/server.rs"]
mod mock;

use mock::{Asked, FAULTS, Fault, Mock, PARTS, REQUESTS, plan};

/// The sources that each check rests on, directly or through others.
static RESTS: LazyLock<BTreeMap<&str, BTreeSet<Source>>> =
    LazyLock::new(|| CHECKS.iter().map(|check| (check.code, rests_on(check.code))).collect());

fn rests_on(code: &str) -> BTreeSet<Source> {
    // Whether a component is there is asked only where its release is not.
    if check(code).is_some_and(|check| check.groups.contains(&"helm")) {
        return [Source::ApiServer, Source::HelmReleases].into();
    }
    let request = SelectionRequest {
        checks: vec![code.to_owned()],
        ..SelectionRequest::default()
    };
    Selection::new(&request)
        .map(|selection| selection.sources())
        .unwrap_or_default()
}

/// Whether a check is about what a request of Helm's Secrets is answered with: each is about some releases only, and
/// whether a release is deployed is told by the list.
fn concerns(asked: &Asked, code: &str) -> bool {
    let step = |place: &str| match place {
        "envoy-gateway-system" | "envoy-gateway" => "SF28",
        "kube-system" | "metrics-server" | "kube-state-metrics" => "SF38",
        _ => "SF48",
    };
    if let Some(namespace) = asked.name.strip_prefix("helm secrets in ") {
        code.starts_with(step(namespace)) || code == "SF483"
    } else if let Some(release) = asked.name.strip_prefix("helm release ") {
        (code.starts_with(step(release)) && !code.ends_with('0')) || code == "SF483"
    } else {
        true
    }
}

/// What was seen, without when and at which port of the mock.
fn facts(evidence: &Evidence) -> Evidence {
    let mut facts = evidence.clone();
    facts.timings.clear();
    facts.collected = jiff::Timestamp::UNIX_EPOCH;
    let telemetry = &mut facts.telemetry;
    for component in [&mut telemetry.fluent_bit, &mut telemetry.vmagent, &mut telemetry.alloy] {
        if let Observed::Seen(pages) = &mut component.metrics {
            for page in pages {
                if let Observed::Seen(metrics) = &mut page.first {
                    metrics.read_ms = 0;
                }
            }
        }
    }
    if let Observed::Seen(evidence::Asked::Answered(store)) = &mut facts.region.metrics_store {
        store.asked.url.clear();
    }
    if let Observed::Seen(evidence::Asked::Answered(store)) = &mut facts.region.log_store {
        store.asked.url.clear();
    }
    if let Observed::Seen(evidence::Asked::Answered(aggregator)) = &mut facts.region.log_aggregator {
        aggregator.url.clear();
    }
    facts
}

fn wrong(asked: &Asked, fault: Fault, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    if report.checks().count() != CHECKS.len() {
        wrong.push(format!("{} {fault:?}: the report is not whole", asked.name));
    }
    for result in report.checks() {
        let rests = &RESTS[result.code.as_str()];
        let passes = matches!(result.verdict, Verdict::Pass | Verdict::Warn);
        let rests_on_it = if fault == Fault::EmptyList {
            // An empty list is an answer: that it came is true, and so is what follows from other sources.
            let reads = check(&result.code).map_or(&[] as &[Source], |check| check.reads);
            // A store's other answers are as true as before; that something fails is seen by the exit code.
            !asked.is_of_store()
                && !["SF305", "SF323"].contains(&result.code.as_str())
                && !PARTS.contains(&asked.name)
                && asked.sources.iter().any(|source| reads.contains(source))
        } else {
            asked.sources.iter().any(|source| rests.contains(source))
        };
        // That there is no status is an answer; whether the Deployment is complete does not rest on what one says.
        let answered = asked.name == "shuttle's status" && fault == Fault::Status(404) && result.code == "SF501";
        // vmagent's jobs are a page of their own, and one check asks for them.
        let other = asked.name == "vmagent's jobs" && result.code != "SF433";
        // That there is no release is an answer too: then something else installed it.
        let not_by_helm = asked.name.starts_with("helm secrets in ") && fault == Fault::EmptyList;
        if passes && rests_on_it && !answered && !other && !not_by_helm && concerns(asked, &result.code) {
            wrong.push(format!(
                "{} {fault:?}: {} is {:?}: {}",
                asked.name, result.code, result.verdict, result.observed
            ));
        }
    }
    let exit = exit_code(report, FailOn::Fail);
    // An empty list of autoscalers, or of Gateways, is a cluster without any, and not to be told from a lie.
    // So is a namespace without Helm's Secrets: something else installed what stands there, which is a warning.
    let harmless = fault == Fault::EmptyList
        && (["autoscalers", "gateways"].contains(&asked.name) || asked.name.starts_with("helm secrets in "));
    if !harmless && !matches!(exit, ExitCode::Fail | ExitCode::Unknown) {
        wrong.push(format!("{} {fault:?}: it ends with {exit:?}", asked.name));
    }
    for format in Format::ALL {
        let screen = Screen {
            width: 60,
            unicode: true,
        };
        if render(report, format, screen).is_empty() {
            wrong.push(format!("{} {fault:?}: {format:?} is empty", asked.name));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_that_rests_on_a_wrong_answer() {
    let contract = Arc::new(Contract::embedded().unwrap());
    let mock = Mock::start().await;
    let good = collect(&mock.connection(), &contract, &plan(), |_| {}).await;
    let report = evaluate(&contract, &good, &Selection::all());
    assert!(
        report.summary.conforms,
        "{}",
        render(
            &report,
            Format::Short,
            Screen {
                width: 100,
                unicode: true
            }
        )
    );
    assert_eq!(report.summary.counts.pass, CHECKS.len());
    let good = Arc::new(facts(&good));

    let cases = REQUESTS.iter().flat_map(|asked| FAULTS.map(|fault| (asked, fault)));
    let cases = cases.map(|(asked, fault)| {
        let (contract, good) = (Arc::clone(&contract), Arc::clone(&good));
        // A task of its own, so that every core has something to do.
        tokio::spawn(async move {
            let mock = Mock::start().await;
            mock.fault(asked.name, fault);
            let evidence = collect(&mock.connection(), &contract, &plan(), |_| {}).await;
            // Without a StatefulSet the cluster is as it was: then nothing was wrong with the answer.
            if facts(&evidence) == *good {
                return (0, Vec::new());
            }
            (
                1,
                wrong(asked, fault, &evaluate(&contract, &evidence, &Selection::all())),
            )
        })
    });
    let results = stream::iter(cases).buffer_unordered(16).map(Result::unwrap);
    let results: Vec<(usize, Vec<String>)> = results.collect().await;
    let judged: usize = results.iter().map(|(judged, _)| judged).sum();
    let wrong: Vec<String> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(
        judged > REQUESTS.len() * (FAULTS.len() - 2),
        "only {judged} faults made a difference"
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
