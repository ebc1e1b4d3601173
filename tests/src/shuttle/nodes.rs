//! Nodes that come and go: drained, removed, added anew.

use anyhow::Result;
use serde_json::json;

use crate::network::{node_name, pod_network};
use crate::{Cluster, faults};

impl Cluster {
    /// `kubectl drain`, as before an upgrade: evicts every pod but those of DaemonSets.
    ///
    /// # Errors
    ///
    /// When a pod cannot be evicted within two minutes, as a disruption budget has it.
    pub fn drain_node(&self, node: u8) -> Result<()> {
        let name = node_name(node);
        let words = ["kubectl", "drain", &name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s"];
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

    /// Drains a node and deletes it, as a node pool that shrinks does. Its kubelet does not register again before
    /// [`Cluster::add_node`].
    ///
    /// # Errors
    ///
    /// When it cannot be drained.
    pub fn remove_node(&self, node: u8) -> Result<()> {
        self.drain_node(node)?;
        self.run(&["kubectl", "delete", "node", &node_name(node)]).map(drop)
    }

    /// Has a removed node register as a new one, with a UID of its own, and waits until it is Ready.
    ///
    /// # Errors
    ///
    /// When it is not within a minute.
    pub fn add_node(&self, node: u8) -> Result<()> {
        let name = node_name(node);
        faults::restart_kubelet(&self.state, &name)?;
        let object = format!("node/{name}");
        self.run(&["kubectl", "wait", "--for=create", &object, "--timeout=60s"])?;
        let network = pod_network(node);
        let patch = json!({ "spec": { "podCIDR": network, "podCIDRs": [network] } }).to_string();
        self.run(&["kubectl", "patch", &object, "--patch", &patch])?;
        self.run(&["kubectl", "wait", "--for=condition=Ready", &object, "--timeout=60s"]).map(drop)
    }
}
