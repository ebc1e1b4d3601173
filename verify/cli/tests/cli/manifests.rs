//! The audit of values files. What each check says is tested in `manifests.rs` of the library's tests.

use crate::run::verify;
use std::path::Path;

const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/helm");

#[test]
fn the_project_s_own_conform_in_every_form() {
    let run = verify(["manifests", OWN, "-o", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert_eq!(run.document()["subject"]["manifests"], OWN);
    for form in ["text", "short", "junit"] {
        let run = verify(["manifests", OWN, "-o", form, "--fail-on", "warning"]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{form}");
        assert!(run.stdout.contains("SF806") || form != "junit", "{}", run.stdout);
    }
}

#[test]
fn what_is_not_there_is_told_and_exits_3() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let run = verify(["manifests".as_ref(), directory.path() as &Path]);
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.contains("helmfile.yaml is not there"), "{}", run.stdout);
    let run = verify(["manifests", "/nonexistent", "-o", "json"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(run.document()["kind"], "Error");
}

#[test]
fn each_finding_of_one_check_is_shown_with_its_own_fix() {
    let directory = tempfile::TempDir::new().expect("a directory");
    for entry in std::fs::read_dir(OWN).expect("they are there") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("its kind").is_file() {
            let mut text = std::fs::read_to_string(entry.path()).expect("text");
            // One of step 3, one of step 4.
            if ["ksm.values.yaml", "vmagent.values.yaml"].contains(&entry.file_name().to_string_lossy().as_ref()) {
                text.push_str("\nmisspelt: 1\n");
            }
            std::fs::write(directory.path().join(entry.file_name()), text).expect("written");
        }
    }
    let run = verify(["manifests".as_ref(), directory.path() as &Path]);
    assert_eq!(run.code, Some(3), "{}", run.stdout);
    // The first stands above, where the answer is; the other has its own.
    assert_eq!(run.stdout.matches("fix       above").count(), 1, "{}", run.stdout);
    for chart in ["kube-state-metrics --repo", "victoria-metrics-agent --repo"] {
        let shown = run
            .stdout
            .lines()
            .filter(|line| line.contains("helm show values") && line.contains(chart));
        assert_eq!(shown.count(), 1, "{chart}: {}", run.stdout);
    }
    let short = verify([
        "manifests".as_ref(),
        directory.path() as &Path,
        "-o".as_ref(),
        "short".as_ref(),
    ]);
    for file in ["ksm.values.yaml:", "vmagent.values.yaml:"] {
        assert!(short.stdout.contains(file), "{file}: {}", short.stdout);
    }
}

#[test]
fn its_checks_have_pages() {
    let run = verify(["explain", "values-keep-contract"]);
    assert!(
        run.stdout.starts_with("# SF806 values-keep-contract\n"),
        "{}",
        run.stdout
    );
}
