//! Starbase as a process of its own, steered by the command line.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use shuttle::lifecycle::SetbackKind;
use shuttle::registrar::{Registrar, TransportOptions};
use testbed::{ClusterState, Scratch, Starbase};

use super::bed::{Bed, ID, UID, active, client_of, registering};

/// The command line's program; another one where several checkouts share a target directory.
fn program() -> OsString {
    std::env::var_os("TESTBED_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_testbed").into())
}

/// What `testbed starbase` printed.
fn command(state: &Path, words: &[&str]) -> String {
    let output = Command::new(program())
        .args(["starbase", "--state"])
        .arg(state)
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A process that serves, and where.
fn serving(state: &Path) -> (Child, String) {
    let mut child = Command::new(program())
        .args(["starbase", "--state"])
        .arg(state)
        .args(["serve", "--address", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim()
        .strip_prefix("Starbase answers at ")
        .unwrap_or_else(|| panic!("{line}"));
    (child, url.to_owned())
}

#[tokio::test]
async fn the_command_line_mints_breaks_mends_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path();
    let (mut child, url) = serving(state);
    let token = command(state, &["mint", ID]);
    let options = TransportOptions {
        authority: Some(command(state, &["authority"]).trim().into()),
        environment_proxy: false,
        ..TransportOptions::new(url.parse().unwrap())
    };
    let client = client_of(token.trim(), options);
    command(state, &["rhythm", "5s", "20s"]);
    let granted = client.registrar.register(&registering(UID)).await.unwrap();
    assert_eq!(granted.interval, Duration::from_secs(5));

    command(
        state,
        &[
            "fault",
            "status",
            "429",
            "--retry-after",
            "7",
            "--times",
            "1",
            "--on",
            "heartbeat",
        ],
    );
    let setback = client.registrar.heartbeat(1, &active()).await.unwrap_err();
    let after = Some(Duration::from_secs(7));
    assert_eq!(setback.kind, SetbackKind::Later { after });
    command(state, &["fault", "certificate", "expired"]);
    let setback = client.registrar.heartbeat(1, &active()).await.unwrap_err();
    assert!(setback.message.contains("has expired"), "{}", setback.message);
    command(state, &["clear"]);
    client.registrar.heartbeat(1, &active()).await.unwrap();

    command(state, &["clock", "advance", "10m"]);
    let listed = command(state, &["clusters"]);
    for words in [ID, UID, "lost", "generation 1"] {
        assert!(listed.contains(words), "`{words}` is not in: {listed}");
    }
    assert_eq!(command(state, &["revoke", ID]), "1 revoked\n");
    let setback = client.registrar.heartbeat(1, &active()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    let requests = command(state, &["requests"]);
    assert_eq!(requests.lines().count(), 4, "{requests}");
    assert!(!command(state, &["requests", "--json"]).contains(token.trim()));

    // Whoever holds its standard input takes it along.
    drop(child.stdin.take());
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_cluster_s_network_reaches_it_on_the_control_plane_s_address() {
    let _leave = testbed::leave();
    let cluster = Scratch::up("starbase").unwrap();
    let bed = Bed::new();
    let inside = bed.starbase.serve_within("starbase", 8_443).unwrap();
    assert_eq!(inside.url(), "https://10.0.0.254:8443");
    let get = Command::new(program())
        .args([
            "--name",
            "starbase",
            "exec",
            "--",
            "curl",
            "--silent",
            "--fail",
            "--max-time",
            "10",
            "--cacert",
        ])
        .arg(bed.starbase.authority())
        .arg(inside.url())
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&get.stdout);
    assert!(
        page.contains("No cluster has registered yet."),
        "{page} {}",
        String::from_utf8_lossy(&get.stderr)
    );

    // Both are one: what is registered out here is known in there.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = bed.client();
    runtime.block_on(client.registrar.register(&registering(UID))).unwrap();
    let same = Starbase::open(bed.dir.path()).unwrap();
    assert_eq!(same.clusters().unwrap()[0].state, ClusterState::Active);
    drop(inside);
    drop(cluster);
}
