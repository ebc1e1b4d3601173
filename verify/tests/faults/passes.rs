//! What may pass where a request of an audit is answered wrongly: nothing that rests on the answer.

use starform_verify::evaluate::{CHECKS, Selection, SelectionRequest, check};
use starform_verify::evidence::Source;
use starform_verify::report::{ExitCode, FailOn, Report, Verdict, exit_code};
use starform_verify_cli::render::{Format, Screen, render};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use testdata::{Asked, FAULTS, Fault, PARTS};

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

/// What is wrong with the report of an audit with one fault.
pub(crate) fn wrong_passes(asked: &Asked, fault: Fault, report: &Report) -> Vec<String> {
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
        && (["autoscalers", "gateways", "clienttrafficpolicies"].contains(&asked.name)
            || asked.name.starts_with("helm secrets in "));
    if !harmless && !matches!(exit, ExitCode::Fail | ExitCode::Unknown) {
        wrong.push(format!("{} {fault:?}: it ends with {exit:?}", asked.name));
    }
    // Every request's reports are rendered in every form, one fault's in one: all would take a fifth of the time.
    let turn = FAULTS.iter().position(|other| *other == fault).unwrap_or_default();
    let format = Format::ALL[turn % Format::ALL.len()];
    let screen = Screen {
        width: 60,
        unicode: true,
    };
    // Of all that passes a report is the same.
    let mut told = report.clone();
    for step in &mut told.steps {
        step.checks.retain(|check| check.verdict != Verdict::Pass);
    }
    if render(&told, format, screen).is_empty() {
        wrong.push(format!("{} {fault:?}: {format:?} is empty", asked.name));
    }
    wrong
}
