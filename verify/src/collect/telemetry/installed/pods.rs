//! The pods of a workload.

use crate::collect::access::Cluster;
use crate::collect::condition::{self, RawCondition};
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::Raw;
use crate::evidence::{TelemetryPod, WorkloadKind};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
struct RawPod {
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
    creation_timestamp: Timestamp,
    deletion_timestamp: Option<IgnoredAny>,
    owner_references: Option<Vec<Owner>>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    conditions: Option<Vec<RawCondition>>,
}

/// Lists them, sorted by name: those that its selector selects and that it controls. Needs `list pods`.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    kind: WorkloadKind,
    workload: &Raw,
) -> Result<Vec<TelemetryPod>, Obstacle> {
    let namespace = &workload.metadata.namespace;
    let get = Get::list("", "v1", "pods", Some(namespace)).query("labelSelector", &workload.selector());
    let name = &workload.metadata.name;
    let new = || {
        Collected::new(|json| {
            let raw: RawPod = serde_json::from_slice(json)?;
            Ok((raw.metadata.deletion_timestamp.is_none() && raw.is_of(kind, name)).then(|| raw.into_pod()))
        })
    };
    let mut pods = cluster.list(&get, Shape::objects("PodList"), new).await?.items;
    pods.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(pods)
}

/// What it takes: the pods of any namespace, for that is where the contract accepts a collector.
pub(super) fn request() -> Get {
    Get::list("", "v1", "pods", None)
}

impl RawPod {
    /// Whether the workload controls it. A Deployment's pods are controlled by its ReplicaSets, `NAME-HASH`.
    fn is_of(&self, kind: WorkloadKind, name: &str) -> bool {
        let mut owners = self.metadata.owner_references.iter().flatten();
        owners.any(|owner| {
            owner.controller
                && match kind {
                    WorkloadKind::Deployment => {
                        owner.kind == "ReplicaSet" && owner.name.rsplit_once('-').is_some_and(|(of, _)| of == name)
                    }
                    _ => owner.kind == kind.to_string() && owner.name == name,
                }
        })
    }

    fn into_pod(self) -> TelemetryPod {
        let ready = condition::find(self.status.conditions.as_deref().unwrap_or_default(), "Ready");
        TelemetryPod {
            name: self.metadata.name,
            node: self.spec.node_name,
            address: self.status.pod_ip,
            ready: ready.is_some_and(|ready| ready.is_true()),
            created: self.metadata.creation_timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(kind: &str, owner: &str) -> RawPod {
        serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"p","creationTimestamp":"2026-11-22T15:00:00Z",
            "ownerReferences":[{{"kind":"{kind}","name":"{owner}","controller":true}}]}},
            "spec":{{"nodeName":"node1"}},"status":{{"podIP":"10.0.0.7","conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_pod_belongs_to_its_controller() {
        assert!(pod("DaemonSet", "fluent-bit").is_of(WorkloadKind::DaemonSet, "fluent-bit"));
        assert!(!pod("DaemonSet", "fluent-bit-2").is_of(WorkloadKind::DaemonSet, "fluent-bit"));
        assert!(!pod("StatefulSet", "fluent-bit").is_of(WorkloadKind::DaemonSet, "fluent-bit"));
        assert!(pod("ReplicaSet", "alloy-operator-6c9f").is_of(WorkloadKind::Deployment, "alloy-operator"));
        assert!(!pod("ReplicaSet", "alloy-operator-b-6c9f").is_of(WorkloadKind::Deployment, "alloy-operator"));
        let pod = pod("DaemonSet", "fluent-bit").into_pod();
        assert_eq!(pod.node.as_deref(), Some("node1"));
        assert_eq!(pod.address.as_deref(), Some("10.0.0.7"));
        assert!(pod.ready);
    }
}
