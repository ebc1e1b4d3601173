//! What evidence takes of a workload.

use super::raw::{Container, Raw};
use crate::collect::condition;
use crate::collect::flags::Flags;
use crate::collect::last_change::last_change_of_spec;
use crate::contract::parse_version;
use crate::evidence::{ContainerImage, Placement, Rollout, Workload, WorkloadKind};

/// The node label of its operating system.
const OPERATING_SYSTEM: &str = "kubernetes.io/os";
/// The conditions that tell how a rollout stands.
const CONDITIONS: [&str; 3] = ["Progressing", "Available", "ReplicaFailure"];

/// How many pods there are of each sort.
struct Counts {
    desired: u32,
    ready: u32,
    updated: u32,
    available: u32,
}

// === impl Raw ===

impl Raw {
    /// A workload as evidence has it, with these flags of the container that is the program.
    pub(in crate::collect) fn workload(
        &self,
        kind: WorkloadKind,
        container: Option<&Container>,
        flags: Flags,
    ) -> Workload {
        let counts = self.counts(kind);
        let metadata = &self.metadata;
        let label = metadata.labels.as_ref().and_then(|labels| labels.version.as_deref());
        let annotations = metadata.annotations.as_ref();
        Workload {
            kind,
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            desired: counts.desired,
            ready: counts.ready,
            updated: counts.updated,
            available: Some(counts.available),
            observed: self.status.observed_generation >= metadata.generation,
            image: container.map(|container| container.image.clone()).unwrap_or_default(),
            version: container.and_then(version).or_else(|| label.map(without_v)),
            release: annotations.and_then(|annotations| name_of_helm(annotations.release.as_ref())),
            release_namespace: annotations.and_then(|annotations| name_of_helm(annotations.release_namespace.as_ref())),
            keeper: self.keeper(),
            own_command: container.and_then(|container| container.own_command(&flags)),
            flags: flags.values,
            unread_flags: flags.unread,
            unread_arguments: flags.unread_arguments,
            trouble: condition::trouble(self.status.conditions.as_deref().unwrap_or_default()),
            selector: Some(self.selector()),
            placement: Some(self.placement()),
            containers: Some(self.containers()),
            services: None,
            owners: Some(metadata.owner_references.clone().unwrap_or_default()),
            rollout: Some(self.rollout()),
            last_change: last_change_of_spec(metadata.managed_fields.as_deref().unwrap_or_default()),
        }
    }

    fn counts(&self, kind: WorkloadKind) -> Counts {
        let status = &self.status;
        match kind {
            WorkloadKind::DaemonSet => Counts {
                desired: status.desired_number_scheduled,
                ready: status.number_ready,
                updated: status.updated_number_scheduled,
                available: status.number_available,
            },
            WorkloadKind::Deployment | WorkloadKind::StatefulSet => Counts {
                // "Defaults to 1" (`apps/v1` types); the API server fills it in.
                desired: self.spec.replicas.unwrap_or(1),
                ready: status.ready_replicas,
                updated: status.updated_replicas,
                available: status.available_replicas,
            },
        }
    }

    fn placement(&self) -> Placement {
        let pod = self.pod();
        let node_selector = pod.node_selector.clone().unwrap_or_default();
        let by_label = || node_selector.get(OPERATING_SYSTEM).cloned();
        Placement {
            required: pod.affinity.required(),
            tolerations: pod.tolerations.clone().unwrap_or_default(),
            operating_system: pod.os.name.clone().or_else(by_label),
            node_selector,
        }
    }

    fn containers(&self) -> Vec<ContainerImage> {
        let pod = self.pod();
        let of = |container: &Container, init| ContainerImage {
            name: container.name.clone(),
            image: container.image.clone(),
            init,
        };
        let init = pod
            .init_containers
            .iter()
            .flatten()
            .map(|container| of(container, true));
        init.chain(pod.containers.iter().map(|container| of(container, false)))
            .collect()
    }

    fn rollout(&self) -> Rollout {
        let status = &self.status;
        let conditions = status.conditions.iter().flatten();
        let conditions = conditions.filter(|condition| CONDITIONS.contains(&condition.kind.as_str()));
        let by_annotation = || self.metadata.annotations.as_ref()?.revision.clone();
        Rollout {
            revision: status.update_revision.clone().or_else(by_annotation),
            whole_revision: status.current_revision.clone(),
            progress_deadline_seconds: self.spec.progress_deadline_seconds,
            conditions: conditions.map(condition::of_rollout).collect(),
        }
    }
}

/// A name that Helm could have written: anything else is no release's, and is neither shown nor typed. Source: helm v3 and v4,
/// `pkg/chartutil/validate_name.go`.
fn name_of_helm(name: Option<&String>) -> Option<String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.filter(|name| name.len() <= 63 && name.chars().all(is_inner))
        .filter(|name| is_end(name.chars().next()) && is_end(name.chars().last()))
        .cloned()
}

/// The image's tag as a version.
pub(super) fn version(container: &Container) -> Option<String> {
    let name = container.image.rsplit('/').next()?.split('@').next()?;
    let (_, tag) = name.split_once(':')?;
    parse_version(tag)?;
    Some(without_v(tag))
}

fn without_v(version: &str) -> String {
    version.strip_prefix('v').unwrap_or(version).to_owned()
}
