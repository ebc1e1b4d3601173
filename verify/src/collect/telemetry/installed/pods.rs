//! The pods of a workload.

use crate::collect::access::Cluster;
use crate::collect::condition::{self, RawCondition};
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::pods::Restarts;
use crate::collect::status::bounded;
use crate::collect::workloads::Raw;
use crate::evidence::{LeftoverPod, TelemetryPod, WorkloadKind};
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
    #[serde(default)]
    phase: String,
    reason: Option<String>,
    container_statuses: Option<Vec<RawContainer>>,
}

#[derive(Deserialize)]
struct RawContainer {
    name: String,
    #[serde(default)]
    state: RawState,
}

#[derive(Default, Deserialize)]
struct RawState {
    running: Option<RawRunning>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRunning {
    started_at: Option<Timestamp>,
}

/// The pods of a workload.
pub(super) struct Pods {
    /// Those that run, or are to, sorted by name.
    pub(super) live: Vec<TelemetryPod>,
    /// Those that have ended for good, sorted by name. They have no page, whatever address they still show.
    pub(super) leftovers: Vec<LeftoverPod>,
}

/// One of them.
enum Listed {
    Live(TelemetryPod),
    Leftover(LeftoverPod),
}

/// Lists them: those that its selector selects and that it controls. `container` is the one that is the program. Needs
/// `list pods`.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    kind: WorkloadKind,
    workload: &Raw,
    container: &str,
) -> Result<Pods, Obstacle> {
    let namespace = &workload.metadata.namespace;
    let get = Get::list("", "v1", "pods", Some(namespace)).query("labelSelector", &workload.selector());
    let name = &workload.metadata.name;
    let new = || {
        Collected::new(|json| {
            let raw: RawPod = serde_json::from_slice(json)?;
            if raw.metadata.deletion_timestamp.is_some() || !raw.is_of(kind, name) {
                return Ok(None);
            }
            Ok(Some(raw.into_listed(container, Restarts::of_json(json)?)))
        })
    };
    let listed = cluster.list(&get, Shape::objects("PodList"), new).await?.items;
    let (mut live, mut leftovers) = (Vec::new(), Vec::new());
    for pod in listed {
        match pod {
            Listed::Live(pod) => live.push(pod),
            Listed::Leftover(pod) => leftovers.push(pod),
        }
    }
    live.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    leftovers.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(Pods { live, leftovers })
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

    /// A pod whose phase is one of these two is never started again (`core/v1`, `PodPhase`).
    fn into_listed(self, container: &str, restarts: Restarts) -> Listed {
        if matches!(self.status.phase.as_str(), "Failed" | "Succeeded") {
            let why = self.status.reason.filter(|reason| !reason.is_empty());
            return Listed::Leftover(LeftoverPod {
                name: self.metadata.name,
                node: self.spec.node_name,
                reason: why.map_or(self.status.phase, |why| bounded(&why)),
            });
        }
        Listed::Live(self.into_pod(container, restarts))
    }

    fn into_pod(self, container: &str, restarts: Restarts) -> TelemetryPod {
        let mut statuses = self.status.container_statuses.iter().flatten();
        let running = statuses.find(|status| status.name == container);
        let running = running.and_then(|status| status.state.running.as_ref());
        let ready = condition::find(self.status.conditions.as_deref().unwrap_or_default(), "Ready");
        TelemetryPod {
            name: self.metadata.name,
            node: self.spec.node_name,
            address: self.status.pod_ip,
            ready: ready.is_some_and(|ready| ready.is_true()),
            created: self.metadata.creation_timestamp,
            restarts: Some(restarts.number),
            last_termination: restarts.last,
            started: running.and_then(|running| running.started_at),
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
        let ended = r#"{"status":{"containerStatuses":[{"name":"c","restartCount":3,
            "lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}}"#;
        let pod = pod("DaemonSet", "fluent-bit").into_pod("fluent-bit", Restarts::of_json(ended.as_bytes()).unwrap());
        assert_eq!(pod.restarts, Some(3));
        assert_eq!(pod.last_termination.as_ref().map(|last| last.exit_code), Some(137));
        assert_eq!(pod.node.as_deref(), Some("node1"));
        assert_eq!(pod.address.as_deref(), Some("10.0.0.7"));
        assert!(pod.ready);
        assert_eq!(pod.started, None);
    }

    #[test]
    fn it_runs_since_its_own_container_was_started() {
        let pod = |container: &str| {
            let raw: RawPod = serde_json::from_str(
                r#"{"metadata":{"name":"p","creationTimestamp":"2026-11-22T15:00:00Z"},"status":{"containerStatuses":[
                {"name":"config-reloader","state":{"running":{"startedAt":"2026-11-22T15:00:05Z"}}},
                {"name":"alloy","state":{"running":{"startedAt":"2026-11-22T15:20:00Z"}}},
                {"name":"crashed","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}"#,
            )
            .unwrap();
            raw.into_pod(container, Restarts::of_json(b"{}").unwrap())
                .started
                .map(|started| started.to_string())
        };
        assert_eq!(pod("alloy").as_deref(), Some("2026-11-22T15:20:00Z"));
        assert_eq!(pod("crashed"), None);
        assert_eq!(pod("fluent-bit"), None);
    }

    #[test]
    fn a_pod_that_has_ended_for_good_is_left_over() {
        for (status, reason) in [
            (
                r#"{"phase":"Failed","reason":"Evicted","podIP":"10.0.0.8"}"#,
                Some("Evicted"),
            ),
            (r#"{"phase":"Failed"}"#, Some("Failed")),
            (r#"{"phase":"Succeeded"}"#, Some("Succeeded")),
            (r#"{"phase":"Pending","reason":"Unschedulable"}"#, None),
            (r#"{"phase":"Running"}"#, None),
        ] {
            let mut pod = pod("StatefulSet", "vmagent");
            pod.status = serde_json::from_str(status).unwrap();
            let listed = pod.into_listed("vmagent", Restarts::of_json(b"{}").unwrap());
            let told = match listed {
                Listed::Leftover(pod) => Some(pod.reason),
                Listed::Live(_) => None,
            };
            assert_eq!(told.as_deref(), reason, "{status}");
        }
    }
}
