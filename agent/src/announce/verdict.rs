//! What the gate came to, in words.

use crate::lifecycle::{Broken, Gate};
use starform_verify::contract::StepId;
use starform_verify::report::{CheckResult, Report, StepReport};

/// The check of that code, and its step.
pub(crate) fn find<'a>(report: &'a Report, code: &str) -> Option<(&'a StepReport, &'a CheckResult)> {
    let checks = (report.steps.iter()).flat_map(|step| step.checks.iter().map(move |check| (step, check)));
    checks.into_iter().find(|(_, check)| check.code == code)
}

/// `step 3`.
pub(crate) fn step_name(step: StepId) -> String {
    match step {
        StepId::Region => "the region".to_owned(),
        step => format!("step {step}"),
    }
}

/// The answer in one line, as the auditor words it.
pub(crate) fn answer(gate: &Gate, report: &Report) -> String {
    match gate {
        Gate::Passes if report.summary.conforms => report.summary.answer.clone(),
        // What fails then does not gate.
        Gate::Passes => format!("every gating check passes; {}", report.summary.answer),
        Gate::Fails(broken) => format!("{} is broken: {}", place(broken), what(broken)),
        Gate::Unknown(broken) => format!("cannot tell whether {} is kept: {}", place(broken), what(broken)),
    }
}

fn place(broken: &Broken) -> String {
    (broken.check.as_ref()).map_or_else(|| "the contract".to_owned(), |check| step_name(check.step))
}

fn what(broken: &Broken) -> String {
    match broken.code() {
        Some(code) => format!("{} ({code})", broken.observed),
        None => broken.observed.clone(),
    }
}
