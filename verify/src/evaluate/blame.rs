//! What a check stands behind: a failure is told once, where it began.

use super::check::Check;
use crate::report::{CheckResult, Verdict};
use std::collections::BTreeMap;

/// Makes `result` blocked where something it requires failed, and unknown where something it requires is unknown.
///
/// What it found by itself is dropped then: behind a fail its own fail says nothing new, and its own pass may rest on
/// what is left of a time before the fail.
pub(super) fn stand_behind(result: &mut CheckResult, check: &Check, earlier: &BTreeMap<&'static str, CheckResult>) {
    let required: Vec<&CheckResult> = check.requires.iter().filter_map(|code| earlier.get(code)).collect();
    let first = |verdicts: &[Verdict]| required.iter().find(|other| verdicts.contains(&other.verdict)).copied();
    if let Some(fail) = first(&[Verdict::Fail, Verdict::Blocked]) {
        let root = fail.behind.as_ref().unwrap_or(&fail.code).clone();
        clear(result);
        result.verdict = Verdict::Blocked;
        result.observed = format!("stands behind {root}");
        // Whether waiting can help is the root's to say.
        result.lasting = fail.lasting;
        result.behind = Some(root);
    } else if let (Some(unknown), false) = (first(&[Verdict::Unknown]), result.unknown.is_some()) {
        let root = unknown.behind.as_ref().unwrap_or(&unknown.code).clone();
        clear(result);
        result.verdict = Verdict::Unknown;
        result.observed = format!("stands behind {root}: {}", without_prefix(&unknown.observed));
        result.unknown.clone_from(&unknown.unknown);
        result.lasting = unknown.lasting;
        result.behind = Some(root);
    }
}

fn clear(result: &mut CheckResult) {
    result.expected = String::new();
    result.objects = Vec::new();
    result.fix = None;
    result.unknown = None;
    result.waiver = None;
}

/// The reason alone, where it already says what it stands behind.
fn without_prefix(observed: &str) -> &str {
    match observed
        .strip_prefix("stands behind ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, reason)) => reason,
        None => observed,
    }
}
