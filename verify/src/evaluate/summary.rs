//! The answer: conforms, or the first broken step. It claims no more than was judged.

use crate::checks::Selection;
use crate::contract::StepId;
use crate::evidence::{Evidence, Observed};
use crate::report::{CheckResult, Counts, FirstBroken, StepReport, Subject, Summary, Verdict};

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
    // What was selected stands behind others: that those pass says nothing where it was not asked itself.
    let selected: Vec<&CheckResult> = results()
        .map(|(_, check)| check)
        .filter(|check| selection.asks_for_check(&check.code))
        .collect();
    let nothing_asked = !selected.is_empty() && selected.iter().all(|check| check.verdict == Verdict::NotAsked);
    let judged = counts.pass + counts.warn + counts.waived > 0;
    Summary {
        conforms: broken.is_none() && judged && !nothing_asked,
        answer: match broken {
            Some((step, check)) => broken_answer(step, check),
            None if judged && nothing_asked => "nothing that was selected was asked".to_owned(),
            None => conforming_answer(steps, &counts, selection),
        },
        first_broken: broken.map(|(step, check)| FirstBroken {
            code: check.code.clone(),
            step,
        }),
        counts,
        not_audited: steps
            .iter()
            .filter(|step| !step.is_audited())
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

fn conforming_answer(steps: &[StepReport], counts: &Counts, selection: &Selection) -> String {
    let (audited, unasked): (Vec<&StepReport>, Vec<&StepReport>) = steps
        .iter()
        .filter(|step| !step.checks.is_empty())
        .partition(|step| step.is_audited());
    if counts.pass + counts.warn + counts.waived == 0 {
        return if counts.not_asked > 0 && counts.not_applicable == 0 {
            "nothing was asked".to_owned()
        } else {
            "nothing could be judged: no check has a subject yet".to_owned()
        };
    }
    let counted: Option<Vec<usize>> = audited.iter().map(|step| selection.of_checks(step.id)).collect();
    if let Some(totals) = counted {
        return counting_answer(&audited, &totals, counts);
    }
    let (audited, beneath): (Vec<&StepReport>, Vec<&StepReport>) =
        audited.into_iter().partition(|step| selection.asks_for(step.id));
    let mut named = step_names(&audited);
    if selection.is_of_files() {
        named = format!("the files of {named}");
    }
    let mut answer = match counts.warn {
        0 => format!("conforms: {named}"),
        1 => format!("conforms with 1 warning: {named}"),
        more => format!("conforms with {more} warnings: {named}"),
    };
    let partly: Vec<String> = audited.iter().filter_map(|step| reservation(step)).collect();
    if !partly.is_empty() {
        answer = format!("{answer} ({})", partly.join(", "));
    }
    if !beneath.is_empty() {
        let stands = if audited.len() == 1 { "it stands" } else { "they stand" };
        answer = format!(
            "{answer}; of {} only what {stands} behind was judged",
            step_names(&beneath)
        );
    }
    for step in unasked {
        answer = format!("{answer}; {} is not audited", step_name(step.id));
    }
    answer
}

/// Steps in words.
fn step_names(steps: &[&StepReport]) -> String {
    match steps {
        [] => "nothing".to_owned(),
        [one] => step_name(one.id),
        [first @ .., last] => {
            let first = first.iter().map(|step| step.id.as_str()).collect::<Vec<_>>().join(", ");
            format!("steps {first} and {}", last.id)
        }
    }
}

/// By whose word a step conforms of which something was not asked.
fn reservation(step: &StepReport) -> Option<String> {
    let mut options = step.checks.iter().filter_map(|check| check.option.as_deref());
    let option = options.next()?;
    let step_name = step_name(step.id);
    Some(match step.id {
        StepId::Six => format!("{step_name} by the cluster's own word"),
        _ => format!("{step_name} without what {option} asks"),
    })
}

/// The answer where checks or groups were chosen: it claims no step.
fn counting_answer(audited: &[&StepReport], totals: &[usize], counts: &Counts) -> String {
    let passes = |step: &StepReport| {
        let passing = |verdict: Verdict| matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Waived);
        step.checks.iter().filter(|check| passing(check.verdict)).count()
    };
    let parts: Vec<String> = (audited.iter().zip(totals))
        .map(|(step, total)| format!("{} of {total} checks of {}", passes(step), step_name(step.id)))
        .collect();
    let parts = match parts.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        parts => parts.concat(),
    };
    let passing = counts.pass + counts.warn + counts.waived;
    let mut answer = format!("{parts} {}", if passing == 1 { "passes" } else { "pass" });
    let mut add = |count: usize, one: &str, more: &str| match count {
        0 => {}
        1 => answer.push_str(one),
        count => answer.push_str(&more.replace('#', &count.to_string())),
    };
    add(counts.warn, ", 1 with a warning", ", # with warnings");
    add(counts.not_applicable, "; 1 has no subject", "; # have no subject");
    add(counts.not_asked, "; 1 was not asked", "; # were not asked");
    let selected: usize = audited.iter().map(|step| step.checks.len()).sum();
    if selected < totals.iter().sum::<usize>() {
        answer.push_str("; the others were not selected");
    }
    answer
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
    use crate::evaluate::sample::result;
    use crate::evaluate::{CHECKS, SelectionRequest};
    use rstest::rstest;

    fn summed(verdicts: &[Verdict]) -> Summary {
        let step = StepReport {
            id: StepId::Three,
            title: String::new(),
            checks: verdicts.iter().map(|verdict| of(*verdict)).collect(),
        };
        summary(&[step], &Selection::new(&SelectionRequest::default()).unwrap())
    }

    fn of(verdict: Verdict) -> CheckResult {
        let mut result = result("SF301", verdict);
        result.option = (verdict == Verdict::NotAsked).then(|| "--option".to_owned());
        result
    }

    #[rstest]
    #[case::all_that_was_selected_passes(&[Verdict::Pass, Verdict::Waived], "2 of # checks of step 3 pass; the others were not selected")]
    #[case::one(&[Verdict::Pass], "1 of # checks of step 3 passes; the others were not selected")]
    #[case::warnings(&[Verdict::Warn, Verdict::Pass], "2 of # checks of step 3 pass, 1 with a warning; the others were not selected")]
    #[case::beside(
        &[Verdict::Pass, Verdict::NotApplicable, Verdict::NotApplicable, Verdict::NotAsked],
        "1 of # checks of step 3 passes; 2 have no subject; 1 was not asked; the others were not selected"
    )]
    #[case::broken(&[Verdict::Pass, Verdict::Fail], "step 3 is broken: seen (SF301)")]
    fn where_checks_are_chosen_the_answer_counts_them(#[case] verdicts: &[Verdict], #[case] answer: &str) {
        let all = CHECKS.iter().filter(|check| check.step == StepId::Three).count();
        let answer = answer.replace('#', &all.to_string());
        let step = StepReport {
            id: StepId::Three,
            title: String::new(),
            checks: verdicts.iter().map(|verdict| of(*verdict)).collect(),
        };
        let code = || vec!["SF301".to_owned()];
        let group = || vec!["helm".to_owned()];
        let requests = [
            SelectionRequest {
                checks: code(),
                ..SelectionRequest::default()
            },
            SelectionRequest {
                ignored_checks: code(),
                ..SelectionRequest::default()
            },
            SelectionRequest {
                groups: group(),
                ..SelectionRequest::default()
            },
            SelectionRequest {
                ignored_groups: group(),
                ..SelectionRequest::default()
            },
        ];
        for request in requests {
            let summary = summary(std::slice::from_ref(&step), &Selection::new(&request).unwrap());
            assert_eq!(summary.answer, answer, "{request:?}");
        }
    }

    fn step(id: StepId, code: &str, verdict: Verdict) -> StepReport {
        let mut check = of(verdict);
        check.code = code.to_owned();
        StepReport {
            id,
            title: String::new(),
            checks: vec![check],
        }
    }

    #[rstest]
    #[case(&[StepId::Three], "conforms: step 3; of step 1 only what it stands behind was judged")]
    #[case(&[StepId::One, StepId::Three], "conforms: steps 1 and 3")]
    #[case(&[], "conforms: steps 1 and 3")]
    fn where_steps_are_chosen_those_beneath_are_not_said_to_conform(#[case] steps: &[StepId], #[case] answer: &str) {
        let selection = Selection::new(&SelectionRequest {
            steps: steps.to_vec(),
            ..SelectionRequest::default()
        });
        let reports = [
            step(StepId::One, "SF101", Verdict::Pass),
            step(StepId::Three, "SF301", Verdict::Pass),
        ];
        assert_eq!(summary(&reports, &selection.unwrap()).answer, answer);
    }

    #[test]
    fn what_was_selected_and_not_asked_does_not_conform_by_what_it_stands_behind() {
        let selection = Selection::new(&SelectionRequest {
            checks: vec!["SF603".to_owned()],
            ..SelectionRequest::default()
        });
        let reports = [
            step(StepId::One, "SF101", Verdict::Pass),
            step(StepId::Six, "SF603", Verdict::NotAsked),
        ];
        let summary = summary(&reports, &selection.unwrap());
        assert_eq!(
            (summary.conforms, summary.answer.as_str()),
            (false, "nothing that was selected was asked")
        );
    }

    #[test]
    fn of_files_it_is_said_that_they_are_files() {
        let reports = [step(StepId::Two, "SF801", Verdict::Pass)];
        assert_eq!(
            summary(&reports, &Selection::of_files()).answer,
            "conforms: the files of step 2"
        );
    }

    #[rstest]
    #[case(&[Verdict::Pass], true, "conforms: step 3")]
    #[case(&[Verdict::Waived], true, "conforms: step 3")]
    #[case(&[Verdict::Warn], true, "conforms with 1 warning: step 3")]
    #[case(&[Verdict::Warn, Verdict::Warn, Verdict::Pass, Verdict::Waived], true, "conforms with 2 warnings: step 3")]
    #[case(&[Verdict::NotApplicable], false, "nothing could be judged: no check has a subject yet")]
    #[case(&[], false, "nothing could be judged: no check has a subject yet")]
    #[case(&[Verdict::NotAsked], false, "nothing was asked")]
    #[case(&[Verdict::Pass, Verdict::NotAsked], true, "conforms: step 3 (step 3 without what --option asks)")]
    #[case(&[Verdict::Pass, Verdict::Fail], false, "step 3 is broken: seen (SF301)")]
    #[case(&[Verdict::Pass, Verdict::Unknown], false, "cannot tell whether step 3 is kept: seen (SF301)")]
    fn the_answer(#[case] verdicts: &[Verdict], #[case] conforms: bool, #[case] answer: &str) {
        let summary = summed(verdicts);
        assert_eq!((summary.conforms, summary.answer.as_str()), (conforms, answer));
    }
}
