//! A cluster that is healthy and unusual: what operators have beside the contract, and what changes while it is audited. Nothing of
//! it may fail, and nothing be unknown.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use testbed::{Cluster, cluster};

const NAMESPACE: &str = "unusual";
const KUBE_STATE_METRICS: &str = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0";
const STOREFRONT: &str = "docker.io/starform/storefront:1";

/// What is told all the same, and what an operator does about it.
const WARNINGS: &[(&str, &str)] = &[
    (
        "SF103",
        "a virtual kubelet's node is no droplet: nothing, where it is meant to be there",
    ),
    (
        "SF104",
        "a node has been NotReady for seconds: nothing, unless it stays so",
    ),
    (
        "SF312",
        "an autoscaler reads an API that nothing serves: installs that API, or removes the autoscaler",
    ),
];

fn container(image: &str, arguments: &[&str]) -> Value {
    json!({"name": "program", "image": image, "imagePullPolicy": "Never", "args": arguments})
}

fn deployment(namespace: &str, name: &str, replicas: u32, pod: &Value) -> Value {
    let labels = json!({"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    })
}

/// A virtual kubelet's, which has no metrics, and one that goes away and stopped answering.
fn nodes() -> Value {
    let node = |name: &str, labels: Value, spec: Value| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec});
    let taint = |key: &str, value: &str| json!({"key": key, "value": value, "effect": "NoSchedule"});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        node(
            "virtual",
            json!({"type": "virtual-kubelet", "kubernetes.io/os": "linux", "topology.kubernetes.io/region": "nyc3"}),
            json!({"taints": [taint("virtual-kubelet.io/provider", "mock")]}),
        ),
        node(
            "leaving",
            json!({"kubernetes.io/os": "linux", "topology.kubernetes.io/region": "nyc3"}),
            json!({
                "providerID": "digitalocean://4711", "unschedulable": true,
                "taints": [taint("ToBeDeletedByClusterAutoscaler", "1796040000")],
            }),
        ),
    ]})
}

/// What a node says of itself at this moment.
fn say(cluster: &Cluster, node: &str, ready: bool) {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (status, reason) = if ready {
        ("True", "KubeletReady")
    } else {
        ("False", "KubeletNotReady")
    };
    let condition = json!({
        "type": "Ready", "status": status, "reason": reason, "message": reason, "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    });
    // Its transition is the first word that it says.
    let known: Value =
        serde_json::from_str(&cluster.run(&["kubectl", "get", "node", node, "--output=json"]).unwrap()).unwrap();
    let conditions = known["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let before = conditions
        .iter()
        .find(|one| one["type"] == "Ready" && one["status"] == status);
    let condition = before.map_or(condition.clone(), |before| {
        let mut condition = condition.clone();
        condition["lastTransitionTime"] = before["lastTransitionTime"].clone();
        condition
    });
    let status = json!({"status": {
        "conditions": [condition], "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64", "kubeletVersion": "v1.35.4"},
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "capacity": {"pods": "0"},
    }});
    let words = [
        "kubectl",
        "patch",
        "node",
        node,
        "--subresource=status",
        "--type=merge",
        "--patch",
    ];
    cluster.run(&[&words[..], &[&status.to_string()]].concat()).unwrap();
}

fn objects() -> Value {
    let labels = json!({"app.kubernetes.io/name": "kube-state-metrics", "app.kubernetes.io/instance": "for-resources"});
    let mut resources = deployment(
        "unusual",
        "kube-state-metrics",
        1,
        &json!({
            "automountServiceAccountToken": true, "serviceAccountName": "reader",
            "containers": [container(KUBE_STATE_METRICS, &[
                "--custom-resource-state-only=true", "--custom-resource-state-config=spec: {resources: []}", "--port=8080",
            ])],
        }),
    );
    for at in [
        "/metadata/labels",
        "/spec/selector/matchLabels",
        "/spec/template/metadata/labels",
    ] {
        *resources.pointer_mut(at).unwrap() = labels.clone();
    }
    let mut sidecar = container(STOREFRONT, &[]);
    sidecar["name"] = "mesh".into();
    sidecar["restartPolicy"] = "Always".into();
    let autoscaler = |name: &str, metric: Value| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "keda-operator"}},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shrinks"},
                "minReplicas": 1, "maxReplicas": 8, "metrics": [metric],
            },
        })
    };
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": NAMESPACE}},
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kube-state-metrics", "namespace": NAMESPACE, "labels": labels},
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 8080}]},
        },
        resources,
        {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "ended", "namespace": NAMESPACE},
            "spec": {"completions": 3, "template": {"spec": {
                "restartPolicy": "Never", "containers": [container(KUBE_STATE_METRICS, &["version"])],
            }}},
        },
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "with-a-sidecar", "namespace": NAMESPACE},
            "spec": {"initContainers": [sidecar], "containers": [container(STOREFRONT, &[])]},
        },
        deployment(NAMESPACE, "shrinks", 6, &json!({
            "terminationGracePeriodSeconds": 30,
            "containers": [{
                "name": "web", "image": STOREFRONT, "imagePullPolicy": "Never", "resources": {"requests": {"cpu": "1m"}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 25}}},
            }],
        })),
        autoscaler("keda-hpa-queue", json!({
            "type": "External",
            "external": {"metric": {"name": "s0-queue"}, "target": {"type": "AverageValue", "averageValue": "5"}},
        })),
    ]})
}

/// The whole of it, taken away again when it is dropped.
struct Unusual<'a>(&'a Cluster);

impl<'a> Unusual<'a> {
    fn made(cluster: &'a Cluster) -> Self {
        let unusual = Self(cluster);
        let folder = tempfile::tempdir().unwrap();
        for (name, list) in [("nodes.json", nodes()), ("objects.json", objects())] {
            let file = folder.path().join(name);
            fs::write(&file, list.to_string()).unwrap();
            cluster
                .run(&["kubectl", "create", "--filename", file.to_str().unwrap()])
                .unwrap();
        }
        unusual.nodes_say();
        cluster.run(&["kubectl", "cordon", "node2"]).unwrap();
        let taint = ["kubectl", "taint", "node", "node2", "nvidia.com/gpu=present:NoSchedule"];
        cluster.run(&taint).unwrap();
        for workload in ["deployment/shrinks", "deployment/kube-state-metrics"] {
            let words = [
                "kubectl",
                "--namespace",
                NAMESPACE,
                "rollout",
                "status",
                workload,
                "--timeout=120s",
            ];
            cluster.run(&words).unwrap();
        }
        let done = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "wait",
            "--for=condition=Complete",
            "job/ended",
            "--timeout=120s",
        ];
        cluster.run(&done).unwrap();
        unusual
    }

    fn nodes_say(&self) {
        say(self.0, "virtual", true);
        say(self.0, "leaving", false);
    }
}

impl Drop for Unusual<'_> {
    fn drop(&mut self) {
        // Every part, whether or not another was there.
        for words in [
            &["kubectl", "taint", "node", "node2", "nvidia.com/gpu-"][..],
            &["kubectl", "uncordon", "node2"],
            &["kubectl", "delete", "node", "virtual", "leaving", "--ignore-not-found"],
            &[
                "kubectl",
                "delete",
                "namespace",
                NAMESPACE,
                "--ignore-not-found",
                "--timeout=120s",
            ],
        ] {
            let _ = self.0.exec(words);
        }
    }
}

fn told(report: &Value, verdict: &str) -> BTreeMap<String, String> {
    let steps = report["steps"].as_array().unwrap().iter();
    let checks = steps.flat_map(|step| step["checks"].as_array().unwrap());
    let told = checks.filter(|check| check["verdict"] == verdict);
    let text = |check: &Value, field: &str| check[field].as_str().unwrap_or_default().to_owned();
    told.map(|check| (text(check, "code"), text(check, "observed")))
        .collect()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn ten_audits_in_a_row_find_nothing_wrong_with_it() {
    let cluster = cluster().unwrap();
    ten_audits_find_nothing_wrong(&cluster, "1,3", WARNINGS);
    cluster.wait_until_healthy().unwrap();
}

/// Makes it unusual, and audits these steps ten times while pods come and go: no fail, no unknown, and no warning but these.
fn ten_audits_find_nothing_wrong(cluster: &Cluster, steps: &str, warnings: &[(&str, &str)]) {
    let unusual = Unusual::made(cluster);
    let churn = cluster.churn(NAMESPACE, 100);
    let shrink = [
        "kubectl",
        "--namespace",
        NAMESPACE,
        "scale",
        "deployment/shrinks",
        "--replicas=1",
    ];
    cluster.run(&shrink).unwrap();
    let auditor = testbed::auditor().unwrap();
    for number in 1..=10 {
        unusual.nodes_say();
        let before = churn.made();
        let words = [auditor.to_str().unwrap(), "audit", "--output", "json", "--step", steps];
        let output = cluster.exec(&words).unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let nothing = BTreeMap::new();
        for verdict in ["fail", "unknown", "blocked"] {
            assert_eq!(told(&report, verdict), nothing, "audit {number}: {verdict}");
        }
        let warned = told(&report, "warn");
        println!(
            "audit {number}, while {} pods were made: {warned:?}",
            churn.made() - before
        );
        for (code, observed) in warned {
            assert!(
                warnings.iter().any(|(listed, _)| *listed == code),
                "audit {number} warns: {code} {observed}"
            );
        }
        assert_eq!(output.status.code(), Some(0), "audit {number}");
    }
    let made = churn.end().unwrap();
    assert!(made > 200, "only {made} pods came and went");
}
