//! Nodes.

use super::access::Cluster;
use super::condition::{self, RawCondition};
use super::get::Get;
use super::intern::Interner;
use super::list::{Collected, Shape};
use super::obstacle::Obstacle;
use crate::evidence::{Node, NodeCondition, Taint};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The label that workloads select one node by: of some providers it is an address (`k8s.io/api/core/v1`, well-known labels).
const HOSTNAME: &str = "kubernetes.io/hostname";
/// The label that names a node's region (`k8s.io/api/core/v1`, well-known labels).
const REGION: &str = "topology.kubernetes.io/region";
/// The label that names a node's pool on DOKS.
const POOL: &str = "doks.digitalocean.com/node-pool";
/// The conditions that are bad where they are true (`k8s.io/api/core/v1`, `NodeConditionType`).
const PRESSURES: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

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
    deletion_timestamp: Option<Timestamp>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
struct Spec {
    #[serde(rename = "providerID")]
    provider_id: Option<String>,
    #[serde(default)]
    unschedulable: bool,
    taints: Option<Vec<Taint>>,
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
    #[serde(default)]
    operating_system: String,
}

/// Lists them, sorted by name. Needs `list nodes`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Node>, Obstacle> {
    let telemetry = &cluster.contract.components.shuttle.node_condition;
    let new = || {
        // A pool's nodes have the same labels.
        let mut interner = Interner::default();
        Collected::new(move |json| {
            let raw: RawNode = serde_json::from_slice(json)?;
            Ok(Some(raw.into_node(telemetry, &mut interner)))
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
    fn into_node(self, telemetry: &str, interner: &mut Interner) -> Node {
        let labels = self.metadata.labels.unwrap_or_default();
        let system = self.status.node_info.operating_system;
        let conditions = self.status.conditions.unwrap_or_default();
        let port = self.status.daemon_endpoints.kubelet_endpoint.port;
        Node {
            name: self.metadata.name,
            created: self.metadata.creation_timestamp,
            ready: condition::find(&conditions, "Ready"),
            // `digitalocean://123`: the scheme is all that is said of it.
            provider: (self.spec.provider_id).and_then(|id| id.split_once("://").map(|(scheme, _)| scheme.to_owned())),
            region: labels.get(REGION).cloned(),
            pool: labels.get(POOL).cloned(),
            unschedulable: self.spec.unschedulable,
            kubelet: self.status.node_info.kubelet_version,
            // The first is the one that the API server takes too (`pkg/util/node`, `GetPreferredNodeAddress`).
            address: (self.status.addresses.unwrap_or_default().into_iter())
                .find_map(|address| (address.kind == "InternalIP").then_some(address.address)),
            // "0" is how a kubelet that serves nothing writes it.
            kubelet_port: (port != 0).then_some(port),
            telemetry: condition::find(&conditions, telemetry),
            telemetry_renewed: condition::renewed(&conditions, telemetry),
            taints: Some(self.spec.taints.unwrap_or_default()),
            pressures: Some(conditions.iter().filter_map(pressure).collect()),
            deleting: Some(self.metadata.deletion_timestamp.is_some()),
            operating_system: (!system.is_empty()).then(|| interner.share(&system)),
            labels: Some(
                (labels.iter())
                    .filter(|(key, value)| key.as_str() == HOSTNAME || value.parse::<IpAddr>().is_err())
                    .map(|(key, value)| (interner.share(key), interner.share(value)))
                    .collect(),
            ),
        }
    }
}

fn pressure(condition: &RawCondition) -> Option<NodeCondition> {
    PRESSURES.contains(&condition.kind.as_str()).then(|| NodeCondition {
        kind: condition.kind.clone(),
        status: condition.status.clone(),
        since: condition.last_transition_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_what_keeps_pods_off_it_and_since_when() {
        let raw: RawNode = serde_json::from_str(
            r#"{"metadata":{"name":"n","creationTimestamp":"2026-11-22T15:00:00Z","deletionTimestamp":"2026-11-22T16:00:00Z"},
                "spec":{"unschedulable":true,"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule",
                "timeAdded":"2026-11-22T15:59:00Z"},{"key":"dedicated","value":"gpu","effect":"NoExecute"}]},
                "status":{"conditions":[{"type":"DiskPressure","status":"True","lastTransitionTime":"2026-11-22T15:30:00Z"},
                {"type":"Ready","status":"True","lastTransitionTime":"2026-11-22T15:01:00Z"},
                {"type":"KernelDeadlock","status":"False"},{"type":"NetworkUnavailable","status":"Unknown"}]}}"#,
        )
        .unwrap();
        let node = raw.into_node("StarformTelemetryReady", &mut Interner::default());
        let taints: Vec<(String, String, String)> = (node.taints.unwrap().into_iter())
            .map(|taint| (taint.key, taint.value, taint.effect))
            .collect();
        let taint = |key: &str, value: &str, effect: &str| (key.to_owned(), value.to_owned(), effect.to_owned());
        assert_eq!(
            taints,
            [
                taint("node.kubernetes.io/unschedulable", "", "NoSchedule"),
                taint("dedicated", "gpu", "NoExecute")
            ]
        );
        let pressures: Vec<(String, String, Option<String>)> = (node.pressures.unwrap().into_iter())
            .map(|pressure| {
                (
                    pressure.kind,
                    pressure.status,
                    pressure.since.map(|since| since.to_string()),
                )
            })
            .collect();
        let since = Some("2026-11-22T15:30:00Z".to_owned());
        assert_eq!(
            pressures,
            [
                ("DiskPressure".to_owned(), "True".to_owned(), since),
                ("NetworkUnavailable".to_owned(), "Unknown".to_owned(), None)
            ]
        );
        assert_eq!((node.unschedulable, node.deleting), (true, Some(true)));
    }

    #[test]
    fn a_node_without_any_has_seen_none() {
        let raw: RawNode = serde_json::from_str(r#"{"metadata":{"name":"n"}}"#).unwrap();
        let node = raw.into_node("StarformTelemetryReady", &mut Interner::default());
        assert_eq!(
            (node.taints, node.pressures, node.deleting),
            (Some(Vec::new()), Some(Vec::new()), Some(false))
        );
        assert_eq!((node.labels, node.operating_system), (Some(BTreeMap::new()), None));
        let labelled = r#"{"metadata":{"name":"n","labels":{"pool":"gpu","example.com/address":"203.0.113.7","example.com/v6":"2001:db8::7"}},"status":{"nodeInfo":{"operatingSystem":"linux"}}}"#;
        let raw: RawNode = serde_json::from_str(labelled).unwrap();
        let node = raw.into_node("StarformTelemetryReady", &mut Interner::default());
        assert_eq!(
            (node.labels, node.operating_system.as_deref()),
            (Some([("pool".into(), "gpu".into())].into()), Some("linux"))
        );
    }
}
