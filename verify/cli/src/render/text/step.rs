//! One step and its checks.

use super::check;
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
        check::write(out, result, report.is_first_broken(result), screen);
    }
}
