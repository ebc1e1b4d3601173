//! Nodes.

use super::access::Cluster;
use super::condition::{self, RawCondition};
use super::get::Get;
use super::list::{Collected, Shape};
use super::request::Obstacle;
use crate::evidence::Node;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The label that names a node's region (`k8s.io/api/core/v1`, well-known labels).
const REGION: &str = "topology.kubernetes.io/region";
/// The label that names a node's pool on DOKS.
const POOL: &str = "doks.digitalocean.com/node-pool";

#[derive(Deserialize)]
struct RawNode {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
struct Spec {
    #[serde(rename = "providerID")]
    provider_id: Option<String>,
    #[serde(default)]
    unschedulable: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    conditions: Option<Vec<RawCondition>>,
    #[serde(default)]
    node_info: NodeInfo,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    #[serde(default)]
    kubelet_version: String,
}

/// Lists them, sorted by name. Needs `list nodes`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Node>, Obstacle> {
    let new = || {
        Collected::new(|json| {
            let raw: RawNode = serde_json::from_slice(json)?;
            Ok(Some(raw.into_node()))
        })
    };
    let mut nodes = cluster.list(&request(), Shape::objects("NodeList"), new).await?.items;
    nodes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

pub(super) fn request() -> Get {
    Get::list("", "v1", "nodes", None)
}

impl RawNode {
    fn into_node(self) -> Node {
        let mut labels = self.metadata.labels.unwrap_or_default();
        Node {
            name: self.metadata.name,
            created: self.metadata.creation_timestamp,
            ready: condition::find(self.status.conditions, "Ready"),
            // `digitalocean://123`: the scheme is all that is said of it.
            provider: (self.spec.provider_id).and_then(|id| id.split_once("://").map(|(scheme, _)| scheme.to_owned())),
            region: labels.remove(REGION),
            pool: labels.remove(POOL),
            unschedulable: self.spec.unschedulable,
            kubelet: self.status.node_info.kubelet_version,
        }
    }
}
