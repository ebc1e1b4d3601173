//! Results and reports, for tests of what is made of them.

use super::report_of_files;
use crate::contract::{Contract, Severity, StepId};
use crate::report::{CheckResult, Report, StepReport, Times, Verdict};
use jiff::Timestamp;

/// Of one step that has a check for each verdict.
pub(crate) fn report(verdicts: &[Verdict]) -> Report {
    let step = StepReport {
        id: StepId::Three,
        title: String::new(),
        checks: verdicts.iter().map(|verdict| result("SF301", *verdict)).collect(),
    };
    let times = Times {
        collected: Timestamp::UNIX_EPOCH,
        server: None,
        took_ms: 0,
        waited: None,
    };
    report_of_files(&Contract::embedded().unwrap(), "", vec![step], times)
}

/// Of the check of that code; it expects more than was seen.
pub(super) fn result(code: &str, verdict: Verdict) -> CheckResult {
    CheckResult {
        code: code.to_owned(),
        slug: String::new(),
        title: String::new(),
        severity: Severity::High,
        gates: false,
        verdict,
        observed: "seen".to_owned(),
        expected: "more".to_owned(),
        objects: Vec::new(),
        fix: None,
        behind: None,
        unknown: None,
        option: None,
        lasting: false,
        waiver: None,
    }
}
