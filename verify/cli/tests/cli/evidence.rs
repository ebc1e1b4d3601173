//! Evidence in files.

use crate::live::kubeconfig;
use crate::run::{WILDCARD, command, file, filters, run, text, verify};
use insta::{assert_snapshot, with_settings};
use rstest::rstest;
use std::path::Path;
use tempfile::TempDir;
use testdata::Mock;
use tokio::runtime::Runtime;

fn recording() -> String {
    std::fs::read_to_string(WILDCARD).expect("it is there")
}

/// As a later version of the program would have recorded it.
fn newer(text: &str) -> String {
    let newer = text.replacen("\"toolVersion\": \"0.1.0\"", "\"toolVersion\": \"0.2.0\"", 1);
    assert_ne!(newer, text);
    newer
}

#[rstest]
#[case::no_json("no_json", |_: &str| "no JSON".to_owned())]
#[case::truncated("truncated", |text: &str| text.lines().take(text.lines().count() / 2).collect())]
#[case::empty("empty", |_: &str| String::new())]
#[case::version_1("version_1", |text: &str| text.replace("/evidence/v2", "/evidence/v1"))]
#[case::newer_version("newer_version", |text: &str| text.replace("/evidence/v2", "/evidence/v9"))]
#[case::other_version("other_version", |text: &str| text.replace("/evidence/v2", "/evidence/vague"))]
#[case::missing_field("missing_field", |text: &str| text.replacen("\"pool\"", "\"puddle\"", 1))]
#[case::other_labels("other_labels", |text: &str| text.replacen("starform.io/app", "starform.io/apple", 1))]
#[case::newer_version_of_a_newer_tool("newer_version_of_a_newer_tool", |text: &str| {
    newer(text).replace("/evidence/v2", "/evidence/v3")
})]
#[case::another_word_of_a_newer_tool("another_word_of_a_newer_tool", |text: &str| newer(text).replacen("\"Deployment\"", "\"Rollout\"", 1))]
#[case::a_missing_field_of_a_newer_tool("a_missing_field_of_a_newer_tool", |text: &str| {
    newer(text).replacen("\"pool\"", "\"puddle\"", 1)
})]
#[case::another_word("another_word", |text: &str| text.replacen("\"Deployment\"", "\"Rollout\"", 1))]
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
fn that_lacks_a_source_does_not_know_it() {
    let directory = TempDir::new().expect("a directory");
    let misspelt = recording().replace("\n \"identity\"", "\n \"idendity\"");
    let evidence = file(&directory, "evidence.json", &misspelt);
    let report = verify(["--evidence", text(&evidence), "-o", "json", "--check", "SF106"]).document();
    let checks = report["steps"].as_array().expect("steps").iter();
    let mut checks = checks.flat_map(|step| step["checks"].as_array().expect("checks"));
    let identity = checks.find(|check| check["code"] == "SF106").expect("it was judged");
    assert_eq!(identity["verdict"], "unknown", "{identity}");
    assert_eq!(identity["unknown"]["reason"], "not-collected");
}

/// A server of a healthy cluster, as long as the runtime lives, and the kubeconfig of it.
fn served(directory: &TempDir) -> (Runtime, String) {
    let runtime = Runtime::new().expect("a runtime");
    let mock = runtime.block_on(Mock::start());
    (runtime, kubeconfig(directory, mock.address.port()))
}

#[rstest]
#[case::a_step(&["--step", "3"])]
#[case::steps_without_a_check_and_a_group(&["--step", "3,4", "--ignore-check", "SF302", "--ignore-group", "helm"])]
#[case::a_check(&["--check", "SF324"])]
#[case::all(&[])]
fn judged_again_without_a_selection_it_gives_the_report_that_it_was_recorded_with(#[case] selection: &[&str]) {
    let directory = TempDir::new().expect("a directory");
    let (_runtime, kubeconfig) = served(&directory);
    let recording = directory.path().join("evidence.json");
    let live = ["--kubeconfig", &kubeconfig, "-o", "json", "--record", text(&recording)];
    let live = verify(live.iter().chain(selection));
    let again = verify(["--evidence", text(&recording), "-o", "json"]);
    assert_eq!(live.document()["error"], serde_json::Value::Null);
    assert_eq!((again.code, again.stdout), (live.code, live.stdout), "{}", again.stderr);
    // The same selection once more selects all of it.
    let narrowed = ["--evidence", text(&recording), "-o", "json"];
    let narrowed = verify(narrowed.iter().chain(selection)).document();
    assert_eq!(narrowed["summary"], live_summary(&recording), "{narrowed:#}");
}

fn live_summary(recording: &Path) -> serde_json::Value {
    verify(["--evidence", text(recording), "-o", "json"]).document()["summary"].take()
}

#[test]
fn a_selection_narrows_what_was_recorded_and_leaves_out_nothing_that_it_names() {
    let directory = TempDir::new().expect("a directory");
    let (_runtime, kubeconfig) = served(&directory);
    let recording = directory.path().join("evidence.json");
    let recorded = text(&recording);
    verify([
        "--kubeconfig",
        &kubeconfig,
        "--step",
        "3,4",
        "-G",
        "helm",
        "--record",
        recorded,
    ]);
    let narrowed = verify(["--evidence", recorded, "-o", "json", "--step", "4", "-C", "SF302,SF411"]);
    let report = narrowed.document();
    let of = |step: usize| report["steps"][step]["checks"].as_array().expect("checks").len();
    // Of step 4 what it stands behind is judged too.
    assert!(of(3) > 20 && of(4) == 0, "{report:#}");
    let left_out = report["summary"]["ignored"].as_array().expect("codes");
    // Of what was recorded, and is selected now: what was left out then, and what is now.
    let codes: Vec<&str> = left_out.iter().filter_map(|code| code.as_str()).collect();
    assert!(codes.contains(&"SF411") && codes.contains(&"SF480"), "{codes:?}");
    assert!(!codes.contains(&"SF302") && !codes.contains(&"SF380"), "{codes:?}");
    // What is asked for and was not recorded is not left out: it is unknown.
    let wider = verify(["--evidence", recorded, "-o", "json", "--step", "4,5"]);
    assert_eq!(wider.code, Some(5), "{}", wider.stderr);
    let report = wider.document();
    let shuttle = report["steps"][4]["checks"].as_array().expect("checks");
    assert!(
        !shuttle.is_empty() && shuttle.iter().all(|check| check["verdict"] == "unknown"),
        "{report:#}"
    );
    let run = verify(["--evidence", recorded, "--step", "5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    with_settings!({filters => filters()}, { assert_snapshot!("evidence_of_another_selection", run.stderr) });
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
