//! Runs the binary.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a run came to.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A recording of a broken cluster.
pub(crate) const WILDCARD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../testdata/evidence/kube-state-metrics-wildcard.json"
);

/// The binary, in an environment of its own: no kubeconfig, no flag from outside, a UTF-8 locale.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starform-verify"));
    command.env_clear().env("LC_ALL", "C.UTF-8").env("HOME", "/nonexistent");
    command
}

/// Runs it.
pub(crate) fn verify<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    run(command().args(arguments), None)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, stdin: Option<&str>) -> Run {
    let mut child = command
        .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text.as_bytes()).expect("it reads its stdin");
    }
    let output = child.wait_with_output().expect("it ends");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Run {
    /// stdout as exactly one JSON document.
    pub(crate) fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", self.stdout, self.stderr))
    }
}

/// A file of a test.
pub(crate) fn file(directory: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("the file can be written");
    path
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What differs from one machine or version to another.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"/[^\s'`:]*/(\.tmp[^/]*)/", "[DIR]/"),
        (r"/[^\s'`:]*/testdata/", "[TESTDATA]/"),
        (r"sha256:[0-9a-f]+", "sha256:[DIGEST]"),
        (
            r"collected \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC in \d+\.\d s",
            "collected [TIME]",
        ),
        (r"cluster [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "cluster [UID]"),
        (r"EOF while parsing an? \w+", "EOF while parsing"),
        (r"at line \d+ column \d+", "at line [LINE] column [COLUMN]"),
        (r"starform-verify \d+\.\d+\.\d+", "starform-verify [VERSION]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    ]
}
