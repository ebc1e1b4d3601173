//! What a check stands behind: a failure is told once, where it began.

use super::fix::Advice;
use crate::checks::Check;
use crate::report::{CheckResult, Verdict};
use std::collections::BTreeMap;

/// Makes `result` blocked where something it requires failed, and unknown where something it requires is unknown.
///
/// What it found by itself is dropped then: behind a fail its own fail says nothing new, and its own pass may rest on
/// what is left of a time before the fail.
pub(super) fn stand_behind(result: &mut CheckResult, check: &Check, earlier: &BTreeMap<&'static str, CheckResult>) {
    // What was not asked stays so: nothing that is mended before it would change that.
    if result.verdict == Verdict::NotAsked {
        return;
    }
    let required: Vec<&CheckResult> = check.requires.iter().filter_map(|code| earlier.get(code)).collect();
    stand_behind_any(result, &required, earlier);
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
    stand_behind_any(result, &told, earlier);
    let stands = |told: &&CheckResult| matches!(told.verdict, Verdict::Pass | Verdict::Warn | Verdict::Waived);
    if result.verdict == Verdict::Fail && told.len() == absent.len() && told.iter().all(stands) {
        result.verdict = Verdict::Warn;
        result
            .observed
            .push_str(", and it is there: something else installed it");
        // Helm does not take over what it did not install, and taking it away first is no small thing.
        let keep = "let whatever keeps it (Flux, Argo CD, kubectl) keep the contract's chart version and values too";
        result.fix = Some(Advice::of_words(keep).words());
    }
}

fn stand_behind_any(
    result: &mut CheckResult,
    required: &[&CheckResult],
    earlier: &BTreeMap<&'static str, CheckResult>,
) {
    let first = |verdicts: &[Verdict]| required.iter().find(|other| verdicts.contains(&other.verdict)).copied();
    if let Some(fail) = first(&[Verdict::Fail, Verdict::Blocked]) {
        let root = root(fail, earlier);
        clear(result);
        result.verdict = Verdict::Blocked;
        result.observed = behind(&root.code);
        // Whether waiting can help is the root's to say.
        result.lasting = fail.lasting;
        result.behind = Some(root.code.clone());
    } else if let (Some(unknown), false) = (first(&[Verdict::Unknown]), result.unknown.is_some()) {
        let root = root(unknown, earlier);
        clear(result);
        result.verdict = Verdict::Unknown;
        result.observed = format!("{}: {}", behind(&root.code), root.observed);
        result.unknown.clone_from(&unknown.unknown);
        result.lasting = unknown.lasting;
        result.behind = Some(root.code.clone());
    }
}

/// What a check is said to have observed that stands behind another.
pub(super) fn behind(root: &str) -> String {
    format!("stands behind {root}")
}

/// Where it began: the result itself, or that of the check which it stands behind.
fn root<'r>(result: &'r CheckResult, earlier: &'r BTreeMap<&'static str, CheckResult>) -> &'r CheckResult {
    let behind = result.behind.as_deref().and_then(|code| earlier.get(code));
    behind.unwrap_or(result)
}

fn clear(result: &mut CheckResult) {
    result.expected = String::new();
    result.objects = Vec::new();
    result.fix = None;
    result.unknown = None;
    result.option = None;
    result.waiver = None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::check;
    use crate::evaluate::sample::result;
    use rstest::rstest;

    fn earlier(results: &[(&'static str, Verdict)]) -> BTreeMap<&'static str, CheckResult> {
        let results = results.iter().map(|(code, verdict)| (*code, result(code, *verdict)));
        results.collect()
    }

    #[rstest]
    #[case::nothing_is_absent(&[], &[("SF302", Verdict::Pass)], Verdict::Fail)]
    #[case::it_is_there(&["metrics-server"], &[("SF302", Verdict::Pass)], Verdict::Warn)]
    #[case::both_are_there(
        &["metrics-server", "kube-state-metrics"],
        &[("SF302", Verdict::Warn), ("SF320", Verdict::Waived)],
        Verdict::Warn
    )]
    #[case::of_one_nothing_is_told(&["metrics-server", "kube-state-metrics"], &[("SF302", Verdict::Pass)], Verdict::Fail)]
    #[case::one_has_no_subject(
        &["metrics-server", "kube-state-metrics"],
        &[("SF302", Verdict::Pass), ("SF320", Verdict::NotApplicable)],
        Verdict::Fail
    )]
    #[case::it_is_not_there(&["metrics-server"], &[("SF302", Verdict::Fail)], Verdict::Blocked)]
    #[case::it_was_not_seen(&["metrics-server"], &[("SF302", Verdict::Unknown)], Verdict::Unknown)]
    fn a_release_that_is_not_there_is_judged_by_what_is(
        #[case] absent: &[&str],
        #[case] told: &[(&'static str, Verdict)],
        #[case] verdict: Verdict,
    ) {
        let absent: Vec<String> = absent.iter().map(|name| (*name).to_owned()).collect();
        let mut judged = result("SF380", Verdict::Fail);
        installed_otherwise(&mut judged, check("SF380").unwrap(), &absent, &earlier(told));
        assert_eq!(judged.verdict, verdict);
        assert_eq!(judged.fix.is_some(), verdict == Verdict::Warn);
    }

    #[test]
    fn one_that_passes_stays_so_whatever_is_absent() {
        let mut judged = result("SF380", Verdict::Pass);
        let absent = ["metrics-server".to_owned()];
        installed_otherwise(
            &mut judged,
            check("SF380").unwrap(),
            &absent,
            &earlier(&[("SF302", Verdict::Pass)]),
        );
        assert_eq!(judged.verdict, Verdict::Pass);
    }

    #[test]
    fn what_stands_behind_another_says_nothing_of_its_own() {
        for root in [Verdict::Fail, Verdict::Unknown] {
            let mut first = result("SF301", root);
            // What the root says may itself sound as if it stood behind something.
            first.observed = "stands behind a proxy: it is not there".to_owned();
            let earlier = BTreeMap::from([("SF301", first.clone())]);
            let mut second = result("SF302", Verdict::Pass);
            second.fix = Some(Advice::of_words("mend it").words());
            stand_behind_any(&mut second, &[&first], &earlier);
            let mut third = result("SF303", Verdict::Warn);
            stand_behind_any(&mut third, &[&second], &earlier);
            for judged in [&second, &third] {
                assert_eq!(judged.behind.as_deref(), Some("SF301"));
                assert_eq!((judged.expected.as_str(), &judged.fix), ("", &None));
                let says = match root {
                    Verdict::Fail => "stands behind SF301",
                    _ => "stands behind SF301: stands behind a proxy: it is not there",
                };
                assert_eq!(judged.observed, says);
            }
        }
    }
}
