//! The answer to each case, whole, but for what stands elsewhere already: the verdict is in the case, and what was observed
//! of a cluster that trips a check in the matrix of `CHECKS.md`.

use crate::case::Case;
use crate::given::{judge, result};
use crate::matrix;
use starform_verify::contract::StepId;
use starform_verify::evaluate::{CHECKS, Check};
use starform_verify::report::{CheckResult, Verdict};
use std::fmt::Write;

/// What was told of the case before, of the same check: what is the same is not told again.
#[derive(Default)]
struct Before {
    expected: String,
    objects: String,
}

/// Nothing is left out but what can be told from the case, the matrix and the case before. So every other answer shows here.
#[test]
fn each_case_answers_expects_and_names_its_objects() {
    let mut text = String::new();
    for check in CHECKS {
        let in_matrix = matrix::verdicts(check);
        let mut before = Before::default();
        let mut told = String::new();
        for case in crate::all().filter(|case| case.code == check.code) {
            let report = judge(&case.evidence());
            let result = result(&report, case.code);
            let answer = Some(&report.summary.answer).filter(|answer| **answer != usual(check, &result));
            let observed = Some(&result.observed).filter(|_| !in_matrix.contains(&result.verdict));
            told += &different(case, observed, answer, &result, &mut before);
        }
        if !told.is_empty() {
            write!(text, "{}\n{told}", check.code).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

/// The answer of a report in which this is the only check that has something to say.
fn usual(check: &Check, result: &CheckResult) -> String {
    let step = match check.step {
        StepId::Region => "the region".to_owned(),
        step => format!("step {step}"),
    };
    let what = format!("{} ({})", result.observed, check.code);
    match result.verdict {
        Verdict::Fail => format!("{step} is broken: {what}"),
        Verdict::Unknown => format!("cannot tell whether {step} is kept: {what}"),
        Verdict::Warn => "conforms with 1 warning: steps 1, 2, 3, 4, 5, 6 and region".to_owned(),
        _ => "conforms: steps 1, 2, 3, 4, 5, 6 and region".to_owned(),
    }
}

/// What is to be told of a case: nothing, where it is all as of the one before.
fn different(
    case: &Case,
    observed: Option<&String>,
    answer: Option<&String>,
    result: &CheckResult,
    before: &mut Before,
) -> String {
    let mut lines = String::new();
    if let Some(answer) = answer {
        writeln!(lines, "    answer: {answer}").unwrap();
    }
    // What neither fails nor warns seldom expects or names anything, and is nothing to compare with.
    let mut none = Before::default();
    let is_bad = matches!(result.verdict, Verdict::Fail | Verdict::Warn);
    let before = if is_bad { before } else { &mut none };
    for (what, now, before) in [
        ("expected", result.expected.clone(), &mut before.expected),
        ("objects", objects(result), &mut before.objects),
    ] {
        if now != *before {
            writeln!(lines, "    {what}: {}", if now.is_empty() { "nothing" } else { &now }).unwrap();
            *before = now;
        }
    }
    match observed {
        Some(observed) if case.name.is_empty() => format!("  {observed}\n{lines}"),
        Some(observed) => format!("  {}: {observed}\n{lines}", case.name),
        None if lines.is_empty() => lines,
        None => format!("  {}\n{lines}", case.title()),
    }
}

fn objects(result: &CheckResult) -> String {
    let objects = result.objects.iter().map(|object| match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    });
    objects.collect::<Vec<_>>().join(", ")
}
