//! The examples on the checks' pages: each is what the report of a cluster says, which the page names in a comment,
//! `<!-- example: no node -->`: by what a case or a recording is called in the matrix, or else by what is said of it.

use crate::given::{judge, result};
use crate::matrix;
use starform_verify::evaluate::{CHECKS, Check};
use starform_verify::report::CheckResult;
use starform_verify_cli::render::pages;
use std::path::Path;
use std::sync::LazyLock;
use testdata::recordings::RECORDINGS;

/// A page as it is compiled in, around its example.
struct Page {
    code: &'static str,
    head: &'static str,
    example: &'static str,
    tail: &'static str,
    /// What the example is to be.
    made: String,
}

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| CHECKS.iter().map(page).collect());

#[test]
fn the_examples_on_the_pages_of_the_book_are_what_reports_say() {
    let is_wrong = |page: &&Page| {
        let text = format!("{}{}{}", page.head, page.made, page.tail);
        !is_current(&format!("checks/{}.md", page.code), &text)
    };
    let wrong: Vec<&str> = PAGES.iter().filter(is_wrong).map(|page| page.code).collect();
    assert!(
        wrong.is_empty(),
        "not current, run this test with UPDATE_CHECKS=1: {wrong:?}"
    );
}

/// Whether a file of the package has that text. `UPDATE_CHECKS=1` sees to it.
pub(crate) fn is_current(path: &str, text: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let is_current = std::fs::read_to_string(&path).unwrap() == text;
    if is_current || std::env::var_os("UPDATE_CHECKS").is_none() {
        return is_current;
    }
    std::fs::write(&path, text).unwrap();
    true
}

/// A text in which the examples stand that are compiled in, with those that are to be.
pub(crate) fn renewed(text: String) -> String {
    PAGES.iter().fold(text, |text, Page { example, made, .. }| {
        text.replacen(&format!("```\n{example}```\n"), &format!("```\n{made}```\n"), 1)
    })
}

fn page(check: &Check) -> Page {
    let code = check.code;
    let parts = || {
        let (_, named) = check.page.split_once("\n<!-- example: ")?;
        let (name, block) = named.split_once(" -->\n```\n")?;
        let (example, tail) = block.split_at_checked(block.find("```\n")?)?;
        let head = check.page.strip_suffix(block)?;
        Some((name, head, example, tail))
    };
    let (name, head, example, tail) = parts().unwrap_or_else(|| panic!("the page of {code} names no example"));
    let told = told(code, name).unwrap_or_else(|| panic!("{code} has no one cluster {name:?}"));
    Page {
        code,
        head,
        example,
        tail,
        made: pages::example(&told),
    }
}

fn told(code: &str, name: &str) -> Option<CheckResult> {
    let is_named = |(recording, tells): &&(&str, Option<&str>)| {
        *tells == Some(code) && matrix::heading_of_recording(recording) == name
    };
    if let Some((recording, _)) = RECORDINGS.iter().find(is_named) {
        return Some(result(&matrix::report_of_recording(recording), code));
    }
    let mut cases = crate::all().filter(|case| case.code == code && case.title() == name);
    let told = result(&judge(&cases.next()?.evidence()), code);
    cases.next().is_none().then_some(told)
}
