//! The answer: conforms, or the first broken step.

use super::select::Selection;
use crate::contract::StepId;
use crate::evidence::{Evidence, Observed};
use crate::report::{CheckResult, Counts, StepReport, Subject, Summary, Verdict};

/// Sums up.
pub(super) fn summary(steps: &[StepReport], selection: &Selection) -> Summary {
    let mut counts = Counts::default();
    let results = || {
        steps
            .iter()
            .flat_map(|step| step.checks.iter().map(move |check| (step.id, check)))
    };
    for (_, check) in results() {
        counts.add(check.verdict);
    }
    let first = |verdict: Verdict| results().find(|(_, check)| check.verdict == verdict);
    // Unknown that stands behind nothing, before what stands behind it.
    let root_unknown = || results().find(|(_, check)| check.verdict == Verdict::Unknown && check.behind.is_none());
    let broken = first(Verdict::Fail)
        .or_else(|| first(Verdict::Blocked))
        .or_else(root_unknown)
        .or_else(|| first(Verdict::Unknown));
    Summary {
        conforms: broken.is_none() && counts.pass + counts.warn + counts.waived > 0,
        answer: match broken {
            Some((step, check)) => broken_answer(step, check),
            None => conforming_answer(steps, &counts),
        },
        first_broken: broken.map(|(_, check)| check.code.clone()),
        first_broken_step: broken.map(|(step, _)| step),
        counts,
        not_audited: steps
            .iter()
            .filter(|step| step.checks.is_empty())
            .map(|step| step.id)
            .collect(),
        ignored: selection.ignored().iter().map(|check| check.code.to_owned()).collect(),
    }
}

/// What was audited, as far as it was seen.
pub(super) fn subject(evidence: &Evidence) -> Subject {
    let seen = |version: &Observed<crate::evidence::ApiServer>| match version {
        Observed::Seen(server) => Some(server.git_version.clone()),
        _ => None,
    };
    let nodes = match &evidence.nodes {
        Observed::Seen(nodes) => Some(nodes),
        _ => None,
    };
    let region = nodes.and_then(|nodes| {
        let first = nodes.first()?.region.as_deref()?;
        nodes
            .iter()
            .all(|node| node.region.as_deref() == Some(first))
            .then(|| first.to_owned())
    });
    Subject {
        manifests: None,
        context: evidence.target.context.clone(),
        uid: match &evidence.identity {
            Observed::Seen(uid) => Some(uid.clone()),
            _ => None,
        },
        kubernetes: seen(&evidence.api_server),
        nodes: nodes.map(Vec::len),
        region,
        vantage: evidence.target.vantage,
    }
}

fn broken_answer(step: StepId, check: &CheckResult) -> String {
    let step = step_name(step);
    let what = format!("{} ({})", check.observed, check.code);
    match check.verdict {
        Verdict::Unknown => format!("cannot tell whether {step} is kept: {what}"),
        _ => format!("{step} is broken: {what}"),
    }
}

fn conforming_answer(steps: &[StepReport], counts: &Counts) -> String {
    let audited: Vec<StepId> = steps
        .iter()
        .filter(|step| !step.checks.is_empty())
        .map(|step| step.id)
        .collect();
    if counts.pass + counts.warn + counts.waived == 0 {
        return "nothing could be judged: no check has a subject yet".to_owned();
    }
    let named = match audited.as_slice() {
        [] => "nothing".to_owned(),
        [one] => step_name(*one),
        [first @ .., last] => {
            let first = first.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ");
            format!("steps {first} and {last}")
        }
    };
    match counts.warn {
        0 => format!("conforms: {named}"),
        1 => format!("conforms with 1 warning: {named}"),
        more => format!("conforms with {more} warnings: {named}"),
    }
}

fn step_name(step: StepId) -> String {
    match step {
        StepId::Region => "the region".to_owned(),
        step => format!("step {step}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::SelectionRequest;
    use crate::evaluate::sample::result;
    use rstest::rstest;

    fn summed(verdicts: &[Verdict]) -> Summary {
        let step = StepReport {
            id: StepId::Three,
            title: String::new(),
            checks: verdicts.iter().map(|verdict| result("SF301", *verdict)).collect(),
        };
        summary(&[step], &Selection::new(&SelectionRequest::default()).unwrap())
    }

    #[rstest]
    #[case(&[Verdict::Pass], true, "conforms: step 3")]
    #[case(&[Verdict::Waived], true, "conforms: step 3")]
    #[case(&[Verdict::Warn], true, "conforms with 1 warning: step 3")]
    #[case(&[Verdict::Warn, Verdict::Warn, Verdict::Pass, Verdict::Waived], true, "conforms with 2 warnings: step 3")]
    #[case(&[Verdict::NotApplicable], false, "nothing could be judged: no check has a subject yet")]
    #[case(&[], false, "nothing could be judged: no check has a subject yet")]
    #[case(&[Verdict::Pass, Verdict::Fail], false, "step 3 is broken: seen (SF301)")]
    #[case(&[Verdict::Pass, Verdict::Unknown], false, "cannot tell whether step 3 is kept: seen (SF301)")]
    fn the_answer(#[case] verdicts: &[Verdict], #[case] conforms: bool, #[case] answer: &str) {
        let summary = summed(verdicts);
        assert_eq!((summary.conforms, summary.answer.as_str()), (conforms, answer));
    }
}
