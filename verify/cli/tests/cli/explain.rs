//! Pages, the contract, and what shells need.

use crate::run::verify;
use std::path::Path;

/// Behind it stands the matrix of broken clusters, which `verify/tests/verdicts` writes.
#[test]
fn the_book_in_the_repository_begins_with_the_one_that_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CHECKS.md");
    let book = verify(["explain", "--markdown"]).stdout;
    let committed = std::fs::read_to_string(&path).expect("CHECKS.md can be read");
    assert!(
        committed.starts_with(&book),
        "CHECKS.md is not what is printed: UPDATE_CHECKS=1 cargo test --workspace --test verdicts book"
    );
}

#[test]
fn a_check_by_code_or_slug() {
    let run = verify(["explain", "SF324"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stdout.starts_with("# SF324 state-metrics-allowlist\n"),
        "{}",
        run.stdout
    );
    assert_eq!(verify(["explain", "state-metrics-allowlist"]).stdout, run.stdout);
    assert_eq!(verify(["explain", "SF3240"]).code, Some(2));
}

#[test]
fn every_file_that_a_command_of_a_page_names_is_there_in_a_clone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let book = verify(["explain", "--markdown"]).stdout;
    let mut words = book.split_whitespace();
    let mut named = std::collections::BTreeSet::new();
    while let Some(word) = words.next() {
        if ["--values", "--filename", "`--values"].contains(&word) {
            named.extend(words.next());
        }
    }
    let files = named.iter().map(|word| word.trim_end_matches(['`', '.', ';']));
    // From stdin, and what only the reader knows.
    let files: Vec<&str> = files.filter(|file| *file != "-" && !file.contains("REGION")).collect();
    assert!(files.len() > 7, "{files:?}");
    for file in files {
        assert!(root.join(file).exists(), "{file} is not there");
    }
}

#[test]
fn the_list_names_every_check() {
    insta::assert_snapshot!("list", verify(["explain", "--list"]).stdout);
}

#[test]
fn the_contract_that_is_printed_can_be_given_back() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let printed = verify(["contract"]).stdout;
    let path = crate::run::file(&directory, "contract.yaml", &printed);
    let run = verify(["contract", "--contract", crate::run::text(&path)]);
    assert_eq!((run.code, run.stdout), (Some(0), printed));
    assert_eq!(verify(["contract", "--schema"]).document()["title"], "Contract");
}

#[test]
fn shells_get_what_they_need() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            verify(["completions", shell]).stdout.contains("starform-verify"),
            "{shell}"
        );
    }
    assert!(verify(["man"]).stdout.starts_with(".ie"));
    assert!(verify(["man", "audit"]).stdout.contains("request"));
    assert_eq!(verify(["man", "audits"]).code, Some(2));
}
