//! Step 2 on a real cluster: the real Envoy Gateway, installed from the project's files, conforms; each break is told by
//! its own check and no other, and where a command can mend it, the printed one does.

mod breaks;

use breaks::{BREAKS, Break, Mends};
use serde_json::Value;
use std::time::{Duration, Instant};
use testbed::Cluster;

/// Step 2, but for what reads Helm's Secrets: a release is broken in ways of its own.
const SELECTED: [&str; 4] = ["--step", "2", "--ignore-group", "helm"];

/// What an audit said: its exit code and its report.
struct Audit {
    exit: i32,
    report: Value,
}

fn audit(cluster: &Cluster, arguments: &[&str]) -> Audit {
    audit_of(cluster, &[SELECTED.as_slice(), arguments].concat())
}

fn audit_of(cluster: &Cluster, arguments: &[&str]) -> Audit {
    let auditor = testbed::auditor().unwrap();
    let mut words = vec![auditor.to_str().unwrap(), "audit", "--output", "json"];
    words.extend(arguments);
    let output = cluster.exec(&words).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{words:?}: {error}\n{stdout}\n{said}"));
    Audit {
        exit: output.status.code().unwrap(),
        report,
    }
}

impl Audit {
    fn checks(&self) -> impl Iterator<Item = &Value> {
        let steps = self.report["steps"].as_array().unwrap().iter();
        steps.flat_map(|step| step["checks"].as_array().unwrap())
    }

    fn codes(&self, verdict: &str) -> Vec<&str> {
        self.checks()
            .filter(|check| check["verdict"] == verdict)
            .map(|check| check["code"].as_str().unwrap())
            .collect()
    }

    fn check(&self, code: &str) -> &Value {
        self.checks().find(|check| check["code"] == code).unwrap()
    }

    /// Everything that did not pass, for a failed assertion.
    fn complaints(&self) -> String {
        let complaint = |check: &Value| format!("{} {} {}", check["code"], check["verdict"], check["observed"]);
        let complaints = self.checks().filter(|check| check["verdict"] != "pass").map(complaint);
        complaints.collect::<Vec<_>>().join("\n")
    }

    /// Whether it tells the break, alone.
    fn tells(&self, broken: &Break) -> bool {
        let expected = if broken.warns { "warn" } else { "fail" };
        let told = self.check(broken.code);
        told["verdict"] == expected
            && told["observed"].as_str().unwrap().contains(broken.words)
            && self.codes("fail") == if broken.warns { vec![] } else { vec![broken.code] }
            && self.codes("unknown").is_empty()
    }
}

/// Types the printed commands, in the root of the workspace, as in a clone's.
fn type_as_printed(cluster: &Cluster, check: &Value) {
    let commands = check["fix"]["commands"].as_array().unwrap();
    assert!(!commands.is_empty(), "{} prints no command", check["code"]);
    for command in commands {
        let command = cluster.typed(command.as_str().unwrap()).unwrap();
        let script = format!("cd '{}/..' && {command}", env!("CARGO_MANIFEST_DIR"));
        let output = cluster.exec(&["sh", "-c", &script]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
    }
}

/// Asks until it is so; how often and how long is the cluster's matter, not the test's.
fn eventually<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(value) => return value,
            Err(why) if begun.elapsed() > Duration::from_secs(seconds) => panic!("{what}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}

fn is_told(cluster: &Cluster, broken: &Break) {
    let begun = Instant::now();
    (broken.make)(cluster);
    let told = eventually(broken.name, 90, || {
        let audit = audit(cluster, &[]);
        if audit.tells(broken) {
            return Ok(audit);
        }
        Err(audit.complaints())
    });
    let name = broken.name;
    assert_eq!(
        told.exit,
        if broken.warns { 0 } else { 3 },
        "{name}: {}",
        told.complaints()
    );
    if broken.warns {
        assert_eq!(audit(cluster, &["--fail-on", "warning"]).exit, 4, "{name}");
    } else {
        assert_eq!(told.report["summary"]["firstBroken"], broken.code, "{name}");
    }
    for blocked in told.checks().filter(|check| check["verdict"] == "blocked") {
        assert_eq!(
            blocked["behind"], broken.code,
            "{name}: {} stands behind it",
            blocked["code"]
        );
    }
    let shown = begun.elapsed();
    type_as_printed(cluster, told.check(broken.code));
    if let Mends::ByHand(mend) = broken.mends {
        mend(cluster);
    }
    let mended = audit(cluster, &["--wait", "180s"]);
    assert_eq!(mended.exit, 0, "{name}, after the printed fix: {}", mended.complaints());
    println!("{name}: told after {shown:.1?}, mended after {:.1?}", begun.elapsed());
    if let Mends::AsPrinted { then } = broken.mends {
        then(cluster);
    }
}

/// The printed roles are enough, and without any the audit knows nothing.
fn the_printed_roles_are_enough(cluster: &Cluster) {
    let auditor = testbed::auditor().unwrap();
    let printed = cluster
        .run(&[&[auditor.to_str().unwrap(), "rbac", "--user", "auditor"][..], &SELECTED].concat())
        .unwrap();
    let nothing = audit(cluster, &["--as", "auditor"]);
    assert_eq!(nothing.exit, 5, "{}", nothing.complaints());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), printed).unwrap();
    let file = file.path().to_str().unwrap();
    cluster.run(&["kubectl", "apply", "--filename", file]).unwrap();
    // The authorizer sees a role a moment later.
    eventually("the printed roles are enough", 10, || {
        let enough = audit(cluster, &["--as", "auditor"]);
        (enough.exit == 0).then_some(()).ok_or_else(|| enough.complaints())
    });
    cluster.run(&["kubectl", "delete", "--filename", file]).unwrap();
}

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn step_two_conforms_and_each_break_of_it_is_told_and_mended() {
    let _leave = testbed::leave();
    let cluster = testbed::shuttle::bare_cluster("gateway").unwrap();
    let before = audit(&cluster, &[]);
    assert_eq!(before.codes("fail"), ["SF208"], "{}", before.complaints());
    assert_eq!(before.exit, 3);

    let begun = Instant::now();
    cluster.install_envoy_gateway().unwrap();
    println!("installed after {:.1?}", begun.elapsed());
    let installed = audit(&cluster, &["--wait", "60s"]);
    assert_eq!(installed.exit, 0, "{}", installed.complaints());
    // Without a Gateway there is nothing to program.
    assert_eq!(installed.check("SF206")["verdict"], "not-applicable");

    cluster.install_gateway_data_plane().unwrap();
    println!("with a Gateway after {:.1?}", begun.elapsed());
    let whole = audit(&cluster, &["--wait", "60s"]);
    assert_eq!(whole.exit, 0, "{}", whole.complaints());
    assert_eq!(whole.codes("warn"), [] as [&str; 0], "{}", whole.complaints());
    assert_eq!(whole.check("SF206")["verdict"], "pass");
    let with_helm = audit_of(&cluster, &["--step", "2"]);
    assert_eq!(with_helm.exit, 0, "{}", with_helm.complaints());
    breaks::answers(&cluster);
    let again = Instant::now();
    cluster.install_envoy_gateway().unwrap();
    cluster.install_gateway_data_plane().unwrap();
    println!("installed again in {:.1?}", again.elapsed());

    the_printed_roles_are_enough(&cluster);
    for broken in BREAKS {
        is_told(&cluster, broken);
    }
    breaks::answers(&cluster);

    cluster.uninstall_envoy_gateway().unwrap();
    cluster.uninstall_envoy_gateway().unwrap();
    assert_eq!(audit(&cluster, &[]).codes("fail"), ["SF208"]);
}
