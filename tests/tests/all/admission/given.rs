//! What the writes are tried on, and taken away again with its value.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Cluster;

pub(super) const NAMESPACE: &str = "starform-system";
pub(super) const TENANT: &str = "admission-test";

/// Roles far too wide, so that whatever is refused is refused by a policy.
pub(super) struct Unbounded<'cluster>(&'cluster Cluster);

impl<'cluster> Unbounded<'cluster> {
    pub(super) fn grant(cluster: &'cluster Cluster) -> Self {
        let unbounded = Self(cluster);
        let words = "kubectl create clusterrolebinding admission-test --clusterrole=cluster-admin \
                     --serviceaccount=starform-system:shuttle --serviceaccount=starform-system:shuttle-node";
        cluster.run(&words.split_whitespace().collect::<Vec<_>>()).unwrap();
        unbounded
    }
}

impl Drop for Unbounded<'_> {
    fn drop(&mut self) {
        let words = "kubectl delete clusterrolebinding admission-test --ignore-not-found";
        let _ = self.0.run(&words.split(' ').collect::<Vec<_>>());
    }
}

/// Taken away again with its value.
pub(super) struct Installed<'cluster>(&'cluster Cluster);

impl<'cluster> Installed<'cluster> {
    pub(super) fn apply(cluster: &'cluster Cluster) -> Self {
        let installed = Self(cluster);
        cluster.apply_shuttle(testbed::shuttle::IMAGE).unwrap();
        installed
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let _ = self.0.uninstall_shuttle();
    }
}

/// A pod of a tenant, with everything on it that is not Shuttle's, in a managed namespace of its own. Nothing runs it.
pub(super) struct Tenant<'cluster>(&'cluster Cluster);

impl<'cluster> Tenant<'cluster> {
    pub(super) fn create(cluster: &'cluster Cluster) -> Self {
        let tenant = Self(cluster);
        cluster.run(&["kubectl", "create", "namespace", TENANT]).unwrap();
        cluster
            .run(&["kubectl", "label", "namespace", TENANT, "starform.io/managed=true"])
            .unwrap();
        let account = [
            "kubectl",
            "--namespace",
            TENANT,
            "create",
            "configmap",
            "owner",
            "--output=jsonpath={.metadata.uid}",
        ];
        let owner = cluster.run(&account).unwrap();
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "tenant",
                "namespace": TENANT,
                "labels": { "team": "b", "starform.io/region": "nyc3" },
                "annotations": { "example.com/kept": "true" },
                "ownerReferences": [{ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner }],
            },
            "spec": {
                "schedulerName": "none",
                "containers": [{ "name": "app", "image": "docker.io/starform/storefront:1" }],
            },
        });
        let path = std::env::temp_dir().join("testbed-admission-tenant.json");
        std::fs::write(&path, pod.to_string()).unwrap();
        let create = ["kubectl", "create", "--filename", path.to_str().unwrap()];
        let start = Instant::now();
        while let Err(error) = cluster.run(&create) {
            // The namespace's service account is made a little after it.
            assert!(start.elapsed() < Duration::from_secs(10), "{error:#}");
            std::thread::sleep(Duration::from_millis(200));
        }
        tenant
    }

    pub(super) fn pod(&self) -> Value {
        let words = [
            "kubectl",
            "--namespace",
            TENANT,
            "get",
            "pod",
            "tenant",
            "--output=json",
        ];
        serde_json::from_str(&self.0.run(&words).unwrap()).unwrap()
    }
}

impl Drop for Tenant<'_> {
    fn drop(&mut self) {
        let _ = self
            .0
            .run(&["kubectl", "delete", "namespace", TENANT, "--ignore-not-found", "--wait"]);
    }
}

/// A node with Shuttle's taint and one of somebody else's, until its value goes.
pub(super) struct Tainted<'a> {
    cluster: &'a Cluster,
    node: &'a str,
}

impl<'a> Tainted<'a> {
    pub(super) fn with(cluster: &'a Cluster, node: &'a str, taints: &Value) -> Self {
        let tainted = Self { cluster, node };
        tainted.set(taints).unwrap();
        tainted
    }

    fn set(&self, taints: &Value) -> anyhow::Result<String> {
        let patch = json!({ "spec": { "taints": taints } }).to_string();
        self.cluster
            .run(&["kubectl", "patch", "node", self.node, "--type=merge", "--patch", &patch])
    }

    pub(super) fn taints(&self) -> Value {
        let words = ["kubectl", "get", "node", self.node, "--output=json"];
        let node: Value = serde_json::from_str(&self.cluster.run(&words).unwrap()).unwrap();
        node["spec"]["taints"].clone()
    }
}

impl Drop for Tainted<'_> {
    fn drop(&mut self) {
        let _ = self.set(&Value::Null);
    }
}

pub(super) fn first_pod(cluster: &Cluster, namespace: &str, selector: &str) -> (String, Value) {
    let start = Instant::now();
    loop {
        let words = [
            "kubectl",
            "--namespace",
            namespace,
            "get",
            "pods",
            "--selector",
            selector,
            "--output=json",
        ];
        let list: Value = serde_json::from_str(&cluster.run(&words).unwrap()).unwrap();
        let placed = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|pod| pod["spec"]["nodeName"].is_string());
        if let Some(pod) = placed {
            return (pod["metadata"]["name"].as_str().unwrap().to_owned(), pod.clone());
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "no pod in {namespace} with {selector}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

pub(super) fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}
