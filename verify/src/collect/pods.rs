//! Pods, as the API server gives them cheapest: the whole list at once, in protobuf.
//!
//! An API server of 1.31 or later serves a list without pages from its cache, and no older than the request; with pages, before
//! 1.34, each but the first is read from etcd. Protobuf is half of JSON's bytes and a fifth of its work.
//! Sources: <https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list>,
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding>.

use super::access::Cluster;
use super::component::Kind;
use super::get::Get;
use super::intern::Interner;
use super::items::Reduce;
use super::obstacle::Obstacle;
use super::protobuf::ReduceMessages;
use crate::contract::Contract;
use crate::evidence::{Owner, Pod, Termination, WaitingContainer};
use std::collections::{BTreeSet, HashMap, HashSet};

mod object;
mod printed;

use self::object::{ContainerStatus, Metadata, State};
pub(super) use self::object::{PodObject, Time};
use self::printed::Printed;

/// What the items are reduced to.
struct Pods<'a> {
    label_keys: &'a [String],
    /// The namespaces where components of the contract stand.
    components: &'a BTreeSet<&'a str>,
    interner: Interner,
    read: Vec<Pod>,
}

/// Which of some UIDs there are.
struct Listed<'a> {
    uids: &'a HashSet<&'a str>,
    /// Each, and whether it is being deleted.
    found: HashMap<Box<str>, bool>,
}

/// Lists all pods, sorted by namespace and name. Needs `list pods`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Pod>, Obstacle> {
    let label_keys = cluster.contract.label_keys();
    let components = component_namespaces(cluster.contract);
    let pods = Pods {
        label_keys: &label_keys,
        components: &components,
        interner: Interner::default(),
        read: Vec::new(),
    };
    let mut pods = cluster.whole_list(&request(), "PodList", pods).await?.read;
    pods.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    pods.shrink_to_fit();
    Ok(pods)
}

/// Lists all pods once more, and says which of these UIDs there are, and whether each is being deleted.
pub(super) async fn listed(cluster: &Cluster<'_>, uids: &HashSet<&str>) -> Result<HashMap<Box<str>, bool>, Obstacle> {
    let listed = Listed {
        uids,
        found: HashMap::new(),
    };
    Ok(cluster.whole_list(&request(), "PodList", listed).await?.found)
}

pub(super) fn request() -> Get {
    Get::list("", "v1", "pods", None)
}

/// The namespaces in which the contract accepts its components.
fn component_namespaces(contract: &Contract) -> BTreeSet<&str> {
    let components = &contract.components;
    let found_by_service = Kind::ALL.into_iter().flat_map(|kind| &kind.terms(contract).namespaces);
    let collectors = [&components.fluent_bit, &components.vmagent, &components.alloy];
    let collectors = collectors.into_iter().flat_map(|terms| &terms.namespaces);
    let own = std::iter::once(&components.shuttle.namespace);
    found_by_service
        .chain(collectors)
        .chain(own)
        .map(String::as_str)
        .collect()
}

// === impl Listed ===

impl Reduce for Listed<'_> {
    fn item(&mut self, json: &[u8]) -> Result<(), String> {
        self.read(&PodObject::of_json(json)?);
        Ok(())
    }
}

impl ReduceMessages for Listed<'_> {
    fn message(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.read(&PodObject::of_protobuf(bytes)?);
        Ok(())
    }
}

impl Listed<'_> {
    fn read(&mut self, pod: &PodObject) {
        let uid = pod.metadata.as_ref().map(|metadata| metadata.uid.as_str());
        if let Some(uid) = uid.filter(|uid| self.uids.contains(uid)) {
            self.found.insert(uid.into(), pod.is_deleting());
        }
    }
}

// === impl Pods ===

impl Reduce for Pods<'_> {
    fn item(&mut self, json: &[u8]) -> Result<(), String> {
        self.read(&PodObject::of_json(json)?)
    }
}

impl ReduceMessages for Pods<'_> {
    fn message(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.read(&PodObject::of_protobuf(bytes)?)
    }
}

impl Pods<'_> {
    fn read(&mut self, pod: &PodObject) -> Result<(), String> {
        let metadata = pod.metadata.as_ref().ok_or("a pod has no metadata")?;
        for (field, value) in [
            ("name", &metadata.name),
            ("namespace", &metadata.namespace),
            ("UID", &metadata.uid),
        ] {
            if value.is_empty() {
                return Err(format!("a pod has no {field}"));
            }
        }
        let created = metadata.creation_timestamp.and_then(Time::timestamp);
        let created = created.ok_or("a pod does not say when it was created")?;
        let printed = Printed::of(pod);
        let interner = &mut self.interner;
        let containers = if self.components.contains(metadata.namespace.as_str()) {
            pod.containers().0
        } else {
            &[]
        };
        let pod = Pod {
            namespace: interner.share(&metadata.namespace),
            name: metadata.name.as_str().into(),
            uid: metadata.uid.as_str().into(),
            created,
            deleting: pod.is_deleting(),
            status: interner.share(&printed.status),
            ready: printed.ready,
            containers: printed.containers,
            restarts: printed.restarts,
            started: present_start(pod),
            node: pod.node().map(|node| interner.share(node)),
            runtime_class: pod.runtime_class().map(|class| interner.share(class)),
            owner: owner(metadata, interner),
            images: (containers.iter())
                .map(|container| interner.share(&container.image))
                .collect(),
            last_termination: last_termination(pod, interner).map(Box::new),
            waits: waits(pod, interner).map(Box::new),
            labels: (self.label_keys.iter())
                .map(|key| metadata.labels.get(key).map(|value| interner.share(value)))
                .collect(),
        };
        self.read.push(pod);
        Ok(())
    }
}

/// How often its containers were started again, as the API server prints it.
pub(super) fn restarts(pod: &PodObject) -> u32 {
    Printed::of(pod).restarts
}

/// When the last of the containers that run was started. That a pod runs for long says nothing of one that crashed since.
fn present_start(pod: &PodObject) -> Option<jiff::Timestamp> {
    let states = statuses(pod).filter_map(|container| container.state.as_ref());
    let running = states.filter_map(|state| state.running.as_ref());
    let starts: Option<Vec<jiff::Timestamp>> = running.map(|running| running.started_at?.timestamp()).collect();
    starts?.into_iter().max()
}

/// What controls it.
pub(super) fn owner(metadata: &Metadata, interner: &mut Interner) -> Option<Owner> {
    let owner = metadata.owner_references.iter().find(|owner| owner.controller)?;
    Some(Owner {
        kind: interner.share(&owner.kind),
        name: interner.share(&owner.name),
    })
}

/// The last end of any container: of one that has ended, or of one that was started again since.
pub(super) fn last_termination(pod: &PodObject, interner: &mut Interner) -> Option<Termination> {
    let ends = statuses(pod).flat_map(|container| {
        let states = [&container.state, &container.last_state].into_iter().flatten();
        states.filter_map(move |state| Some((container, state.terminated.as_ref()?)))
    });
    let finished = |time: Option<Time>| time.and_then(Time::timestamp);
    let (container, ended) = ends.max_by_key(|(_, ended)| finished(ended.finished_at))?;
    Some(Termination {
        container: interner.share(&container.name),
        reason: interner.share(&ended.reason),
        exit_code: ended.exit_code,
        finished: finished(ended.finished_at),
    })
}

fn waits(pod: &PodObject, interner: &mut Interner) -> Option<WaitingContainer> {
    let (container, reason) = statuses(pod).find_map(|container| {
        let reason = container.state.as_ref().and_then(State::reason_to_wait)?;
        Some((container, reason))
    })?;
    Some(WaitingContainer {
        container: interner.share(&container.name),
        reason: interner.share(reason),
    })
}

/// Those of its init containers and its containers, in this order.
fn statuses(pod: &PodObject) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status();
    status.init_container_statuses.iter().chain(&status.container_statuses)
}

#[cfg(test)]
mod tests;
