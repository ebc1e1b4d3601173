//! The bootstrap, steps 1 to 6, in the order in which they are installed.

use super::state::State;
use crate::snapshot::Snapshot;
use crate::view::View;
use maud::{Markup, html};
use starform_verify::contract::{Step, StepId};
use starform_verify::evidence::Phase;
use starform_verify::report::{StepReport, Verdict};

/// The diagram.
pub(super) fn diagram(view: &View) -> Markup {
    let steps = view.contract.steps.iter().filter(|step| step.id != StepId::Region);
    html! {
        section aria-labelledby="bootstrap" {
            h2 #bootstrap { "Bootstrap" }
            ol .steps { @for step in steps { (tile(view, step)) } }
        }
    }
}

fn tile(view: &View, step: &Step) -> Markup {
    let report = view.verification.as_deref().map(|verification| &verification.report);
    let judged = report.and_then(|report| report.steps.iter().find(|judged| judged.id == step.id));
    let judged = judged.filter(|judged| !judged.checks.is_empty());
    let first = view.first_broken().filter(|(broken, _)| broken.id == step.id);
    let (state, note) = match judged {
        Some(judged) => (State::of_step(judged), count(judged)),
        None if step.id == StepId::Six => registration(&view.snapshot),
        // Checks there are, and none has been judged yet.
        None if report.is_none() && !step.checks.is_empty() => (State::Waits, "not judged yet".to_owned()),
        None => (State::NotAudited, "no check yet".to_owned()),
    };
    // Where no check is to be mended first, a registration that is refused is.
    let refused = step.id == StepId::Six && state == State::Fail && view.broken().is_none();
    let class = if first.is_some() || refused { " first" } else { "" };
    html! {
        li class=(format!("{}{class}", state.class())) {
            p .step { "Step " (step.id) }
            (state.badge())
            p .title { (step.title) }
            p .note {
                @match first {
                    Some((_, check)) => { a href=(format!("#{}", check.code)) { (check.code) } " is to be mended first" },
                    None => (note),
                }
            }
        }
    }
}

/// Step 6 where no check judges it: what the lifecycle knows of itself.
fn registration(snapshot: &Snapshot) -> (State, String) {
    match (snapshot.phase, snapshot.registration) {
        (Phase::Rejected, _) => (State::Fail, "Starbase refuses".to_owned()),
        (_, Some(registered)) => (State::Pass, format!("registered, generation {}", registered.generation)),
        (Phase::Registering, None) => (State::Waits, "asks Starbase".to_owned()),
        (Phase::Standby, None) => (State::Waits, "the leader registers".to_owned()),
        (_, None) => (State::Waits, "not registered".to_owned()),
    }
}

/// `9 of 22 pass`. What has no subject is not counted.
pub(super) fn count(step: &StepReport) -> String {
    let subjects = step
        .checks
        .iter()
        .filter(|check| !matches!(check.verdict, Verdict::NotApplicable | Verdict::NotAsked));
    let passing = |verdict: Verdict| matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Waived);
    let passes = subjects.clone().filter(|check| passing(check.verdict)).count();
    format!("{passes} of {} pass", subjects.count())
}
