//! Nodes.

use super::access::Cluster;
use super::condition::{self, RawCondition};
use super::get::Get;
use super::list::{Collected, Shape};
use super::obstacle::Obstacle;
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
    addresses: Option<Vec<Address>>,
    #[serde(default)]
    daemon_endpoints: DaemonEndpoints,
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DaemonEndpoints {
    kubelet_endpoint: DaemonEndpoint,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DaemonEndpoint {
    /// Go's name: the one key of a node that begins with a capital letter.
    #[serde(rename = "Port")]
    port: u16,
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
            Ok(Some(raw.into_node(&cluster.contract.components.shuttle.node_condition)))
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
    fn into_node(self, telemetry: &str) -> Node {
        let mut labels = self.metadata.labels.unwrap_or_default();
        let conditions = self.status.conditions.unwrap_or_default();
        let port = self.status.daemon_endpoints.kubelet_endpoint.port;
        Node {
            name: self.metadata.name,
            created: self.metadata.creation_timestamp,
            ready: condition::find(&conditions, "Ready"),
            // `digitalocean://123`: the scheme is all that is said of it.
            provider: (self.spec.provider_id).and_then(|id| id.split_once("://").map(|(scheme, _)| scheme.to_owned())),
            region: labels.remove(REGION),
            pool: labels.remove(POOL),
            unschedulable: self.spec.unschedulable,
            kubelet: self.status.node_info.kubelet_version,
            // The first is the one that the API server takes too (`pkg/util/node`, `GetPreferredNodeAddress`).
            address: (self.status.addresses.unwrap_or_default().into_iter())
                .find_map(|address| (address.kind == "InternalIP").then_some(address.address)),
            // "0" is how a kubelet that serves nothing writes it.
            kubelet_port: (port != 0).then_some(port),
            telemetry: condition::find(&conditions, telemetry),
            telemetry_renewed: condition::renewed(&conditions, telemetry),
        }
    }
}
