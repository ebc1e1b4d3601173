//! Envoy Gateway's controller: its Services, its Deployments, and what its pods could not mount.

use crate::collect::access::Cluster;
use crate::collect::component::{self, Kind};
use crate::collect::get::{Get, METADATA_LIST};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::{self, Lists};
use crate::evidence::{ControllerWorkload, FailedMount, GatewayController, Service, WorkloadKind};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// An Event of the core group, as kubelets write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    involved_object: Involved,
    #[serde(default)]
    message: String,
    last_timestamp: Option<Timestamp>,
    #[serde(rename = "eventTime")]
    at: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: String,
    namespace: String,
    name: String,
}

/// A pod's metadata: its name is all that is kept.
#[derive(Deserialize)]
struct Pod {
    metadata: PodMetadata,
}

#[derive(Deserialize)]
struct PodMetadata {
    name: String,
}

/// Reads it. Needs `list services`, and in the namespaces of the accepted Services `list deployments.apps`, `list events`
/// and `list pods`.
pub(super) async fn collect(cluster: &Cluster<'_>, lists: &Lists) -> Result<GatewayController, Obstacle> {
    let services = component::services(cluster, Kind::EnvoyGateway).await?;
    let accepted: Vec<&Service> = services.iter().filter(|service| service.accepted).collect();
    let namespaces = component::namespaces(&accepted).into_iter();
    let accepted = accepted.as_slice();
    let read = namespaces.map(|namespace| async move {
        tokio::try_join!(
            deployments(cluster, lists, namespace, accepted),
            events(cluster, namespace),
            pending(cluster, namespace)
        )
    });
    let (mut workloads, mut failed_mounts) = (Vec::new(), Vec::new());
    for (deployments, events, pending) in try_join_all(read).await? {
        workloads.extend(deployments);
        failed_mounts.extend(last_of_each_pod(events).map(|mount| FailedMount {
            waits: pending.contains(&mount.pod),
            ..mount
        }));
    }
    workloads.sort_unstable_by(|a: &ControllerWorkload, b| {
        (&a.workload.namespace, &a.workload.name).cmp(&(&b.workload.namespace, &b.workload.name))
    });
    failed_mounts.sort_unstable();
    Ok(GatewayController {
        services,
        workloads,
        failed_mounts,
    })
}

pub(super) fn deployments_request(namespace: &str) -> Get {
    workloads::request(WorkloadKind::Deployment, namespace)
}

pub(super) fn events_request(namespace: &str) -> Get {
    Get::list("", "v1", "events", Some(namespace)).query("fieldSelector", "reason=FailedMount")
}

/// The pods none of whose containers has started, among them those that wait for a volume.
pub(super) fn pending_request(namespace: &str) -> Get {
    let pods = Get::list("", "v1", "pods", Some(namespace));
    pods.query("fieldSelector", "status.phase=Pending")
        .accept(METADATA_LIST)
}

async fn deployments(
    cluster: &Cluster<'_>,
    lists: &Lists,
    namespace: &str,
    services: &[&Service],
) -> Result<Vec<ControllerWorkload>, Obstacle> {
    let (component, kind) = (Kind::EnvoyGateway, WorkloadKind::Deployment);
    let secret = cluster.contract.components.envoy_gateway.own_certificate();
    let selected = workloads::selected(cluster, lists, component, kind, namespace, services).await?;
    let deployments = selected.iter().map(|raw| ControllerWorkload {
        mounts_certificates: raw.needs_secret(secret),
        workload: component.workload(raw, kind, cluster.contract),
    });
    Ok(deployments.collect())
}

async fn events(cluster: &Cluster<'_>, namespace: &str) -> Result<Vec<FailedMount>, Obstacle> {
    let secret = cluster.contract.components.envoy_gateway.own_certificate();
    let new = || Collected::new(|json| Ok(serde_json::from_slice::<Event>(json)?.into_failed_mount(secret)));
    let shape = Shape::objects("EventList");
    Ok(cluster.list(&events_request(namespace), shape, new).await?.items)
}

async fn pending(cluster: &Cluster<'_>, namespace: &str) -> Result<HashSet<String>, Obstacle> {
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<Pod>(json)?.metadata.name)));
    let shape = Shape::objects("PartialObjectMetadataList");
    let pods = cluster.list(&pending_request(namespace), shape, new).await?.items;
    Ok(pods.into_iter().collect())
}

/// The newest complaint of each pod: a kubelet writes a new Event when the message changes.
fn last_of_each_pod(events: Vec<FailedMount>) -> impl Iterator<Item = FailedMount> {
    let mut newest: BTreeMap<(String, String), Option<Timestamp>> = BTreeMap::new();
    for event in events {
        let last = newest.entry((event.namespace, event.pod)).or_default();
        *last = (*last).max(event.last);
    }
    newest.into_iter().map(|((namespace, pod), last)| FailedMount {
        namespace,
        pod,
        last,
        waits: false,
    })
}

impl Event {
    /// What it says, where it is about a pod and that Secret. The kubelet writes `secret "NAME" not found`
    /// (`pkg/volume/secret/secret.go`).
    fn into_failed_mount(self, secret: &str) -> Option<FailedMount> {
        let names_it = self.message.contains(&format!("secret {secret:?}"));
        (names_it && self.involved_object.kind == "Pod").then(|| FailedMount {
            namespace: self.involved_object.namespace,
            pod: self.involved_object.name,
            last: self.last_timestamp.or(self.at),
            waits: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, pod: &str, message: &str, last: &str) -> Option<FailedMount> {
        let value = serde_json::json!({
            "involvedObject": {"kind": kind, "namespace": "n", "name": pod}, "message": message, "lastTimestamp": last,
        });
        serde_json::from_value::<Event>(value)
            .unwrap()
            .into_failed_mount("envoy-gateway")
    }

    #[test]
    fn only_a_pod_s_complaint_about_that_secret_is_one() {
        let time = "2026-11-22T15:00:00Z";
        let missing = r#"MountVolume.SetUp failed for volume "certs" : secret "envoy-gateway" not found"#;
        assert_eq!(event("Pod", "a", missing, time).unwrap().pod, "a");
        assert_eq!(event("Node", "a", missing, time), None);
        assert_eq!(event("Pod", "a", r#"secret "envoy" not found"#, time), None);
        assert_eq!(event("Pod", "a", r#"configmap "envoy-gateway" not found"#, time), None);
        let other = "2026-11-22T15:01:00Z";
        let both = [time, other, time].map(|at| event("Pod", "a", missing, at).unwrap());
        let last: Vec<FailedMount> = last_of_each_pod(both.into()).collect();
        assert_eq!(last.len(), 1);
        assert_eq!(last[0].last, Some(other.parse().unwrap()));
    }
}
