//! Results, for tests of what is made of them.

use crate::contract::Severity;
use crate::report::{CheckResult, Verdict};

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
