//! Nodes that come and go: drained, removed, added anew.

use anyhow::Result;
use serde_json::json;

use crate::network::{node_name, pod_network};
use crate::paths::State;
use crate::{Cluster, faults, inside};

impl Cluster {
    /// `kubectl drain`, as before an upgrade: evicts every pod but those of DaemonSets.
    ///
    /// # Errors
    ///
    /// When a pod cannot be evicted within two minutes, as a disruption budget has it.
    pub fn drain_node(&self, node: u8) -> Result<()> {
        let name = node_name(node);
        let words = [
            "kubectl",
            "drain",
            &name,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--timeout=120s",
        ];
        self.run(&words).map(drop)
    }

    /// `kubectl uncordon`.
    ///
    /// # Errors
    ///
    /// When there is no such node.
    pub fn uncordon_node(&self, node: u8) -> Result<()> {
        self.run(&["kubectl", "uncordon", &node_name(node)]).map(drop)
    }

    /// Drains a node and deletes it, as a node pool that shrinks does, and with it the pods that are left on it. Its
    /// kubelet does not register again before [`Cluster::add_node`].
    ///
    /// # Errors
    ///
    /// When it cannot be drained.
    pub fn remove_node(&self, node: u8) -> Result<()> {
        self.drain_node(node)?;
        let name = node_name(node);
        self.run(&["kubectl", "delete", "node", &name])?;
        // The controller that collects them waits for most of a minute; a node that comes is to be an empty one.
        let selector = format!("--field-selector=spec.nodeName={name}");
        let words = [
            "kubectl",
            "delete",
            "pods",
            "--all-namespaces",
            &selector,
            "--force",
            "--grace-period=0",
        ];
        self.run(&words).map(drop)
    }

    /// Has a removed node register as a new one, with a UID of its own, and waits until it is Ready.
    ///
    /// # Errors
    ///
    /// When it is not within a minute.
    pub fn add_node(&self, node: u8) -> Result<()> {
        register(&self.state, node)
    }
}

/// Has the node's kubelet register, and waits until the node is Ready.
fn register(state: &State, node: u8) -> Result<()> {
    let name = node_name(node);
    faults::restart_kubelet(state, &name)?;
    let object = format!("node/{name}");
    let kubectl = |words: &[&str]| inside::run(state, &[&["kubectl"], words].concat());
    kubectl(&["wait", "--for=create", &object, "--timeout=60s"])?;
    let network = pod_network(node);
    let patch = json!({ "spec": { "podCIDR": network, "podCIDRs": [network] } }).to_string();
    kubectl(&["patch", &object, "--patch", &patch])?;
    kubectl(&["wait", "--for=condition=Ready", &object, "--timeout=60s"]).map(drop)
}

/// Brings back a node that a test removed and that is still away; one that is there takes pods again.
pub(crate) fn mend(state: &State, node: u8) -> Result<()> {
    let name = node_name(node);
    let get = ["kubectl", "get", "node", &name, "--ignore-not-found", "--output=name"];
    if inside::run(state, &get)?.is_empty() {
        register(state, node)?;
    }
    inside::run(state, &["kubectl", "uncordon", &name]).map(drop)
}
