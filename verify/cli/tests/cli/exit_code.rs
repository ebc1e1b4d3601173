//! The exit code is the report's, in every form.

use crate::run::{WILDCARD, command, file, filters, run, text, verify};
use insta::{assert_snapshot, with_settings};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The recording, changed.
fn changed(change: impl FnOnce(&mut Value)) -> (TempDir, String) {
    let mut evidence: Value =
        serde_json::from_str(&std::fs::read_to_string(WILDCARD).expect("it is there")).expect("JSON");
    change(&mut evidence);
    let directory = TempDir::new().expect("a directory");
    let path = file(&directory, "evidence.json", &evidence.to_string());
    let path = text(&path).to_owned();
    (directory, path)
}

fn forbidden() -> Value {
    json!({"unknown": {"reason": "forbidden", "request": "GET /api/v1/nodes", "message": "nodes is forbidden",
        "access": {"verb": "list", "group": "", "resource": "nodes"}}})
}

fn elsewhere(evidence: &mut Value) {
    for node in evidence["nodes"]["seen"].as_array_mut().expect("nodes") {
        node["provider"] = Value::Null;
    }
}

#[rstest]
fn is_the_same_in_every_form(#[values("text", "short", "json", "junit")] format: &str) {
    let code = |arguments: &[&str]| verify([&["-o", format], arguments].concat()).code;
    assert_eq!(code(&["--evidence", WILDCARD]), Some(3));
    assert_eq!(code(&["--evidence", WILDCARD, "--step", "1"]), Some(0));
    let (_directory, unseen) = changed(|evidence| evidence["nodes"] = forbidden());
    assert_eq!(code(&["--evidence", &unseen]), Some(3), "a fail outranks an unknown");
    assert_eq!(code(&["--evidence", &unseen, "--step", "1"]), Some(5));
    let (_directory, warns) = changed(elsewhere);
    assert_eq!(code(&["--evidence", &warns, "--step", "1"]), Some(0));
    assert_eq!(
        code(&["--evidence", &warns, "--step", "1", "--fail-on", "warning"]),
        Some(4)
    );
    assert_eq!(
        code(&["--evidence", &unseen, "--step", "1", "--fail-on", "warning"]),
        Some(5)
    );
    assert_eq!(code(&["--evidence", "/nonexistent"]), Some(2));
}

#[test]
fn behind_an_ignored_failure_nothing_conforms() {
    let run = verify(["--evidence", WILDCARD, "-c", "SF327", "-C", "SF324"]);
    assert_eq!(run.code, Some(3), "{}", run.stdout);
}

#[test]
fn a_missing_permission_is_named() {
    let (_directory, unseen) = changed(|evidence| evidence["nodes"] = forbidden());
    let run = verify(["--evidence", &unseen, "--step", "1"]);
    with_settings!({filters => filters()}, { assert_snapshot!("text_forbidden", run.stdout) });
}

#[test]
fn of_a_demo_is_that_of_its_report() {
    let run = verify(["demo"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("This was the recording"), "{}", run.stderr);
    assert!(run.stdout.contains("SF324"));
}

#[test]
fn of_a_demo_comes_with_the_whole_contract_broken_in_one_place() {
    let report = verify(["demo", "-o", "json"]).document();
    let steps: Vec<&Value> = report["steps"].as_array().expect("steps").iter().collect();
    let ids: Vec<&str> = steps.iter().map(|step| step["id"].as_str().expect("an ID")).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "region"]);
    let checks = || steps.iter().flat_map(|step| step["checks"].as_array().expect("checks"));
    let codes = |verdict: &str| -> Vec<&str> {
        let found = checks().filter(|check| check["verdict"] == verdict);
        found.map(|check| check["code"].as_str().expect("a code")).collect()
    };
    // The running program, and the release's values, which say the same.
    assert_eq!(codes("fail"), ["SF324", "SF382"]);
    assert_eq!(codes("unknown"), [] as [&str; 0]);
    // The testbed has step 3 before step 2; and an agent that says why it is not ready.
    assert_eq!(codes("warn"), ["SF483", "SF501"]);
    // Starbase was not asked, and the region is not audited.
    assert_eq!(codes("not-asked"), ["SF603", "SF604"]);
    assert_eq!(report["summary"]["notAudited"], json!(["region"]));
    // Steps 1 to 5 have checks that pass; the registration of step 6 stands behind what is broken.
    for step in ["SF1", "SF2", "SF3", "SF4", "SF5"] {
        assert!(
            codes("pass").iter().any(|code| code.starts_with(step)),
            "{step}: {report:#}"
        );
    }
    assert_eq!(report["summary"]["firstBroken"], "SF324");
    for blocked in checks().filter(|check| check["verdict"] == "blocked") {
        assert_eq!(blocked["behind"], "SF324", "{}", blocked["code"]);
    }
}

#[test]
fn of_a_demo_comes_with_a_fix_whose_files_and_charts_are_named_from_a_clones_root() {
    let run = verify(["demo"]);
    let fix = run
        .stdout
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("helm upgrade"));
    let words = shell_words::split(fix.expect("a command")).expect("words of a shell");
    let values = words.iter().position(|word| word == "--values").expect("--values");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let file = std::path::Path::new(root).join(&words[values + 1]);
    assert!(file.is_file(), "{} is not there", file.display());
    let repository = words.iter().position(|word| word == "--repo").expect("--repo");
    assert!(words[repository + 1].starts_with("https://"), "{words:?}");
    assert!(run.stdout.contains("(typed in the root of a clone"), "{}", run.stdout);
}

#[test]
fn what_a_cluster_says_cannot_draw_on_the_terminal() {
    let (_directory, hostile) = changed(|evidence| {
        evidence["metricsApiService"]["seen"]["available"] = json!({"status": "False", "reason": "Failed\u{1b}[2J", "message": "\u{1b}]0;title\u{7}\r\u{9b}31m\u{202e}\u{200b}\n√ conforms: forged", "since": null});
    });
    for format in ["text", "short", "junit", "json"] {
        let run = verify(["--evidence", &hostile, "-o", format, "--color", "never"]);
        assert!(run.stdout.contains("SF304"), "{}", run.stdout);
        assert!(
            !run.stdout
                .contains(['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}', '\u{200b}']),
            "{:?}",
            run.stdout
        );
        assert!(!run.stdout.contains("\n√ conforms"), "{}", run.stdout);
        let written = if format == "json" {
            "\\u001b[2J"
        } else {
            "Failed\\u{1b}[2J"
        };
        assert!(run.stdout.contains(written), "{}", run.stdout);
        let run = verify(["--evidence", &hostile, "-o", format, "--color", "always"]);
        assert!(
            !run.stdout.contains("\u{1b}[2J") && !run.stdout.contains("\u{1b}]"),
            "{:?}",
            run.stdout
        );
    }
}

#[test]
fn what_was_typed_or_lies_in_a_file_cannot_draw_on_the_terminal_either() {
    const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\r";
    let directory = TempDir::new().expect("a directory");
    let contexts = "contexts: [{name: \"a\\n√ conforms: forged\", context: {cluster: c}}]\n";
    let kubeconfig = file(&directory, "kubeconfig", contexts);
    let run = verify(["--kubeconfig", text(&kubeconfig), "--context", "b"]);
    assert!(run.stderr.contains("\n  √ conforms: forged"), "{}", run.stderr);
    let evidence = file(&directory, HOSTILE, "{\"apiVersion\": \"\\u001b[2J\\u009b31m\"}");
    let contract = file(&directory, "contract.yaml", &format!("\"{HOSTILE}\": 1\n"));
    let comment = verify(["contract"]).stdout + "# " + HOSTILE + "\n";
    let commented = file(&directory, "commented.yaml", &comment);
    for arguments in [
        &["--evidence", text(&evidence)] as &[&str],
        &["--contract", text(&contract)],
        &["contract", "--contract", text(&commented)],
        &["--step", HOSTILE],
        &["-o", "json", "-c", HOSTILE],
        &["rbac", "--user", HOSTILE],
        &["manifests", HOSTILE],
        &["-o", &format!("text=/nonexistent/{HOSTILE}"), "--evidence", WILDCARD],
        &["-vv", "--kubeconfig", HOSTILE],
    ] {
        let run = verify([&["--color", "never"], arguments].concat());
        for said in [&run.stdout, &run.stderr] {
            assert!(
                !said.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}', '\r']),
                "{arguments:?}: {said:?}"
            );
        }
        let both = run.stdout + &run.stderr;
        // What is typed into a manifest stays what it is, by the escapes of YAML.
        let escaped = if arguments[0] == "rbac" {
            "\\u001b[2J\\u009b31m\\u202e"
        } else {
            "\\u{1b}"
        };
        assert!(both.contains(escaped), "{arguments:?}: {both}");
    }
}

#[test]
fn text_and_short() {
    with_settings!({filters => filters()}, {
        assert_snapshot!("text_wildcard", verify(["--evidence", WILDCARD, "--step", "1,3"]).stdout);
        assert_snapshot!("short_wildcard", verify(["--evidence", WILDCARD, "--step", "1,3", "-o", "short"]).stdout);
    });
    let ascii = run(command().env("LC_ALL", "C").args(["--evidence", WILDCARD]), None);
    assert!(ascii.stdout.is_ascii(), "{}", ascii.stdout);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let always = verify(["--evidence", WILDCARD, "--color", "always"]);
    let never = verify(["--evidence", WILDCARD, "--color", "never"]);
    assert_ne!(always.stdout, never.stdout);
    assert!(!never.stdout.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&always.stdout).to_string(), never.stdout);
}

#[test]
fn several_outputs_come_of_one_run() {
    let directory = TempDir::new().expect("a directory");
    let json = format!("json={}", directory.path().join("report.json").display());
    let junit = format!("junit={}", directory.path().join("report.xml").display());
    let run = verify(["--evidence", WILDCARD, "-o", &format!("{json},{junit}")]);
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.contains("step 3 is broken"), "{}", run.stdout);
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect("it was written");
    assert_eq!(
        read("report.json"),
        verify(["--evidence", WILDCARD, "-o", "json"]).stdout
    );
    assert!(read("report.xml").contains("<failure"));
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("a directory").count(),
        2,
        "nothing is left over"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = format!(
        "'{}' --evidence '{WILDCARD}' | true; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_starform-verify")
    );
    let mut shell = std::process::Command::new("bash");
    let run = run(shell.args(["-c", &script]), None);
    assert_eq!(run.stdout, "3\n");
    assert_eq!(
        run.stderr.lines().filter(|line| !line.starts_with("note: ")).count(),
        0,
        "{}",
        run.stderr
    );
}
