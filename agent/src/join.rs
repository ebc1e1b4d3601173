//! The cAdvisor join: every kubelet's container metrics, read in turn and joined with `kube_pod_labels` on (namespace,
//! pod). The leader's work.
//!
//! A full pass over the Ready nodes comes first, then a few nodes with each verification, so that each is read once in
//! eight minutes. A node that failed is read again every time.

use crate::kubelet::{Kubelet, Kubelets, PORT, Pods};
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use starform_verify::contract::Contract;
use starform_verify::evidence::{Evidence, Join, Node, Observed, Source};
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use tokio::time::Instant;
use tracing::{debug, info, warn};

mod pass;
mod rows;

use self::pass::{Listed, Pass};
use self::rows::Rows;

/// How many kubelets are read at once.
const AT_ONCE: usize = 4;

/// Reads and joins.
#[derive(Debug)]
pub struct Joiner {
    kubelets: Kubelets,
    pass: Pass,
    metrics: Metrics,
}

/// `shuttle_join_*`.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    joined: Gauge,
    failed: Gauge,
    pods: Gauge,
    reads: Counter,
    seconds: Counter<f64, AtomicU64>,
}

// === impl Joiner ===

impl Joiner {
    /// One that has read nothing yet.
    #[must_use]
    pub fn new(kubelets: Kubelets, metrics: Metrics) -> Self {
        Self {
            kubelets,
            pass: Pass::default(),
            metrics,
        }
    }

    /// Reads the kubelets whose turn it is and joins them with the rows of `evidence`. Ends by `deadline`; a kubelet that
    /// was not read by then is the first of the next round. Where nodes, pods or rows were not seen nothing is read, and
    /// what was known stays.
    ///
    /// Needs `get nodes/metrics`.
    pub async fn round(&mut self, contract: &Contract, evidence: &Evidence, deadline: Instant) {
        let Observed::Seen(nodes) = &evidence.nodes else {
            return;
        };
        let now = evidence.now(Source::Nodes);
        let grace = contract.cluster.node_ready_grace;
        self.pass.keep(nodes.iter().map(|node| Listed {
            name: &node.name,
            created: node.created,
            ready: node.is_ready_and_real(),
            young: now.is_some_and(|now| !node.is_settled(now, grace)),
        }));
        if let Some(rows) = Rows::of(contract, evidence) {
            let by_name: HashMap<&str, &Node> = nodes.iter().map(|node| (node.name.as_str(), node)).collect();
            let due = self.pass.due(Instant::now());
            let due = due.iter().filter_map(|name| by_name.get(name.as_str()).copied());
            self.read(due.collect(), &rows, deadline).await;
        }
        self.metrics.show(&self.join());
    }

    /// What is known by now.
    #[must_use]
    pub fn join(&self) -> Join {
        self.pass.join()
    }

    /// Forgets everything: another replica reads now.
    pub fn forget(&mut self) {
        self.pass = Pass::default();
        self.metrics.show(&Join::default());
    }

    async fn read(&mut self, nodes: Vec<&Node>, rows: &Rows<'_>, deadline: Instant) {
        let mut waiting = nodes.into_iter();
        let first = waiting.by_ref().take(AT_ONCE);
        let mut reads: FuturesUnordered<_> = first.map(|node| read(&self.kubelets, &self.metrics, node)).collect();
        while let Ok(Some((node, read_pods))) = tokio::time::timeout_at(deadline, reads.next()).await {
            reads.extend(waiting.next().map(|node| read(&self.kubelets, &self.metrics, node)));
            let judged = read_pods.and_then(|pods| rows.judge(&node.name, &pods));
            let before = self.pass.problem(&node.name);
            match (&judged, before) {
                (Err(problem), None) => warn!(node = %node.name, %problem, "node does not join"),
                (Ok(pods), Some(_)) => info!(node = %node.name, pods, "node joined again"),
                (judged, _) => debug!(node = %node.name, ?judged, "node read"),
            }
            self.pass.read(&node.name, judged, Timestamp::now(), Instant::now());
        }
    }
}

// === impl Metrics ===

impl Metrics {
    /// Adds them to a registry whose prefix is `shuttle`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("join");
        registry.register(
            "nodes_joined",
            "Nodes whose container metrics join kube_pod_labels",
            self.joined.clone(),
        );
        registry.register(
            "nodes_failed",
            "Nodes whose kubelet cannot be read, or whose pods do not join",
            self.failed.clone(),
        );
        registry.register(
            "pods",
            "Pods that joined, in the last read of each node",
            self.pods.clone(),
        );
        registry.register("reads", "Kubelets read", self.reads.clone());
        registry.register("read_seconds", "Time spent on reading kubelets", self.seconds.clone());
    }

    fn show(&self, join: &Join) {
        self.joined.set(i64::try_from(join.joined.len()).unwrap_or(i64::MAX));
        self.failed.set(i64::from(join.failed_nodes));
        self.pods.set(i64::from(join.pods));
    }
}

/// Reads one kubelet.
async fn read<'a>(kubelets: &Kubelets, metrics: &Metrics, node: &'a Node) -> (&'a Node, Result<Pods, String>) {
    let begun = Instant::now();
    let read = match kubelet(node) {
        Ok(kubelet) => kubelets.pods(&kubelet).await.map_err(|error| error.to_string()),
        Err(problem) => Err(problem),
    };
    metrics.reads.inc();
    metrics.seconds.inc_by(begun.elapsed().as_secs_f64());
    (node, read)
}

fn kubelet(node: &Node) -> Result<Kubelet, String> {
    let address = node
        .address
        .clone()
        .ok_or("its status has no address of type InternalIP")?;
    Ok(Kubelet {
        node: node.name.clone(),
        address,
        port: node.kubelet_port.unwrap_or(PORT),
    })
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
