//! The report for a chat: plain text, one line for each thing that is not as it should be.

use super::text::{answer_symbol, count_list, not_asked, says_nothing_else, versions};
use super::{Screen, symbol};
use starform_verify::printable::one_line;
use starform_verify::report::{Report, Verdict};
use std::fmt::Write;

pub(super) fn render(report: &Report, screen: Screen) -> String {
    let mut out = String::new();
    match &report.error {
        Some(error) => {
            let symbol = answer_symbol(report, screen);
            let _ = writeln!(out, "{symbol} {}", one_line(&error.message));
            for (label, text) in error.beneath() {
                let _ = writeln!(out, "{label}: {}", one_line(text));
            }
            if says_nothing_else(report) {
                return out;
            }
        }
        None => {
            let _ = writeln!(
                out,
                "{} {}",
                answer_symbol(report, screen),
                one_line(&report.summary.answer)
            );
        }
    }
    for check in report.checks() {
        let told = matches!(
            check.verdict,
            Verdict::Fail | Verdict::Warn | Verdict::Unknown | Verdict::Waived
        );
        let answered = report.error.is_none() && report.is_first_broken(check);
        if told && !answered && check.behind.is_none() {
            let symbol = symbol::of(check.verdict, screen);
            let word = check.verdict.word();
            let _ = writeln!(
                out,
                "{symbol} {} {word}: {}: {}",
                check.code,
                check.slug,
                one_line(&check.observed)
            );
        }
    }
    let _ = writeln!(out, "{}", count_list(&report.summary.counts));
    for line in not_asked(report) {
        let _ = writeln!(out, "{}", one_line(&line));
    }
    let _ = writeln!(out, "{}", one_line(&versions(report)));
    out
}
