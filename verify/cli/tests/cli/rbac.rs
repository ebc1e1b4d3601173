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
