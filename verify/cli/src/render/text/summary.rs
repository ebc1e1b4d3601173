//! The answer, and what to type.

use super::{answer_symbol, count_list, not_asked};
use crate::render::style::{self, BOLD, DIM, Styled};
use crate::render::{Screen, Wrap, command, symbol};
use starform_verify::contract::StepId;
use starform_verify::evidence::Reason;
use starform_verify::report::{CheckResult, Report, ToolError, Verdict};
use std::fmt::Write;

const INDENT: usize = 2;

pub(super) fn write(out: &mut String, report: &Report, screen: Screen) {
    if let Some(told) = &report.error {
        error(out, told, screen);
    } else {
        let symbol = answer_symbol(report, screen);
        let answer = wrapped(&report.summary.answer, INDENT, screen);
        let _ = writeln!(out, "{symbol} {}", Styled(BOLD, answer));
        first_broken(out, report, screen);
    }
    out.push('\n');
    aside(out, &count_list(&report.summary.counts), screen);
    let not_audited = &report.summary.not_audited;
    if !not_audited.is_empty() {
        let steps = not_audited
            .iter()
            .map(|step| step.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let noun = if not_audited.len() == 1 { "step" } else { "steps" };
        aside(
            out,
            &format!("not audited, so not known to conform: {noun} {steps}"),
            screen,
        );
    }
    for line in not_asked(report) {
        aside(out, &line, screen);
    }
    if first(report).is_some_and(|check| !forbidden(check))
        && let Some(fix) = report
            .checks()
            .find(|check| forbidden(check))
            .and_then(|check| check.fix.as_ref())
    {
        let lines = fix.commands.join("; ");
        aside(
            out,
            &format!("permissions are missing: {}: {lines}", fix.summary),
            screen,
        );
    }
    if !report.summary.ignored.is_empty() {
        let codes = report.summary.ignored.join(", ");
        aside(out, &format!("left out on request: {codes}"), screen);
    }
}

/// Why there is no verdict: what happened, what was tried, what to do.
pub(super) fn error(out: &mut String, error: &ToolError, screen: Screen) {
    let verdict = if error.forbidden {
        Verdict::Unknown
    } else {
        Verdict::Fail
    };
    let symbol = Styled(style::of(verdict), symbol::of(verdict, screen));
    let _ = writeln!(
        out,
        "{symbol} {}",
        Styled(BOLD, wrapped(&error.message, INDENT, screen))
    );
    for (label, text) in error.beneath() {
        labelled(out, label, text, screen);
    }
}

/// Says again, below a long report, what is wrong and where to look.
pub(super) fn repeat(out: &mut String, report: &Report, screen: Screen) {
    let symbol = answer_symbol(report, screen);
    if let Some((step, check)) = report.first_broken() {
        let place = match step.id {
            StepId::Region => "the region".to_owned(),
            step => format!("step {step}"),
        };
        let what = match check.verdict {
            Verdict::Unknown => format!("cannot tell whether {place} is kept: {}", check.code),
            _ => format!("{place} is broken: {}", check.code),
        };
        let more = match &check.fix {
            Some(fix) if fix.changes => "; its fix stands at the top",
            Some(_) => "; where to look stands at the top",
            None => "; more at the top",
        };
        let _ = writeln!(out, "\n{symbol} {}{more}", Styled(BOLD, what));
    } else if report.error.is_none() {
        let _ = writeln!(
            out,
            "\n{symbol} {}",
            Styled(BOLD, wrapped(&report.summary.answer, INDENT, screen))
        );
    }
}

/// How to mend the first broken check: what is wrong with it the answer says.
fn first_broken(out: &mut String, report: &Report, screen: Screen) {
    let Some(check) = first(report) else { return };
    if let Some(fix) = &check.fix {
        labelled(out, fix.label(), &fix.words(), screen);
        if fix.lines().next().is_some() {
            out.push('\n');
            command::write(out, fix, INDENT + 2);
        }
    }
}

/// The check that the answer is about.
fn first(report: &Report) -> Option<&CheckResult> {
    report.first_broken().map(|(_, check)| check)
}

/// Whether a permission is missing, and nothing else: how all of them are got is told once.
pub(super) fn forbidden(check: &CheckResult) -> bool {
    check
        .unknown
        .as_ref()
        .is_some_and(|unknown| unknown.reason == Reason::Forbidden)
}

fn labelled(out: &mut String, label: &str, text: &str, screen: Screen) {
    let taken = INDENT + label.len() + 2;
    let _ = writeln!(out, "{:INDENT$}{}: {}", "", label, wrapped(text, taken, screen));
}

fn aside(out: &mut String, text: &str, screen: Screen) {
    let _ = writeln!(out, "{:INDENT$}{}", "", Styled(DIM, wrapped(text, INDENT, screen)));
}

fn wrapped(text: &str, taken: usize, screen: Screen) -> String {
    Wrap {
        width: screen.width,
        taken,
        indent: taken,
    }
    .text(text)
}
