//! The shared cluster is what it claims to be.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;
use testbed::{Cluster, Scenario, cluster};

fn json(cluster: &Cluster, words: &str) -> Result<Value> {
    let text = cluster.run(&words.split(' ').collect::<Vec<_>>())?;
    Ok(serde_json::from_str(&text)?)
}

/// Where printed commands are typed.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn nodes_are_ready_and_carry_what_doks_nodes_carry() {
    let cluster = cluster().unwrap();
    let nodes = json(&cluster, "kubectl get nodes --output=json").unwrap();
    let nodes = nodes["items"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    for node in nodes {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        assert!(
            conditions
                .iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True"),
            "{conditions:?}"
        );
        assert!(
            node["spec"]["providerID"]
                .as_str()
                .unwrap()
                .starts_with("digitalocean://")
        );
        assert_eq!(node["metadata"]["labels"]["doks.digitalocean.com/node-pool"], "pool-a");
        assert_eq!(node["metadata"]["labels"]["topology.kubernetes.io/region"], "nyc3");
        assert_eq!(node["status"]["nodeInfo"]["kubeletVersion"], "v1.35.4");
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn both_components_answer_for_every_pod_of_the_sample_workload() {
    let cluster = cluster().unwrap();
    let metrics = json(
        &cluster,
        "kubectl get --raw /apis/metrics.k8s.io/v1beta1/namespaces/shop/pods",
    )
    .unwrap();
    assert_eq!(metrics["items"].as_array().unwrap().len(), 3);
    let scrape = "/api/v1/namespaces/kube-system/services/kube-state-metrics:http/proxy/metrics?resources=pods";
    let scrape = cluster.run(&["kubectl", "get", "--raw", scrape]).unwrap();
    let rows: Vec<_> = scrape
        .lines()
        .filter(|row| row.starts_with("kube_pod_labels{namespace=\"shop\""))
        .collect();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| row.contains("label_starform_io_project=\"shop\"")),
        "{rows:?}"
    );
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn the_autoscaler_reads_the_sample_workload() {
    let cluster = cluster().unwrap();
    let scaler = json(&cluster, "kubectl --namespace=shop get hpa storefront --output=json").unwrap();
    let conditions = scaler["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .any(|one| one["type"] == "ScalingActive" && one["status"] == "True"),
        "{conditions:?}"
    );
}

/// What an engineer reads in a report, typed in the root of a clone.
#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_printed_helm_command_runs_as_it_is() {
    let cluster = cluster().unwrap();
    let printed = "helm upgrade --install metrics-server metrics-server/metrics-server --namespace kube-system \
                   --version 3.13.1 --values manifests/helm/metrics-server.values.yaml --wait";
    let mut command = cluster.command(&["sh", "-c", printed]).unwrap();
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    cluster.wait_until_healthy().unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_break_shows_and_a_printed_command_mends_it() {
    let cluster = cluster().unwrap();
    cluster.break_(Scenario::AllowlistMissing).unwrap();
    let printed = "helm upgrade --install kube-state-metrics prometheus-community/kube-state-metrics \
                   --namespace kube-system --version 8.4.0 --values manifests/helm/ksm.values.yaml --wait";
    let mut command = cluster.command(&["sh", "-c", printed]).unwrap();
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    cluster.wait_until_healthy().unwrap();
    cluster.mend().unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn exec_passes_on_exit_code_and_folder() {
    let cluster = cluster().unwrap();
    let output = cluster
        .command(&["sh", "-c", "pwd; exit 7"])
        .unwrap()
        .current_dir("/usr")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "/usr\n");
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn nothing_inside_reaches_the_outside() {
    let cluster = cluster().unwrap();
    let routes = cluster.run(&["ip", "route", "show", "default"]).unwrap();
    assert_eq!(routes, "");
    let links = cluster.run(&["ip", "-brief", "link"]).unwrap();
    for link in links.lines() {
        let name = link.split(['@', ' ']).next().unwrap();
        assert!(
            ["lo", "br0", "node1", "node2"].contains(&name),
            "the control plane has an interface {name}"
        );
    }
    // 192.0.2.0/24 is documentation's own network (RFC 5737).
    let route = cluster.exec(&["ip", "route", "get", "192.0.2.1"]).unwrap();
    assert!(!route.status.success(), "{}", String::from_utf8_lossy(&route.stdout));
}
