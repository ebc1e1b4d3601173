//! What a check says of a cluster that differs from a healthy one in one thing: recorded where a scenario of the testbed
//! makes it so, the healthy recording changed by hand where none goes. Together they are the matrix at the end of
//! `CHECKS.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

mod answers;
mod case;
mod cases {
    pub(crate) mod alloy;
    pub(crate) mod alloy_flow;
    pub(crate) mod cluster;
    pub(crate) mod fluent_bit;
    pub(crate) mod fluent_bit_flow;
    pub(crate) mod gateway;
    pub(crate) mod kube_state_metrics;
    pub(crate) mod metrics_server;
    pub(crate) mod region;
    pub(crate) mod registration;
    pub(crate) mod releases;
    pub(crate) mod shuttle;
    pub(crate) mod vmagent;
    pub(crate) mod vmagent_flow;
}
mod contract;
mod examples;
mod fields;
mod fixes;
mod gateway;
mod given;
mod hostile;
mod matrix;
mod region;
mod release_answers;
mod releases;
mod values;

use case::Case;
use given::{ALLOWLIST, flag, healthy, judge, node_metrics, result, seen, server, state_metrics};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, CheckVantage, Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed, Vantage};
use starform_verify::report::{CheckResult, Verdict};

/// Every case, in the contract's order.
fn all() -> impl Iterator<Item = &'static Case> {
    let tables = [
        cases::cluster::CASES,
        cases::gateway::CASES,
        cases::metrics_server::CASES,
        cases::kube_state_metrics::CASES,
        cases::fluent_bit::CASES,
        cases::fluent_bit_flow::CASES,
        cases::vmagent::CASES,
        cases::vmagent_flow::CASES,
        cases::alloy::CASES,
        cases::alloy_flow::CASES,
        cases::releases::CASES,
        cases::shuttle::CASES,
        cases::registration::CASES,
        cases::region::CASES,
    ];
    tables.into_iter().flatten()
}

/// What is wrong with what is said of a case.
fn wrong(case: &Case) -> Option<String> {
    let Case { code, says, .. } = case;
    let report = judge(&case.evidence());
    let told = result(&report, code);
    let is = |wrong: String| Some(format!("{code} {}: {wrong}", case.title()));
    if told.verdict != case.verdict {
        return is(format!("{:?}, not {:?}: {}", told.verdict, case.verdict, told.observed));
    }
    if !told.observed.contains(says) {
        return is(format!("says {:?}, not {says:?}", told.observed));
    }
    if matches!(case.verdict, Verdict::Fail | Verdict::Warn) && told.expected.is_empty() && told.fix.is_none() {
        return is("neither expects nor advises anything".to_owned());
    }
    let others: Vec<&CheckResult> = (report.checks())
        .filter(|check| case.verdict == Verdict::Fail && check.verdict == Verdict::Fail && check.code != *code)
        .collect();
    (!others.is_empty()).then(|| format!("{code} {}: this fails too: {others:?}", case.title()))
}

#[test]
fn one_difference_is_told_by_its_own_check_and_no_other() {
    // While a check is written, `CASES=SF324` judges its own alone.
    let chosen = std::env::var("CASES").unwrap_or_default();
    let cases: Vec<&Case> = all().filter(|case| case.code.starts_with(&chosen)).collect();
    assert!(!cases.is_empty(), "no case is of {chosen}");
    let wrong: Vec<String> = cases.into_iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_can_be_proved_from_outside_only_is_not_judged_inside() {
    let mut evidence = healthy();
    evidence.target.vantage = Vantage::Inside;
    let report = judge(&evidence);
    let judged: Vec<&str> = report.checks().map(|check| check.code.as_str()).collect();
    for check in CHECKS {
        let anywhere = check.vantage == CheckVantage::Both;
        assert_eq!(judged.contains(&check.code), anywhere, "{}", check.code);
    }
}

#[test]
fn a_report_says_when_it_was_collected_by_both_clocks() {
    let mut evidence = healthy();
    let times = judge(&evidence).times;
    assert_eq!(times.collected, evidence.collected);
    assert!(times.server.is_some());
    assert_eq!(times.server, seen(&mut evidence.api_server).date);
    assert!(times.took_ms > 0);
}

#[test]
fn no_two_cases_are_called_the_same() {
    let mut names: Vec<_> = (all().filter(|case| !case.name.is_empty()))
        .map(|case| (case.code, case.name))
        .collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn advice_never_turns_off_verification() {
    let mut evidence = healthy();
    node_metrics(&mut evidence).clear();
    for check in judge(&evidence).checks() {
        let fix = check
            .fix
            .as_ref()
            .map(|fix| format!("{} {}", fix.summary, fix.commands.join(" ")))
            .unwrap_or_default();
        assert!(!fix.contains("insecure"), "{}: {fix}", check.code);
    }
}

/// `--wait` ends at once where somebody has to install something, whichever step it is of.
#[test]
fn what_is_not_installed_is_nothing_to_wait_for() {
    type Change = fn(&mut Evidence);
    let absent: [(&str, Change); 8] = [
        ("SF201", |e| seen(&mut e.gateway.controller).services.clear()),
        ("SF301", |e| e.metrics_api_service = Observed::Absent),
        ("SF303", |e| seen(&mut e.metrics_server.workloads).clear()),
        ("SF320", |e| seen(&mut e.kube_state_metrics.services).clear()),
        ("SF321", |e| seen(&mut e.kube_state_metrics.workloads).clear()),
        ("SF401", |e| seen(&mut e.telemetry.fluent_bit.workloads).clear()),
        ("SF421", |e| seen(&mut e.telemetry.vmagent.workloads).clear()),
        ("SF441", |e| seen(&mut e.telemetry.alloy.workloads).clear()),
    ];
    for (code, change) in absent {
        let mut evidence = healthy();
        change(&mut evidence);
        let told = result(&judge(&evidence), code);
        assert_eq!(
            (told.verdict, told.lasting),
            (Verdict::Fail, true),
            "{code}: {}",
            told.observed
        );
    }
    // What is there may become ready by itself.
    let mut evidence = healthy();
    state_metrics(&mut evidence).ready = 0;
    assert!(!result(&judge(&evidence), "SF321").lasting);
}

#[test]
fn a_waiver_holds_until_its_day_is_over() {
    let text = |expires: &str| {
        Contract::embedded_text().replace(
            "waivers: []",
            &format!("waivers:\n  - {{check: SF324, reason: migration, owner: sre, expires: {expires}}}"),
        )
    };
    let mut evidence = healthy();
    flag(state_metrics(&mut evidence), ALLOWLIST, "pods=[a]");
    let day = seen(&mut evidence.api_server)
        .date
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    for (expires, verdict) in [(day, Verdict::Waived), (day.yesterday().unwrap(), Verdict::Fail)] {
        let contract = Contract::parse(&text(&expires.to_string()), "test").unwrap();
        let report = evaluate(&contract, &evidence, &Selection::all());
        let told = result(&report, "SF324");
        assert_eq!(told.verdict, verdict);
        assert_eq!(told.waiver.unwrap().expired, verdict == Verdict::Fail);
    }
}

#[test]
fn printed_commands_are_aimed_as_the_audit_was() {
    let mut evidence = healthy();
    state_metrics(&mut evidence).flags.clear();
    server(&mut evidence).desired = 0;
    evidence.target.kubeconfig = Some("/home/sre/my config".to_owned());
    evidence.target.context = Some("do-nyc3".to_owned());
    evidence.target.context_named = true;
    let report = judge(&evidence);
    let command = |code: &str| result(&report, code).fix.unwrap().commands[0].clone();
    let helm = command("SF324");
    assert!(
        helm.starts_with("helm --kubeconfig '/home/sre/my config' --kube-context do-nyc3 upgrade --install"),
        "{helm}"
    );
    let kubectl = command("SF303");
    assert!(
        kubectl
            .starts_with("kubectl --kubeconfig '/home/sre/my config' --context do-nyc3 --namespace kube-system scale"),
        "{kubectl}"
    );
}
