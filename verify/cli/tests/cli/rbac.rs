//! The roles that are printed.

use crate::run::{filters, verify};
use insta::{assert_snapshot, with_settings};

#[test]
fn the_least_roles() {
    let run = verify(["rbac", "--service-account", "starform-system/auditor"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    with_settings!({filters => filters()}, { assert_snapshot!("rbac", run.stdout) });
    assert_eq!(
        run.stdout,
        verify(["rbac", "--service-account", "starform-system/auditor"]).stdout
    );
}

#[test]
fn of_one_check_are_fewer() {
    let run = verify(["rbac", "--user", "kim", "-c", "SF106"]);
    with_settings!({filters => filters()}, { assert_snapshot!("rbac_sf106", run.stdout) });
}

#[test]
fn of_another_namespace_only_on_request() {
    let roles = |arguments: &[&str]| verify([&["rbac", "--user", "kim"], arguments].concat()).stdout;
    assert!(!roles(&[]).contains("namespace: \"default\""));
    assert!(roles(&["--namespace", "default"]).contains("namespace: \"default\""));
    assert!(!roles(&["--namespace", "default"]).contains("namespace: \"metrics-server\""));
    assert!(!roles(&["--step", "3"]).contains("pods/proxy"));
    assert!(roles(&["--step", "3", "--sharded"]).contains("pods/proxy"));
    // kube-state-metrics may be sharded by node.
    assert!(roles(&["--step", "3"]).contains("daemonsets"));
    assert!(!roles(&["--group", "metrics-server"]).contains("daemonsets"));
    assert_eq!(verify(["rbac", "--user", "kim", "--namespace", "shop"]).code, Some(2));
}

/// A Role is refused in a namespace that is not there, so that they are named before: on stderr, and in what is applied.
#[test]
fn namespaces_that_have_to_exist_are_told_before() {
    let told = "These namespaces have to exist before, or their roles are refused: ";
    let of = |selection: &[&str], namespaces: Option<&str>| {
        let run = verify([&["rbac", "--user", "kim"], selection].concat());
        let expected = namespaces.map(|namespaces| format!("{told}{namespaces}"));
        let head: Vec<&str> = run.stdout.lines().take_while(|line| line.starts_with('#')).collect();
        let in_head = head
            .iter()
            .find_map(|line| line.strip_prefix("# ").filter(|line| line.starts_with(told)));
        assert_eq!(run.stderr.lines().next().map(str::to_owned), expected, "{selection:?}");
        assert_eq!(
            in_head,
            expected.map(|expected| format!("{expected}.")).as_deref(),
            "{selection:?}"
        );
        // Each of them has a role, and no other namespace that may be missing.
        for line in run.stdout.lines().filter_map(|line| line.strip_prefix("  namespace: ")) {
            let namespace = line.trim_matches('"');
            let is_told = namespaces.is_some_and(|namespaces| namespaces.split(", ").any(|told| told == namespace));
            assert!(
                is_told || namespace == "kube-system" || namespace == "default",
                "{namespace}"
            );
        }
    };
    of(&[], Some("envoy-gateway-system, starform-system, telemetry"));
    of(&["--step", "4"], Some("envoy-gateway-system, telemetry"));
    of(&["--step", "4", "-G", "helm"], Some("telemetry"));
    of(&["--step", "3"], None);
    of(&["--step", "1"], None);
    of(
        &["--step", "3", "--namespace", "default,metrics-server"],
        Some("metrics-server"),
    );
    assert_eq!(verify(["--quiet", "rbac", "--user", "kim"]).stderr, "");
}

#[test]
fn of_a_step_they_read_the_secrets_of_that_step_alone() {
    let secrets = |selection: &[&str]| -> Vec<String> {
        let roles = verify([&["rbac", "--user", "kim"], selection].concat()).stdout;
        let documents = roles.split("---\n").filter(|document| document.contains("\"secrets\""));
        let namespaces = documents.filter_map(|document| document.split("  namespace: ").nth(1)?.lines().next());
        namespaces
            .map(|namespace| namespace.trim_matches('"').to_owned())
            .collect()
    };
    let all = ["envoy-gateway-system", "kube-system", "telemetry"];
    assert_eq!(secrets(&[]), all);
    assert_eq!(secrets(&["--step", "2"]), ["envoy-gateway-system"]);
    assert_eq!(secrets(&["--step", "3"]), ["kube-system"]);
    assert_eq!(secrets(&["--check", "SF481"]), ["telemetry"]);
    // The order is that of all releases.
    assert_eq!(secrets(&["--check", "SF483"]), all);
    assert_eq!(secrets(&["--step", "3", "-G", "helm"]), [] as [&str; 0]);
}
