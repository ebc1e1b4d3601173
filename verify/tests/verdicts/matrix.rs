//! The matrix of broken clusters at the end of `CHECKS.md`: every check, what trips it, what it says, and what mends it.

use crate::examples;
use crate::given::{judge, result};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{CHECKS, Check, Selection, SelectionRequest, evaluate};
use starform_verify::report::{CheckResult, Report, Verdict};
use starform_verify_cli::render::pages;
use std::fmt::Write;
use testdata::recordings::{self, RECORDINGS};

const HEAD: &str = "
## Broken clusters

Every check, and clusters that trip it: what it says of them and what it prints to mend them. A cluster that is *recorded*
was a real one, broken on purpose, and lies in `testdata/evidence`; the others are the healthy recording, changed in
one thing. `verify/tests/verdicts` judges each and holds this list to it: no check is without one.
";

/// A cluster that trips a check.
struct Tripped {
    heading: String,
    told: CheckResult,
}

/// How a recording is called here.
pub(crate) fn heading_of_recording(name: &str) -> String {
    format!("{}, recorded", name.replace('-', " "))
}

/// The recordings hold what stood on the testbed when they were made.
pub(crate) fn report_of_recording(name: &str) -> Report {
    let request = SelectionRequest {
        steps: vec![StepId::One, StepId::Three],
        ..SelectionRequest::default()
    };
    let selection = Selection::new(&request).unwrap();
    evaluate(
        &Contract::embedded().unwrap(),
        &recordings::as_recorded(name),
        &selection,
    )
}

/// The verdicts that the matrix tells of a check. Where no cluster makes it fail or warn, it tells those that leave it unknown.
pub(crate) fn verdicts(check: &Check) -> &'static [Verdict] {
    const TRIPS: &[Verdict] = &[Verdict::Fail, Verdict::Warn];
    let is_recorded = RECORDINGS.iter().any(|(_, code)| *code == Some(check.code));
    let mut cases = crate::all().filter(|case| case.code == check.code);
    if is_recorded || cases.any(|case| TRIPS.contains(&case.verdict)) {
        TRIPS
    } else {
        &[Verdict::Unknown]
    }
}

/// Every cluster that trips a check: the recorded ones first.
fn tripping(check: &Check) -> Vec<Tripped> {
    let recordings = RECORDINGS.iter().filter(|(_, code)| *code == Some(check.code));
    let recorded = recordings.map(|(name, _)| Tripped {
        heading: heading_of_recording(name),
        told: result(&report_of_recording(name), check.code),
    });
    let told = verdicts(check);
    let cases = crate::all().filter(|case| case.code == check.code && told.contains(&case.verdict));
    let changed = cases.map(|case| Tripped {
        heading: case.name.to_owned(),
        told: result(&judge(&case.evidence()), case.code),
    });
    let all = recorded.chain(changed);
    all.filter(|tripped| told.contains(&tripped.told.verdict)).collect()
}

fn matrix() -> String {
    let mut text = HEAD.to_owned();
    for check in CHECKS {
        let _ = write!(text, "\n### {}: {}\n", check.code, check.title);
        let mut printed = None;
        for Tripped { heading, told } in tripping(check) {
            let verdict = match told.verdict {
                Verdict::Fail => "fail",
                Verdict::Warn => "warning",
                _ => "unknown",
            };
            let heading = if heading.is_empty() {
                heading
            } else {
                format!("**{heading}**, ")
            };
            let _ = write!(text, "\n- {heading}{verdict}: {}", told.observed);
            text.push('\n');
            let Some(fix) = told.fix.filter(|fix| printed.as_ref() != Some(fix)) else {
                continue;
            };
            let _ = writeln!(text, "  *Fix*: {}", fix.summary);
            if !fix.commands.is_empty() {
                let _ = writeln!(
                    text,
                    "\n  ```\n  {}\n  ```",
                    fix.commands.join("\n").replace('\n', "\n  ")
                );
            }
            printed = Some(fix);
        }
    }
    text
}

#[test]
fn every_check_has_a_cluster_that_trips_it() {
    let without: Vec<&str> = (CHECKS.iter())
        .filter(|check| tripping(check).is_empty())
        .map(|check| check.code)
        .collect();
    assert_eq!(without, [] as [&str; 0]);
}

#[test]
fn every_case_is_of_a_check_that_there_is() {
    for case in crate::all() {
        assert!(CHECKS.iter().any(|check| check.code == case.code), "{}", case.name);
    }
}

#[test]
fn the_book_in_the_repository_is_current() {
    let book = examples::renewed(pages::book(&Contract::embedded().unwrap())) + &matrix();
    assert!(
        examples::is_current("CHECKS.md", &book),
        "CHECKS.md is not current: run this test with UPDATE_CHECKS=1"
    );
}
