//! The audit of values files. What each check says is tested in `manifests.rs` of the library's tests.

use crate::run::verify;
use std::path::Path;

const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/helm");

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
fn its_checks_have_pages() {
    let run = verify(["explain", "values-keep-contract"]);
    assert!(
        run.stdout.starts_with("# SF806 values-keep-contract\n"),
        "{}",
        run.stdout
    );
}
