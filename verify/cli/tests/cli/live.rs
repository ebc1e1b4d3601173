//! Clusters that cannot be reached.

use crate::run::{command, file, filters, run, text, verify};
use insta::{assert_snapshot, with_settings};
use rstest::rstest;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
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

const UNAUTHORIZED: &str = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized",
    "reason": "Unauthorized", "code": 401}"#;
const FORBIDDEN: &str = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
    "message": "forbidden: User \"nobody\" may do nothing"}"#;

/// The port of a server that gives every request this one answer, for as long as the test runs.
fn answering(status: u16, content_type: &'static str, body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(&stream, status, content_type, body));
        }
    });
    port
}

/// Answers every request of a connection.
fn answer(stream: &TcpStream, status: u16, content_type: &str, body: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next().transpose()? {
        if line.is_empty() {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} said\r\nContent-Type: {content_type}\r\nContent-Length: {length}");
            (&*stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
        }
    }
    Ok(())
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

/// Whatever stands where an API server should, it is told in a few lines, in every form and in files too.
#[rstest]
#[case::a_page_that_is_not_there(404, "text/plain", "404 page not found", 1)]
#[case::another_api(200, "application/json", r#"{"status": "ok"}"#, 1)]
#[case::another_apis_404(404, "application/json", r#"{"error": "not found"}"#, 1)]
#[case::a_portal(200, "text/html", "<html>log in</html>", 1)]
#[case::a_balancer_without_a_server(503, "text/plain", "no healthy upstream", 1)]
#[case::no_credential(401, "application/json", UNAUTHORIZED, 1)]
#[case::no_permission(403, "application/json", FORBIDDEN, 5)]
fn what_answers_in_its_place_is_told_in_a_few_lines(
    #[case] status: u16,
    #[case] content_type: &'static str,
    #[case] body: &'static str,
    #[case] exit: i32,
) {
    let directory = TempDir::new().expect("a directory");
    let port = answering(status, content_type, body);
    let kubeconfig = kubeconfig(&directory, port);
    let xml = directory.path().join("report.xml");
    let forms = format!("text,junit={}", text(&xml));
    let run = verify(["--kubeconfig", &kubeconfig, "-o", &forms]);
    assert_eq!(run.code, Some(exit), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.lines().count() <= 8, "{}", run.stdout);
    for told in [&format!("http://127.0.0.1:{port}"), "context here", "kubeconfig"] {
        assert!(run.stdout.contains(told), "no {told}: {}", run.stdout);
    }
    assert!(run.stdout.contains("hint: "), "{}", run.stdout);
    let junit = std::fs::read_to_string(&xml).expect("the report is written");
    assert!(junit.contains("errors=\"1\""), "{junit}");
    assert!(junit.lines().count() <= 12, "{junit}");
    let short = verify(["--kubeconfig", &kubeconfig, "-o", "short"]);
    assert!(short.stdout.lines().count() <= 8, "{}", short.stdout);
    let json = verify(["--kubeconfig", &kubeconfig, "-o", "json"]).document();
    assert_eq!(json["summary"]["conforms"], false);
    assert_eq!(json["summary"]["counts"]["pass"], 0);
    let steps = json["steps"].as_array().expect("steps");
    assert!(
        steps.iter().all(|step| step["checks"] == serde_json::json!([])),
        "{json}"
    );
    let tried = json["error"]["tried"].as_str().expect("what was tried");
    assert!(tried.contains("context here"), "{tried}");
}

/// As doctl writes them, with what can be the matter with the plugin.
#[rstest]
#[case::missing("no-such-doctl", &[], "is not installed: no such program (no-such-doctl)", "it has to be on PATH")]
#[case::expired("sh", &["-c", "echo the token has expired >&2; exit 1"], "plugin failed", "`doctl auth init` logs in")]
#[case::asking("sh", &["-c", "read answer || exit 1"], "plugin failed", "`doctl auth init` logs in")]
fn a_credential_plugin_that_gives_nothing_is_told_with_its_hint(
    #[case] program: &str,
    #[case] arguments: &[&str],
    #[case] message: &str,
    #[case] hint: &str,
) {
    let directory = TempDir::new().expect("a directory");
    let exec = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1beta1", "command": program, "args": arguments, "env": null,
        "provideClusterInfo": false, "interactiveMode": "IfAvailable",
    });
    let path = kubeconfig(&directory, closed_port());
    let given = std::fs::read_to_string(&path).expect("the kubeconfig");
    std::fs::write(&path, given.replace("user: {}", &format!("user: {{exec: {exec}}}"))).expect("written");
    let xml = directory.path().join("report.xml");
    let run = verify(["--kubeconfig", &path, "-o", &format!("text,junit={}", text(&xml))]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{}", run.stderr);
    assert!(run.stderr.lines().count() <= 8, "{}", run.stderr);
    for told in [message, hint, "context here"] {
        assert!(run.stderr.contains(told), "no {told}: {}", run.stderr);
    }
    let junit = std::fs::read_to_string(&xml).expect("the report is written");
    assert!(
        junit.contains("errors=\"1\"") && junit.contains("credential plugin"),
        "{junit}"
    );
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
    let waited = &run.document()["times"]["waited"];
    assert_eq!(waited["ended"], "the time is over");
    assert!(waited["tookMs"].as_u64().is_some_and(|took| took >= 700), "{waited}");
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

/// By a kubeconfig with a token that says when it ends: the date is told, and the token is nowhere.
#[test]
fn a_token_that_ends_soon_is_told_by_its_date_and_not_shown() {
    use base64::Engine;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mock = runtime.block_on(testdata::Mock::start());
    let directory = TempDir::new().expect("a directory");
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(75);
    let claims = format!("{{\"exp\":{}}}", ends.as_second());
    let token = format!(
        "e30.{}.c2lnbmF0dXJl",
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims)
    );
    let plain = std::fs::read_to_string(kubeconfig(&directory, mock.address.port())).expect("it was written");
    let with_token = plain.replace("user: {}", &format!("user: {{token: {token}}}"));
    assert_ne!(plain, with_token);
    let config = file(&directory, "with-token", &with_token);
    let recording = directory.path().join("evidence.json");
    let arguments = [
        "--kubeconfig",
        text(&config),
        "-c",
        "SF107",
        "-o",
        "json",
        "--record",
        text(&recording),
    ];
    let run = verify(arguments);
    let report = run.document();
    let checks = report["steps"][0]["checks"].as_array().expect("checks").iter();
    let check = checks
        .into_iter()
        .find(|check| check["code"] == "SF107")
        .expect("it was judged");
    assert_eq!(check["verdict"], "warn", "{check:#}");
    let day = ends.strftime("%Y-%m-%d");
    assert_eq!(check["observed"], format!("the bearer token ends on {day}, in 3 days"));
    let evidence = std::fs::read_to_string(&recording).expect("it was written");
    for told in [&run.stdout, &run.stderr, &evidence] {
        assert!(!told.contains(&token), "{told}");
    }
    // A week later it says the same of the same evidence.
    let again = verify(["--evidence", text(&recording), "-o", "json"]);
    assert_eq!(again.stdout, run.stdout);
}
