//! What a check stands behind: a failure is told once, where it began.

use super::check::Check;
use crate::report::{CheckResult, Fix, Verdict};
use std::collections::BTreeMap;

/// Makes `result` blocked where something it requires failed, and unknown where something it requires is unknown.
///
/// What it found by itself is dropped then: behind a fail its own fail says nothing new, and its own pass may rest on
/// what is left of a time before the fail.
pub(super) fn stand_behind(result: &mut CheckResult, check: &Check, earlier: &BTreeMap<&'static str, CheckResult>) {
    let required: Vec<&CheckResult> = check.requires.iter().filter_map(|code| earlier.get(code)).collect();
    stand_behind_any(result, &required);
}

/// Judges a Helm release that is not there by the check that tells whether its component is: where that failed, this
/// stands behind it; where it did not, something else than Helm installed it, which may be as the contract wants it.
pub(super) fn installed_otherwise(
    result: &mut CheckResult,
    check: &Check,
    absent: &[String],
    earlier: &BTreeMap<&'static str, CheckResult>,
) {
    if absent.is_empty() {
        return;
    }
    let telling = |release: &String| check.present.iter().find(|(name, _)| name == release);
    let told: Vec<&CheckResult> = absent
        .iter()
        .filter_map(|release| earlier.get(telling(release)?.1))
        .collect();
    stand_behind_any(result, &told);
    let stands = |told: &&CheckResult| matches!(told.verdict, Verdict::Pass | Verdict::Warn | Verdict::Waived);
    if result.verdict == Verdict::Fail && told.len() == absent.len() && told.iter().all(stands) {
        result.verdict = Verdict::Warn;
        result
            .observed
            .push_str(", and it is there: something else installed it");
        // Helm does not take over what it did not install, and taking it away first is no small thing.
        result.fix = Some(Fix {
            summary: "let whatever keeps it (Flux, Argo CD, kubectl) keep the contract's chart version and values too"
                .to_owned(),
            commands: Vec::new(),
        });
    }
}

fn stand_behind_any(result: &mut CheckResult, required: &[&CheckResult]) {
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
