//! `-o json` prints exactly one document, whatever happens.

use crate::run::{Run, WILDCARD, command, file, run, text, verify};
use rstest::rstest;
use tempfile::TempDir;

fn error_of(run: &Run) -> String {
    run.document()["error"]["message"]
        .as_str()
        .expect("it says what is wrong")
        .to_owned()
}

#[test]
fn of_a_broken_cluster() {
    let run = verify(["--evidence", WILDCARD, "-o", "json"]);
    assert_eq!(run.code, Some(3));
    let report = run.document();
    assert_eq!(report["kind"], "Report");
    assert_eq!(report["apiVersion"], "verify.starform.io/v1");
    assert_eq!(report["summary"]["firstBroken"], "SF324");
    assert_eq!(
        run.stderr.lines().filter(|line| !line.starts_with("note: ")).count(),
        0,
        "{}",
        run.stderr
    );
}

#[test]
fn of_a_cluster_that_conforms() {
    let run = verify(["--evidence", WILDCARD, "-o", "json", "--step", "1"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert_eq!(run.document()["summary"]["conforms"], true);
}

#[rstest]
#[case(&["-o", "json", "--foo"])]
#[case(&["-ojson", "--foo"])]
#[case(&["--foo", "--output=json"])]
#[case(&["--foo", "-o", "text=x,json"])]
#[case(&["-o=json", "--step", "9"])]
#[case(&["-o", "json", "-c", "SF999"])]
#[case(&["-o", "json", "-c", "SF101", "-C", "SF101"])]
#[case(&["-o", "json", "-o", "text"])]
#[case(&["-o", "json", "--contract", "/nonexistent"])]
#[case(&["-o", "json", "--evidence", "/nonexistent"])]
fn of_bad_usage(#[case] arguments: &[&str]) {
    let run = verify(arguments);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(run.document()["kind"], "Error");
    assert!(
        run.stderr.contains(&error_of(&run)) || run.stderr.contains("error"),
        "{}",
        run.stderr
    );
}

#[test]
fn where_the_environment_asks_for_it() {
    let run = run(command().env("STARFORM_VERIFY_OUTPUT", "json").arg("--foo"), None);
    assert_eq!(run.code, Some(2));
    assert_eq!(run.document()["kind"], "Error");
}

#[test]
fn of_a_bad_contract() {
    let directory = TempDir::new().expect("a directory");
    let contract = file(
        &directory,
        "contract.yaml",
        "apiVersion: verify.starform.io/v1\nlables: []\n",
    );
    let run = verify(["-o", "json", "--contract", text(&contract)]);
    assert_eq!(run.code, Some(2));
    assert!(error_of(&run).contains("contract.yaml"), "{}", run.stdout);
}

#[test]
fn a_file_does_not_keep_the_document_of_an_earlier_run() {
    let directory = TempDir::new().expect("a directory");
    let report = file(&directory, "report.json", "{\"kind\": \"Report\"}");
    let output = format!("json={}", text(&report));
    let run = verify(["-o", &output, "--evidence", "/nonexistent"]);
    assert_eq!(run.code, Some(2));
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&report).expect("it is there")).expect("one document");
    assert_eq!(document["kind"], "Error");
}

#[test]
fn fits_its_schema_by_name() {
    let schema = verify(["explain", "--schema"]).document();
    assert_eq!(schema["title"], "Report");
    for definition in ["CheckResult", "StepReport", "Summary", "ToolError"] {
        assert!(schema["$defs"].get(definition).is_some(), "{definition}");
    }
}
