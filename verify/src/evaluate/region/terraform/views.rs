//! What is and what will be: a plan tells both, and each is judged by itself. An apply may mend what is broken, and break
//! what is whole; a report says which of them it speaks of.

use super::parts;
use crate::contract::RegionTerms;
use crate::evaluate::fix::Advice;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Terraform, TerraformKind, TerraformResources};
use crate::report::Verdict;

/// The resources at one time.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) terraform: &'a Terraform,
    pub(super) resources: &'a TerraformResources,
    pub(super) terms: &'a RegionTerms,
    /// Whether they are what a plan would make.
    pub(super) planned: bool,
}

/// Judges what is and what will be. What is passes only where the document knows it.
pub(super) fn each(subject: Subject<'_>, judge: impl Fn(View<'_>) -> Outcome) -> Judge {
    each_as_told(subject, |view| {
        let outcome = judge(view);
        if view.planned {
            outcome
        } else {
            of_today(view.terraform, outcome)
        }
    })
}

/// Judges what is and what will be, as the document tells it.
pub(super) fn each_as_told(subject: Subject<'_>, judge: impl Fn(View<'_>) -> Outcome) -> Judge {
    let terraform = super::given(&subject.evidence.region.terraform)?;
    let terms = subject.region_terms();
    let view = |resources, planned| View {
        terraform,
        resources,
        terms,
        planned,
    };
    let (is, planned) = seen(terraform, terms);
    let is = is.map(|resources| judge(view(resources, false)));
    let planned = planned.map(|resources| judge(view(resources, true)));
    Ok(match (is, planned) {
        (Some(is), Some(planned)) => both(terraform, is, planned),
        (Some(is), None) => told(&when(terraform), is),
        (None, Some(planned)) => told(PLANNED, planned),
        (None, None) => Outcome::undetermined("it tells neither what is nor what will be").fix(super::refresh()),
    })
}

const PLANNED: &str = "as planned";

/// What is, and what will be. What is does not count where a region is yet to be made: nothing of it is there, and nobody
/// deleted it.
pub(super) fn seen<'a>(
    terraform: &'a Terraform,
    terms: &'a RegionTerms,
) -> (Option<&'a TerraformResources>, Option<&'a TerraformResources>) {
    let planned = terraform.planned.as_ref();
    let has_part = |resources: &TerraformResources| !parts(resources, terms).is_empty();
    let is_first =
        |is: &&TerraformResources| planned.is_some_and(has_part) && !has_part(is) && terraform.gone.is_empty();
    (terraform.is.as_ref().filter(|is| !is_first(is)), planned)
}

/// When what is was looked at, in words.
fn when(terraform: &Terraform) -> String {
    match terraform.kind {
        TerraformKind::State => "in the state".to_owned(),
        TerraformKind::Plan if terraform.unrefreshed => "as it was".to_owned(),
        TerraformKind::Plan => "as it is".to_owned(),
    }
}

/// What a plan that was not refreshed says is good was good once.
fn of_today(terraform: &Terraform, outcome: Outcome) -> Outcome {
    if !terraform.unrefreshed || !matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable) {
        return outcome;
    }
    Outcome::undetermined(format!("{}; {PAST}", outcome.observed))
        .expected("a plan that is made with a refresh")
        .fix(refreshed())
        .lasting()
}

/// What a plan that was not refreshed knows.
pub(super) const PAST: &str = "the plan was made with -refresh=false and knows the past only: volumes and attachments \
                                in it contradict each other";

pub(super) fn refreshed() -> Advice {
    super::by_refresh("make the plan without -refresh=false")
}

fn told(when: &str, mut outcome: Outcome) -> Outcome {
    outcome.observed = format!("{when}: {}", outcome.observed);
    outcome
}

/// The worse of both decides; both are told where they differ.
fn both(terraform: &Terraform, is: Outcome, planned: Outcome) -> Outcome {
    let now = when(terraform);
    if (is.verdict, &is.observed) == (planned.verdict, &planned.observed) {
        return told(&format!("{now} and {PLANNED}"), is);
    }
    let observed = format!("{now}: {}; {PLANNED}: {}", is.observed, planned.observed);
    let (mut worse, other) = if rank(planned.verdict) > rank(is.verdict) {
        (planned, is)
    } else {
        (is, planned)
    };
    if other.verdict == worse.verdict {
        let more = other
            .objects
            .into_iter()
            .filter(|object| !worse.objects.contains(object));
        let more: Vec<_> = more.collect();
        worse.objects.extend(more);
    }
    worse.observed = observed;
    worse
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 4,
        Verdict::Unknown => 3,
        Verdict::Warn => 2,
        Verdict::Pass => 1,
        _ => 0,
    }
}
