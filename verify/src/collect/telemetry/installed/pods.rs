//! The pods of a workload.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::intern::Interner;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::pods::{PodObject, Time, last_termination, owner, restarts};
use crate::collect::status::bounded;
use crate::collect::workloads::Raw;
use crate::evidence::{LeftoverPod, TelemetryPod, WorkloadKind};
use serde::de::Error;

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
            let pod: PodObject = serde_json::from_slice(json)?;
            if pod.is_deleting() || !is_of(&pod, kind, name) {
                return Ok(None);
            }
            read(&pod, container).map(Some)
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

/// Whether the workload controls it.
fn is_of(pod: &PodObject, kind: WorkloadKind, name: &str) -> bool {
    let owner = pod
        .metadata
        .as_ref()
        .and_then(|metadata| owner(metadata, &mut Interner::default()));
    owner.is_some_and(|owner| owner.is_of(kind, name))
}

/// A pod whose phase is `Failed` or `Succeeded` is never started again (`core/v1`, `PodPhase`).
fn read(pod: &PodObject, container: &str) -> Result<Listed, serde_json::Error> {
    let metadata = pod.metadata.as_ref().filter(|metadata| !metadata.name.is_empty());
    let metadata = metadata.ok_or_else(|| Error::missing_field("name"))?;
    let created = metadata.creation_timestamp.and_then(Time::timestamp);
    let created = created.ok_or_else(|| Error::missing_field("creationTimestamp"))?;
    let (name, node) = (metadata.name.clone(), pod.node().map(str::to_owned));
    let status = pod.status();
    if matches!(status.phase.as_str(), "Failed" | "Succeeded") {
        let why = if status.reason.is_empty() {
            &status.phase
        } else {
            &status.reason
        };
        let reason = bounded(why);
        return Ok(Listed::Leftover(LeftoverPod { name, node, reason }));
    }
    let of_container = status.container_statuses.iter().find(|status| status.name == container);
    let running = of_container.and_then(|status| status.state.as_ref()?.running.as_ref());
    let mut conditions = status.conditions.iter();
    let ready = conditions.any(|condition| condition.kind == "Ready" && condition.status == "True");
    Ok(Listed::Live(TelemetryPod {
        name,
        node,
        address: (!status.pod_ip.is_empty()).then(|| status.pod_ip.clone()),
        ready,
        created,
        restarts: Some(restarts(pod)),
        last_termination: last_termination(pod, &mut Interner::default()),
        started: running.and_then(|running| running.started_at?.timestamp()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(kind: &str, owner: &str, status: &str) -> PodObject {
        serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"p","creationTimestamp":"2026-11-22T15:00:00Z",
            "ownerReferences":[{{"kind":"{kind}","name":"{owner}","controller":true}}]}},
            "spec":{{"nodeName":"node1"}},"status":{status}}}"#
        ))
        .unwrap()
    }

    fn live(status: &str, container: &str) -> TelemetryPod {
        match read(&pod("DaemonSet", "fluent-bit", status), container).unwrap() {
            Listed::Live(pod) => pod,
            Listed::Leftover(pod) => panic!("{pod:?}"),
        }
    }

    #[test]
    fn a_pod_belongs_to_its_controller() {
        let is_of = |kind: &str, owner: &str, of: WorkloadKind, name: &str| is_of(&pod(kind, owner, "{}"), of, name);
        assert!(is_of("DaemonSet", "fluent-bit", WorkloadKind::DaemonSet, "fluent-bit"));
        assert!(!is_of(
            "DaemonSet",
            "fluent-bit-2",
            WorkloadKind::DaemonSet,
            "fluent-bit"
        ));
        assert!(!is_of(
            "StatefulSet",
            "fluent-bit",
            WorkloadKind::DaemonSet,
            "fluent-bit"
        ));
        let deployment = WorkloadKind::Deployment;
        assert!(is_of("ReplicaSet", "alloy-operator-6c9f", deployment, "alloy-operator"));
        assert!(!is_of(
            "ReplicaSet",
            "alloy-operator-b-6c9f",
            deployment,
            "alloy-operator"
        ));
    }

    #[test]
    fn what_it_says_of_itself_is_read() {
        let pod = live(
            r#"{"podIP":"10.0.0.7","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c",
            "restartCount":3,"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}"#,
            "fluent-bit",
        );
        assert_eq!(pod.restarts, Some(3));
        assert_eq!(pod.last_termination.as_ref().map(|last| last.exit_code), Some(137));
        assert_eq!(pod.node.as_deref(), Some("node1"));
        assert_eq!(pod.address.as_deref(), Some("10.0.0.7"));
        assert!(pod.ready);
        assert_eq!(pod.started, None);
        let silent = live("{}", "fluent-bit");
        assert_eq!((silent.address, silent.ready), (None, false));
    }

    #[test]
    fn a_pod_without_a_name_or_a_time_is_none() {
        for metadata in [
            r#"{"name":"p"}"#,
            r#"{"creationTimestamp":"2026-11-22T15:00:00Z"}"#,
            "null",
        ] {
            let pod: PodObject = serde_json::from_str(&format!(r#"{{"metadata":{metadata}}}"#)).unwrap();
            assert!(read(&pod, "c").is_err(), "{metadata}");
        }
    }

    #[test]
    fn it_runs_since_its_own_container_was_started() {
        let started = |container: &str| {
            let status = r#"{"containerStatuses":[
                {"name":"config-reloader","state":{"running":{"startedAt":"2026-11-22T15:00:05Z"}}},
                {"name":"alloy","state":{"running":{"startedAt":"2026-11-22T15:20:00Z"}}},
                {"name":"crashed","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#;
            live(status, container).started.map(|started| started.to_string())
        };
        assert_eq!(started("alloy").as_deref(), Some("2026-11-22T15:20:00Z"));
        assert_eq!(started("crashed"), None);
        assert_eq!(started("fluent-bit"), None);
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
            let told = match read(&pod("StatefulSet", "vmagent", status), "vmagent").unwrap() {
                Listed::Leftover(pod) => Some(pod.reason),
                Listed::Live(_) => None,
            };
            assert_eq!(told.as_deref(), reason, "{status}");
        }
    }
}
