//! The report for a build server: one suite a step, one case a check.
//!
//! | verdict | case |
//! |---|---|
//! | pass | passes |
//! | warn | passes, and says so in `system-out` |
//! | fail | failure |
//! | unknown | error: nothing unseen ever passes |
//! | blocked, not-applicable, not-asked, waived | skipped, with the reason |

use super::text::{object_list, says_nothing_else};
use quick_junit::{NonSuccessKind, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use starform_verify::printable::{one_line, printable_line};
use starform_verify::report::{CheckResult, Report, StepReport, ToolError, Verdict};
use std::time::Duration;

/// Names every object: a build server folds long texts.
const ALL_OBJECTS: usize = usize::MAX;

pub(super) fn render(report: &Report) -> String {
    let mut junit = Junit::new("starform-verify");
    junit.set_time(Duration::from_millis(report.times.took_ms));
    if let Some(error) = &report.error {
        junit.add_test_suite(of_error(error));
    }
    let told = |step: &&StepReport| !step.checks.is_empty() && !says_nothing_else(report);
    for step in report.steps.iter().filter(told) {
        junit.add_test_suite(suite(step));
    }
    // It fails only on text that XML cannot carry, and quick-junit has taken that out.
    junit.to_string().unwrap_or_default()
}

/// The report where there is none: why not.
pub(super) fn error(error: &ToolError) -> String {
    let mut junit = Junit::new("starform-verify");
    junit.add_test_suite(of_error(error));
    junit.to_string().unwrap_or_default()
}

fn of_error(error: &ToolError) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(one_line(&error.message)).set_type("tool");
    let tried = error.tried.iter().map(|tried| format!("tried: {tried}"));
    let told = tried.chain(error.hints.iter().cloned()).map(|line| one_line(&line));
    status.set_description(told.collect::<Vec<_>>().join("\n"));
    let mut suite = TestSuite::new("the tool itself");
    suite.add_test_case(TestCase::new("the audit runs to its end", status));
    suite
}

fn suite(step: &StepReport) -> TestSuite {
    let mut suite = TestSuite::new(format!("step {}: {}", step.id, one_line(&step.title)));
    let seen = step
        .checks
        .iter()
        .filter(|check| !matches!(check.verdict, Verdict::Unknown | Verdict::Blocked | Verdict::NotAsked));
    suite.add_property(Property::new(
        "checks-seen",
        format!("{} of {}", seen.count(), step.checks.len()),
    ));
    for check in &step.checks {
        suite.add_test_case(case(check, step));
    }
    suite
}

fn case(check: &CheckResult, step: &StepReport) -> TestCase {
    let status = match check.verdict {
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Fail => described(NonSuccessKind::Failure, check),
        Verdict::Unknown => described(NonSuccessKind::Error, check),
        Verdict::Blocked | Verdict::NotApplicable | Verdict::NotAsked | Verdict::Waived => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(one_line(&skipped(check)));
            status
        }
    };
    let mut case = TestCase::new(format!("{} {}", check.code, check.title), status);
    case.set_classname(format!("starform-verify.step-{}.{}", step.id, check.slug));
    if check.verdict == Verdict::Warn {
        case.set_system_out(format!("warning: {}", details(check)));
    }
    case
}

fn described(kind: NonSuccessKind, check: &CheckResult) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(one_line(&check.observed));
    status.set_type(check.severity.as_str());
    status.set_description(details(check));
    status
}

fn skipped(check: &CheckResult) -> String {
    match (check.verdict, &check.behind, &check.waiver) {
        (Verdict::Blocked, Some(behind), _) => format!("blocked: stands behind {behind}"),
        (Verdict::Waived, _, Some(waiver)) => format!(
            "waived until {} by {}: {}; observed: {}",
            waiver.expires, waiver.owner, waiver.reason, check.observed
        ),
        (verdict, _, _) => format!("{}: {}", verdict.word(), check.observed),
    }
}

fn details(check: &CheckResult) -> String {
    let mut lines = vec![format!("observed: {}", one_line(&check.observed))];
    if !check.expected.is_empty() {
        lines.push(format!("expected: {}", one_line(&check.expected)));
    }
    if !check.objects.is_empty() {
        lines.push(format!(
            "objects: {}",
            one_line(&object_list(&check.objects, ALL_OBJECTS))
        ));
    }
    if let Some(fix) = &check.fix {
        lines.push(format!("{}: {}", fix.label(), one_line(&fix.words())));
        lines.extend(fix.lines().map(|command| printable_line(command).into_owned()));
    }
    lines.join("\n")
}
