//! Clusters that cannot be reached.

use crate::run::{command, file, filters, run, text, verify};
use insta::{assert_snapshot, with_settings};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) fn kubeconfig(directory: &TempDir, port: u16) -> String {
    let path = file(
        directory,
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             contexts: [{{name: here, context: {{cluster: here, user: here}}}}]\n\
             clusters: [{{name: here, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
             users: [{{name: here, user: {{}}}}]\n"
        ),
    );
    text(&path).to_owned()
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_closed_port_is_an_error_of_the_tool() {
    let directory = TempDir::new().expect("a directory");
    let kubeconfig = kubeconfig(&directory, closed_port());
    let run = verify(["--kubeconfig", &kubeconfig]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    with_settings!({filters => filters()}, { assert_snapshot!("text_unreachable", run.stdout) });
    let json = verify(["--kubeconfig", &kubeconfig, "-o", "json"]);
    assert_eq!(json.code, Some(1));
    let report = json.document();
    assert_eq!(report["kind"], "Report");
    assert!(report["error"]["message"].is_string());
    assert_eq!(report["summary"]["counts"]["pass"], 0);
    for format in ["short", "junit"] {
        assert_eq!(verify(["--kubeconfig", &kubeconfig, "-o", format]).code, Some(1));
    }
}

#[test]
fn without_a_kubeconfig_it_says_so() {
    let run = run(command().args(["-o", "json"]), None);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.document()["error"]["message"].is_string());
    let run = verify(["--kubeconfig", "/nonexistent"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("/nonexistent"), "{}", run.stderr);
}

#[test]
fn a_credential_plugins_token_that_no_header_takes_is_told_in_words_alone() {
    let directory = TempDir::new().expect("a directory");
    let credential = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": "a\nb"}});
    let credential = file(&directory, "credential.json", &credential.to_string());
    let exec = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "cat",
        "args": [text(&credential)], "interactiveMode": "Never"});
    let path = kubeconfig(&directory, closed_port());
    let given = std::fs::read_to_string(&path).expect("the kubeconfig");
    std::fs::write(&path, given.replace("user: {}", &format!("user: {{exec: {exec}}}"))).expect("written");
    let run = verify(["--kubeconfig", &path]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(
        run.stderr.starts_with("error: the credentials are none"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_server_that_says_nothing_is_waited_for_no_longer_than_asked() {
    let directory = TempDir::new().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let kubeconfig = kubeconfig(&directory, listener.local_addr().expect("an address").port());
    let started = Instant::now();
    let run = verify([
        "--kubeconfig",
        &kubeconfig,
        "--request-timeout",
        "300ms",
        "--timeout",
        "2s",
    ]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn waiting_ends_when_its_time_is_over() {
    let directory = TempDir::new().expect("a directory");
    let kubeconfig = kubeconfig(&directory, closed_port());
    let run = verify([
        "--kubeconfig",
        &kubeconfig,
        "--wait",
        "700ms",
        "--poll-interval",
        "200ms",
        "-o",
        "json",
    ]);
    assert_eq!(run.code, Some(1));
    run.document();
    assert!(run.stderr.starts_with("waiting, "), "{}", run.stderr);
    assert_eq!(
        run.stderr.matches("waiting, ").count(),
        1,
        "a line for each change: {}",
        run.stderr
    );
    assert!(run.stderr.contains("the time is over"), "{}", run.stderr);
}

#[test]
fn recorded_and_judged_again_it_is_the_same_to_the_byte() {
    let directory = TempDir::new().expect("a directory");
    let kubeconfig = kubeconfig(&directory, closed_port());
    let recording = directory.path().join("evidence.json");
    let live = verify(["--kubeconfig", &kubeconfig, "-o", "json", "--record", text(&recording)]);
    let again = verify(["--evidence", text(&recording), "-o", "json"]);
    assert_eq!((live.code, live.stdout), (again.code, again.stdout));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_a_report() {
    let directory = TempDir::new().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let kubeconfig = kubeconfig(&directory, listener.local_addr().expect("an address").port());
    let script = format!(
        "'{}' --kubeconfig '{kubeconfig}' -o json & sleep 1; kill -TERM $!; wait $!; echo \"exit $?\" >&2",
        env!("CARGO_BIN_EXE_starform-verify")
    );
    let mut shell = std::process::Command::new("bash");
    let run = run(shell.args(["-c", &script]), None);
    assert_eq!(
        run.stderr,
        "error: interrupted by SIGTERM: this is what had been read\nexit 1\n"
    );
    let report = run.document();
    assert!(
        report["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("SIGTERM")),
        "{report}"
    );
}
