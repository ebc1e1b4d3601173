//! One step and its checks.

use super::{check, summary};
use crate::render::Screen;
use crate::render::style::{BOLD, Styled};
use starform_verify::printable::one_line;
use starform_verify::report::{Report, StepReport};
use std::fmt::Write;

pub(super) fn write(out: &mut String, step: &StepReport, report: &Report, screen: Screen) {
    let name = match step.id {
        starform_verify::contract::StepId::Region => "Region".to_owned(),
        id => format!("Step {id}"),
    };
    let _ = writeln!(out, "\n{}  {}", Styled(BOLD, name), one_line(&step.title));
    for result in &step.checks {
        let told = report.is_first_broken(result) || (summary::forbidden(result) && report.error.is_none());
        check::write(out, result, told, screen);
    }
}
