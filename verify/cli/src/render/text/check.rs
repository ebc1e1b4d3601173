//! One check: a line if there is nothing to say, else what was seen and what to do.

use super::object_list;
use crate::render::style::{DIM, Styled};
use crate::render::{Screen, Wrap, command, style, symbol};
use starform_verify::report::{CheckResult, Verdict};
use std::fmt::Write;

/// Where titles start: symbol, code, and the blanks around them.
const TITLE: usize = 11;
/// Where details start.
const DETAIL: usize = TITLE + 10;
/// More objects than these are told by their number.
const OBJECTS: usize = 5;

/// Writes a check. `told` says that the summary has already told its fix.
pub(super) fn write(out: &mut String, check: &CheckResult, told: bool, screen: Screen) {
    match (&check.behind, check.verdict) {
        (Some(behind), Verdict::Blocked) => aside(out, check, &format!("behind {behind}"), screen),
        (Some(behind), Verdict::Unknown) => aside(out, check, &format!("unknown, behind {behind}"), screen),
        (_, Verdict::NotApplicable) => aside(out, check, &format!("not applicable: {}", check.observed), screen),
        (_, Verdict::NotAsked) => aside(out, check, &format!("not asked: {}", check.observed), screen),
        (_, Verdict::Pass) => head(out, check, screen),
        _ => {
            head(out, check, screen);
            details(out, check, told, screen);
        }
    }
}

fn head(out: &mut String, check: &CheckResult, screen: Screen) {
    let symbol = Styled(style::of(check.verdict), symbol::of(check.verdict, screen));
    let title = wrapped(&check.title, TITLE, screen);
    let _ = writeln!(out, "  {symbol} {}  {title}", check.code);
}

/// A check that says nothing of its own: one dimmed line.
fn aside(out: &mut String, check: &CheckResult, why: &str, screen: Screen) {
    let symbol = symbol::of(check.verdict, screen);
    let text = wrapped(&format!("{} ({why})", check.title), TITLE, screen);
    let _ = writeln!(
        out,
        "  {}",
        Styled(DIM, format_args!("{symbol} {}  {text}", check.code))
    );
}

fn details(out: &mut String, check: &CheckResult, told: bool, screen: Screen) {
    match check.unknown.as_ref().and_then(|unknown| unknown.access.as_ref()) {
        Some(access) => detail(out, "missing", &format!("the permission to {access}"), screen),
        None => detail(out, "observed", &check.observed, screen),
    }
    if !check.expected.is_empty() {
        detail(out, "expected", &check.expected, screen);
    }
    if !check.objects.is_empty() {
        detail(out, "objects", &object_list(&check.objects, OBJECTS), screen);
    }
    if let Some(waiver) = &check.waiver {
        let state = if waiver.expired { "expired on" } else { "until" };
        let text = format!("{state} {}, {}: {}", waiver.expires, waiver.owner, waiver.reason);
        detail(out, if waiver.expired { "waiver" } else { "waived" }, &text, screen);
    }
    match &check.fix {
        Some(fix) if told => detail(out, fix.label(), "above", screen),
        Some(fix) => {
            detail(out, fix.label(), &fix.words(), screen);
            command::write(out, fix, DETAIL);
        }
        None => {}
    }
}

fn detail(out: &mut String, label: &str, text: &str, screen: Screen) {
    let label = Styled(DIM, format_args!("{label:<10}"));
    let _ = writeln!(out, "{:TITLE$}{label}{}", "", wrapped(text, DETAIL, screen));
}

fn wrapped(text: &str, indent: usize, screen: Screen) -> String {
    Wrap {
        width: screen.width,
        taken: indent,
        indent,
    }
    .text(text)
}
