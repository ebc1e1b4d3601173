//! `starform-verify` on a real cluster, healthy and broken: each break is told by its own check and no other, and where
//! a command can mend it, the printed one does.

use serde_json::Value;
use std::path::Path;
use testbed::{Cluster, Scenario, cluster};

/// What these tests are about: Shuttle is not installed here.
const STEPS: &str = "1,3";

/// What an audit said: its exit code and its report.
pub(crate) struct Audit {
    pub(crate) exit: i32,
    pub(crate) report: Value,
}

/// Whether the printed commands mend it.
#[derive(Clone, Copy, PartialEq)]
enum Mends {
    /// They do, typed as printed.
    AsPrinted,
    /// No command of Helm's or kubectl's can: the fault is a node's.
    NotByCommand,
}

fn audit(cluster: &Cluster, arguments: &[&str]) -> Audit {
    audit_of(cluster, &[&["--step", STEPS], arguments].concat())
}

/// An audit with these arguments.
pub(crate) fn audit_of(cluster: &Cluster, arguments: &[&str]) -> Audit {
    let auditor = testbed::auditor().unwrap();
    let mut words = vec![auditor.to_str().unwrap(), "audit", "--output", "json"];
    words.extend(arguments);
    let output = cluster.exec(&words).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let report = serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!(
            "{words:?}: {error}\n{stdout}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    Audit {
        exit: output.status.code().unwrap(),
        report,
    }
}

impl Audit {
    fn checks(&self) -> impl Iterator<Item = &Value> {
        self.report["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step["checks"].as_array().unwrap())
    }

    fn codes(&self, verdict: &str) -> Vec<&str> {
        self.checks()
            .filter(|c| c["verdict"] == verdict)
            .map(|c| c["code"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn check(&self, code: &str) -> &Value {
        self.checks().find(|check| check["code"] == code).unwrap()
    }

    /// Everything that did not pass, for a failed assertion.
    pub(crate) fn complaints(&self) -> String {
        self.checks()
            .filter(|check| check["verdict"] != "pass")
            .map(|c| format!("{} {} {}", c["code"], c["verdict"], c["observed"]))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Types the printed commands, in the root of the workspace, as in a clone's.
fn type_as_printed(cluster: &Cluster, check: &Value) {
    let commands = check["fix"]["commands"].as_array().unwrap();
    assert!(!commands.is_empty(), "{} prints no command", check["code"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for command in commands {
        let command = command.as_str().unwrap();
        let script = format!("cd '{}' && {command}", root.display());
        let output = cluster.exec(&["sh", "-c", &script]).unwrap();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn is_told(scenario: Scenario, code: &str, mends: Mends) {
    let cluster = cluster().unwrap();
    cluster.break_(scenario).unwrap();
    // What the release's values say of the same fault (SF382) is left out: here the live objects tell it.
    let broken = audit(&cluster, &["--ignore-group", "helm"]);
    assert_eq!(broken.codes("fail"), [code], "{}", broken.complaints());
    assert_eq!(broken.codes("unknown"), [] as [&str; 0], "{}", broken.complaints());
    assert_eq!(broken.exit, 3);
    assert_eq!(broken.report["summary"]["firstBroken"], code);
    for blocked in broken.checks().filter(|check| check["verdict"] == "blocked") {
        assert_eq!(
            blocked["behind"], code,
            "{} stands behind something else",
            blocked["code"]
        );
    }
    if mends == Mends::AsPrinted {
        type_as_printed(&cluster, broken.check(code));
        let mended = audit(&cluster, &["--wait", "150s"]);
        assert_eq!(mended.exit, 0, "after the printed fix: {}", mended.complaints());
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_healthy_cluster_conforms() {
    let cluster = cluster().unwrap();
    cluster.mend().unwrap();
    let healthy = audit(&cluster, &["--wait", "120s"]);
    assert_eq!(healthy.exit, 0, "{}", healthy.complaints());
    assert_eq!(healthy.codes("warn"), [] as [&str; 0], "{}", healthy.complaints());
    assert_eq!(
        healthy.codes("not-applicable"),
        [] as [&str; 0],
        "{}",
        healthy.complaints()
    );
    assert_eq!(healthy.report["summary"]["conforms"], true);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn an_absent_metrics_server_is_told() {
    is_told(Scenario::MetricsServerAbsent, "SF301", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_metrics_server_scaled_to_zero_is_told() {
    is_told(Scenario::MetricsServerScaledToZero, "SF303", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn an_apiservice_that_points_at_nothing_is_told() {
    is_told(Scenario::ApiServicePointsAtNothing, "SF302", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_kubelet_whose_certificate_is_refused_is_told() {
    is_told(Scenario::KubeletCertificateRefused, "SF306", Mends::NotByCommand);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_metrics_server_that_is_ready_without_pod_metrics_is_told() {
    is_told(Scenario::MetricsServerNodeMetricsOnly, "SF308", Mends::NotByCommand);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn an_absent_kube_state_metrics_is_told() {
    is_told(Scenario::KubeStateMetricsAbsent, "SF320", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_wildcard_before_2_20_is_told() {
    is_told(Scenario::KubeStateMetricsWildcard, "SF324", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_missing_allowlist_is_told() {
    is_told(Scenario::AllowlistMissing, "SF324", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn an_allowlist_that_lacks_one_key_is_told() {
    is_told(Scenario::AllowlistLacksOneKey, "SF324", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_shard_that_is_down_is_told() {
    is_told(Scenario::ShardDown, "SF321", Mends::AsPrinted);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_kube_state_metrics_that_hangs_is_told() {
    is_told(Scenario::KubeStateMetricsHangs, "SF323", Mends::AsPrinted);
}

/// Takes out what differs by design: the times.
fn without_times(report: &Value) -> Value {
    let mut report = report.clone();
    report.as_object_mut().unwrap().remove("times");
    report
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn two_audits_of_an_unchanged_cluster_differ_in_nothing_but_times() {
    let cluster = cluster().unwrap();
    cluster.mend().unwrap();
    audit(&cluster, &["--wait", "120s"]);
    let first = audit(&cluster, &[]);
    let second = audit(&cluster, &[]);
    assert_eq!(without_times(&first.report), without_times(&second.report));
    assert_ne!(first.report["times"], second.report["times"]);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_replay_is_byte_identical_to_the_live_audit() {
    let cluster = cluster().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let auditor = testbed::auditor().unwrap();
    let auditor = auditor.to_str().unwrap();
    let file = folder.path().join("evidence.json");
    let file = file.to_str().unwrap();
    for scenario in [Scenario::Healthy, Scenario::AllowlistMissing] {
        cluster.break_(scenario).unwrap();
        for format in ["json", "text", "short"] {
            let live = cluster.exec(&[auditor, "-o", format, "--record", file]).unwrap();
            let replayed = cluster.exec(&[auditor, "-o", format, "--evidence", file]).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&live.stdout),
                String::from_utf8_lossy(&replayed.stdout),
                "{scenario:?} as {format}"
            );
            assert_eq!(live.status.code(), replayed.status.code());
        }
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn waiting_ends_at_once_where_it_cannot_mend() {
    let cluster = cluster().unwrap();
    cluster.break_(Scenario::AllowlistMissing).unwrap();
    let started = std::time::Instant::now();
    let broken = audit(&cluster, &["--wait", "120s"]);
    assert_eq!(broken.exit, 3);
    assert!(started.elapsed().as_secs() < 20, "it waited {:?}", started.elapsed());
}
