//! Judges evidence against the contract. Pure: the same contract and evidence always give the same report.

mod age;
mod blame;
mod cluster;
mod ending;
mod files;
mod fix;
mod flag;
mod gateway;
mod grant;
mod install;
mod installed;
mod judge;
mod metrics;
mod outcome;
mod region;
mod registration;
mod releases;
mod restarts;
#[cfg(test)]
pub(crate) mod sample;
mod share;
mod shuttle;
mod silence;
mod size;
mod standing;
mod subject;
mod summary;
mod telemetry;
mod tool_error;
mod typed;
pub mod value_terms;
mod workload;

use crate::contract::{Contract, Waiver};
use crate::evidence::{Evidence, Observed, Source};
use crate::report::{CheckResult, REPORT_VERSION, Report, StepReport, Times, Verdict, WaiverNote};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

pub use crate::checks::{CHECKS, Check, CheckVantage, Selection, SelectionError, check};
pub use crate::evidence::SelectionRequest;

pub use self::files::report_of_files;
pub use self::fix::{Advice, count};
pub use self::outcome::Outcome;
use self::subject::Subject;

/// Judges `evidence` against `contract`: every selected check that can be proved from where it was collected, step by step.
/// Where no API server answered, the report says that the tool could not run.
#[must_use]
pub fn evaluate(contract: &Contract, evidence: &Evidence, selection: &Selection) -> Report {
    let subject = Subject { contract, evidence };
    let selection = &selection.clone().seen_from(evidence.target.vantage);
    let mut results: BTreeMap<&'static str, CheckResult> = BTreeMap::new();
    // A check stands after those it requires, so one pass is enough.
    for check in selection.judged() {
        let mut outcome = judge::judge(check, subject);
        let absent = std::mem::take(&mut outcome.absent);
        let mut result = result(check, subject, outcome);
        blame::installed_otherwise(&mut result, check, &absent, &results);
        waive(&mut result, contract, evidence);
        blame::stand_behind(&mut result, check, &results);
        results.insert(check.code, result);
    }
    grant::advise(subject, results.values_mut());
    let error = tool_error::tool_error(subject);
    let mut steps: Vec<StepReport> = contract
        .steps
        .iter()
        .map(|step| StepReport {
            id: step.id,
            title: step.title.clone(),
            checks: selection
                .checks()
                .iter()
                .filter(|check| check.step == step.id)
                .filter_map(|check| results.get(check.code).cloned())
                .collect(),
        })
        .collect();
    if error.is_some() {
        for step in &mut steps {
            step.checks.retain(is_known_all_the_same);
        }
    }
    let mut summary = summary::summary(&steps, selection);
    if let Some(error) = &error {
        summary.conforms = false;
        summary.answer.clone_from(&error.message);
    }
    Report {
        api_version: REPORT_VERSION.to_owned(),
        kind: "Report".to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        contract: contract.digest.clone(),
        subject: summary::subject(evidence),
        summary,
        steps,
        times: times(evidence),
        error,
    }
}

/// Whether a check says something although nothing came from the API server: it was seen, or was asked of something else.
fn is_known_all_the_same(result: &CheckResult) -> bool {
    let of_another = |check: &Check| !check.reads.iter().any(|source| source.is_of_api_server());
    match result.verdict {
        Verdict::Pass | Verdict::Warn | Verdict::Fail | Verdict::Waived => true,
        Verdict::Unknown | Verdict::Blocked | Verdict::NotApplicable => check(&result.code).is_some_and(of_another),
        Verdict::NotAsked => false,
    }
}

fn result(check: &Check, subject: Subject<'_>, mut outcome: Outcome) -> CheckResult {
    // The contract lists every check: its reader sees to that.
    let terms = subject.contract.check(check.code);
    let verdict = outcome.verdict;
    let fix = outcome.fix.take().map(|advice| advice.typed(subject, check, verdict));
    outcome.into_result_with(
        fix,
        (check.code, check.slug, check.title),
        terms.map_or(crate::contract::Severity::Critical, |terms| terms.severity),
        terms.is_none_or(|terms| terms.gates),
    )
}

/// Turns a fail into a waived one where a waiver holds, and notes one that has expired.
fn waive(result: &mut CheckResult, contract: &Contract, evidence: &Evidence) {
    if result.verdict != Verdict::Fail {
        return;
    }
    let Some(waiver) = contract
        .waivers
        .iter()
        .find(|waiver| waiver.check.eq_ignore_ascii_case(&result.code))
    else {
        return;
    };
    let expired = is_over(waiver, clock(evidence));
    if !expired {
        result.verdict = Verdict::Waived;
    }
    result.waiver = Some(WaiverNote {
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.to_string(),
        expired,
    });
}

fn is_over(waiver: &Waiver, now: Timestamp) -> bool {
    now.to_zoned(TimeZone::UTC).date() > waiver.expires
}

/// The API server's clock, or where it told none the collecting machine's.
fn clock(evidence: &Evidence) -> Timestamp {
    evidence.now(Source::ApiServer).unwrap_or(evidence.collected)
}

fn times(evidence: &Evidence) -> Times {
    Times {
        collected: evidence.collected,
        server: match &evidence.api_server {
            Observed::Seen(server) => server.date,
            _ => None,
        },
        took_ms: evidence
            .timings
            .values()
            .map(|timing| timing.ended_ms)
            .max()
            .unwrap_or_default(),
        waited: None,
    }
}
