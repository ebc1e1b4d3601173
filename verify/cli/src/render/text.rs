//! The report for an engineer: the answer first, then step by step.

mod check;
mod foot;
mod step;
mod summary;

use super::{Screen, style, symbol};
use starform_verify::report::{CheckResult, Counts, ObjectReference, Report, Verdict};

pub(super) use self::foot::versions;

pub(super) fn render(report: &Report, screen: Screen) -> String {
    let mut out = String::new();
    if let Some(error) = report.error.as_ref().filter(|_| says_nothing_else(report)) {
        summary::error(&mut out, error, screen);
        return out;
    }
    summary::write(&mut out, report, screen);
    for step in report.steps.iter().filter(|step| !step.checks.is_empty()) {
        step::write(&mut out, step, report, screen);
    }
    foot::write(&mut out, report, screen);
    if out.lines().count() > SCREENFUL {
        summary::repeat(&mut out, report, screen);
    }
    out
}

/// Lines after which the answer at the top is likely to have scrolled away.
const SCREENFUL: usize = 36;

/// A check as it stands in the report.
pub(super) fn check(check: &CheckResult, screen: Screen) -> String {
    let mut out = String::new();
    check::write(&mut out, check, false, screen);
    out
}

/// Whether there is an error and nothing beside it that anybody would have to read: then its few lines are all.
pub(super) fn says_nothing_else(report: &Report) -> bool {
    report.error.is_some() && report.checks().all(|check| check.verdict == Verdict::Pass)
}

/// The symbol of the whole.
pub(super) fn answer_symbol(report: &Report, screen: Screen) -> style::Styled<&'static str> {
    let counts = &report.summary.counts;
    let ran = report.error.as_ref().is_none_or(|error| error.forbidden);
    let verdict = if !ran || counts.fail + counts.blocked > 0 {
        Verdict::Fail
    } else if counts.unknown > 0 || !report.summary.conforms {
        Verdict::Unknown
    } else {
        Verdict::Pass
    };
    style::Styled(style::of(verdict), symbol::of(verdict, screen))
}

/// `22 passed, 1 warning`: what there is none of is left out.
pub(super) fn count_list(counts: &Counts) -> String {
    let warnings = if counts.warn == 1 { "warning" } else { "warnings" };
    let parts = [
        (counts.pass, "passed"),
        (counts.warn, warnings),
        (counts.fail, "failed"),
        (counts.unknown, "unknown"),
        (counts.blocked, "blocked"),
        (counts.not_applicable, "not applicable"),
        (counts.not_asked, "not asked"),
        (counts.waived, "waived"),
    ];
    let list: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if list.is_empty() {
        "no check made".to_owned()
    } else {
        list.join(", ")
    }
}

/// What was not asked, and by what it is, a line for each option: `not asked: SF603, by --starbase URL --token-file FILE`.
pub(super) fn not_asked(report: &Report) -> Vec<String> {
    let options = report.not_asked().into_iter();
    let lines = options.map(|(option, codes)| {
        let told = match codes.as_slice() {
            [first, _, .., last] => format!("{} checks from {first} to {last}", codes.len()),
            few => few.join(", "),
        };
        format!("not asked: {told}; {option} asks")
    });
    lines.collect()
}

/// `Pod default/a, default/b and 7 more`: a kind is named once for all of it that stand in a row.
pub(super) fn object_list(objects: &[ObjectReference], most: usize) -> String {
    let mut list = String::new();
    let mut kind = None;
    for object in objects.iter().take(most) {
        if kind.is_some() {
            list.push_str(", ");
        }
        if kind != Some(&object.kind) {
            list.push_str(&object.kind);
            list.push(' ');
        }
        kind = Some(&object.kind);
        if let Some(namespace) = &object.namespace {
            list.push_str(namespace);
            list.push('/');
        }
        list.push_str(&object.name);
    }
    match objects.len().saturating_sub(most) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;
    use crate::render::{Format, render};

    const SCREEN: Screen = Screen {
        width: 100,
        unicode: true,
    };

    fn plain(report: &Report, screen: Screen) -> String {
        anstream::adapter::strip_str(&render(report, Format::Text, screen)).to_string()
    }

    #[test]
    fn a_broken_step() {
        insta::assert_snapshot!(plain(&sample::wildcard(), SCREEN));
    }

    #[test]
    fn a_broken_step_on_a_narrow_ascii_screen() {
        let screen = Screen {
            width: 60,
            unicode: false,
        };
        insta::assert_snapshot!(plain(&sample::wildcard(), screen));
    }

    #[test]
    fn a_cluster_that_conforms() {
        insta::assert_snapshot!(plain(&sample::healthy(), SCREEN));
    }

    #[test]
    fn a_missing_permission() {
        insta::assert_snapshot!(plain(&sample::forbidden(), SCREEN));
    }

    #[test]
    fn a_tool_that_could_not_run() {
        insta::assert_snapshot!(plain(&sample::unreachable(), SCREEN));
    }

    #[test]
    fn every_check_stands_in_every_form() {
        for report in [sample::wildcard(), sample::healthy(), sample::forbidden()] {
            for format in [Format::Text, Format::Json, Format::Junit] {
                let text = render(&report, format, SCREEN);
                for check in report.checks() {
                    assert!(text.contains(&check.code), "{} is missing in {format}", check.code);
                }
            }
        }
    }

    #[test]
    fn commands_are_never_broken() {
        let screen = Screen {
            width: 30,
            unicode: true,
        };
        let report = sample::wildcard();
        let text = plain(&report, screen);
        for command in report
            .checks()
            .filter_map(|check| check.fix.as_ref())
            .flat_map(|fix| &fix.commands)
        {
            assert!(
                text.lines().any(|line| line.trim_start() == command),
                "{command} in:\n{text}"
            );
        }
    }

    #[test]
    fn short_form() {
        insta::assert_snapshot!(
            anstream::adapter::strip_str(&render(&sample::wildcard(), Format::Short, SCREEN)).to_string()
        );
    }

    #[test]
    fn junit_form() {
        insta::assert_snapshot!(render(&sample::wildcard(), Format::Junit, SCREEN));
    }
}
