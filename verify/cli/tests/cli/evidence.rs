//! Evidence in files.

use crate::run::{WILDCARD, command, file, filters, run, text, verify};
use insta::{assert_snapshot, with_settings};
use rstest::rstest;
use tempfile::TempDir;

fn recording() -> String {
    std::fs::read_to_string(WILDCARD).expect("it is there")
}

#[rstest]
#[case::no_json("no_json", |_: &str| "no JSON".to_owned())]
#[case::truncated("truncated", |text: &str| text.lines().take(text.lines().count() / 2).collect())]
#[case::empty("empty", |_: &str| String::new())]
#[case::other_version("other_version", |text: &str| text.replace("/evidence/v1", "/evidence/v9"))]
#[case::unknown_field("unknown_field", |text: &str| text.replacen("\"identity\"", "\"idendity\"", 1))]
#[case::other_labels("other_labels", |text: &str| text.replacen("starform.io/app", "starform.io/apple", 1))]
#[case::a_report("a_report", |_: &str| verify(["--evidence", WILDCARD, "-o", "json"]).stdout)]
fn that_cannot_be_judged_is_refused(#[case] name: &str, #[case] change: fn(&str) -> String) {
    let directory = TempDir::new().expect("a directory");
    let evidence = file(&directory, "evidence.json", &change(&recording()));
    let run = verify(["--evidence", text(&evidence)]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    with_settings!({filters => filters()}, { assert_snapshot!(format!("evidence_{name}"), run.stderr) });
}

#[test]
fn comes_from_stdin_too() {
    let piped = run(command().args(["--evidence", "-", "-o", "json"]), Some(&recording()));
    assert_eq!(piped.stdout, verify(["--evidence", WILDCARD, "-o", "json"]).stdout);
}

#[test]
fn of_another_contract_is_judged_and_said_to_be() {
    let directory = TempDir::new().expect("a directory");
    let contract = verify(["contract"]).stdout;
    let contract = file(&directory, "contract.yaml", &format!("{contract}\n# ours\n"));
    let run = verify(["--evidence", WILDCARD, "--contract", text(&contract)]);
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr
            .starts_with("note: the evidence was collected under contract"),
        "{}",
        run.stderr
    );
}
