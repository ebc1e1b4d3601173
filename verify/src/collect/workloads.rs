//! Deployments, StatefulSets and DaemonSets: how they are listed, and those that a component's accepted Services select.

use super::access::Cluster;
use super::component::{self, Kind, accepted, namespaces};
use super::flags::Syntax;
use super::get::Get;
use super::list::{Collected, Shape};
use super::obstacle::{Obstacle, observed};
use crate::contract::Contract;
use crate::evidence::{Observed, Service, Workload, WorkloadKind};
use futures::future::join_all;
use std::sync::Arc;

mod lists;
mod raw;
mod read;

pub(super) use self::lists::Lists;
pub(super) use self::raw::{Affinity, ConfigMapVolume, Container, Raw, Volume};

/// Lists those of a component. Needs `list` of the kinds that it is installed as, in the namespaces of the accepted Services.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    lists: &Lists,
    component: Kind,
    services: &Observed<Vec<Service>>,
) -> Observed<Vec<Workload>> {
    let services = match accepted(services, &format!("Services of {}", component.name())) {
        Ok(services) => services,
        Err(behind) => return *behind,
    };
    let services = &services;
    let lists = namespaces(services).into_iter().flat_map(|namespace| {
        let kinds = component.workloads().iter();
        kinds.map(move |kind| async move {
            let selected = selected(cluster, lists, component, *kind, namespace, services).await?;
            let workloads = selected.iter().map(|raw| {
                let own = services.iter().filter(|service| {
                    service.namespace == raw.metadata.namespace && raw.is_selected(&service.selector)
                });
                Workload {
                    services: Some(own.map(|service| service.name.clone()).collect()),
                    ..component.workload(raw, *kind, cluster.contract)
                }
            });
            Ok::<_, Obstacle>(workloads.collect::<Vec<Workload>>())
        })
    });
    // All to their end: another source may wait for one of them.
    let lists: Result<Vec<_>, Obstacle> = join_all(lists).await.into_iter().collect();
    observed(lists.map(|lists| {
        let mut workloads: Vec<Workload> = lists.into_iter().flatten().collect();
        workloads.sort_unstable_by(|a, b| (&a.namespace, &a.name, a.kind).cmp(&(&b.namespace, &b.name, b.kind)));
        workloads
    }))
}

/// Those that run a component in the namespaces where the contract accepts it, by image or arguments, with the Services that
/// select their pods: for a component that its Services did not lead to. What cannot be read is left out, for they only tell
/// more of what is missing. Needs what [`collect`] needs.
pub(super) async fn unfound(cluster: &Cluster<'_>, lists: &Lists, component: Kind) -> Vec<Workload> {
    let mut found = Vec::new();
    for namespace in &component.terms(cluster.contract).namespaces {
        let is_shared = component.shares(namespace, cluster.contract);
        let of_kinds = component.workloads().iter().map(|kind| async move {
            let get = request(*kind, namespace);
            let listed = lists.read(cluster, *kind, &get, |raw| is_shared || component.is_run_by(raw));
            let run = listed.await.unwrap_or_default().into_iter();
            let run = run.filter(|raw| component.is_run_by(raw)).map(|raw| (*kind, raw));
            run.collect::<Vec<_>>()
        });
        let run: Vec<(WorkloadKind, Arc<Raw>)> = join_all(of_kinds).await.into_iter().flatten().collect();
        if run.is_empty() {
            continue;
        }
        let services = component::in_namespace(cluster, component, namespace).await.ok();
        found.extend(run.iter().map(|(kind, raw)| Workload {
            services: services.as_ref().map(|services| {
                let own = services.iter().filter(|service| raw.is_selected(&service.selector));
                own.map(|service| service.name.clone()).collect()
            }),
            ..component.workload(raw, *kind, cluster.contract)
        }));
    }
    found.sort_unstable_by(|a, b| (&a.namespace, &a.name, a.kind).cmp(&(&b.namespace, &b.name, b.kind)));
    found
}

/// Those of a kind and a namespace whose pods one of the Services there selects.
pub(super) async fn selected(
    cluster: &Cluster<'_>,
    lists: &Lists,
    component: Kind,
    kind: WorkloadKind,
    namespace: &str,
    services: &[&Service],
) -> Result<Vec<Arc<Raw>>, Obstacle> {
    let is_selected = |raw: &Raw| {
        (services.iter()).any(|service| service.namespace == namespace && raw.is_selected(&service.selector))
    };
    // What the Services of another component select there is not known yet: its source finds the whole list.
    let is_shared = component.shares(namespace, cluster.contract);
    let get = request(kind, namespace);
    let mut raws = lists
        .read(cluster, kind, &get, |raw| {
            is_shared || is_selected(raw) || component.is_run_by(raw)
        })
        .await?;
    raws.retain(|raw| is_selected(raw));
    Ok(raws)
}

/// The list of a kind in a namespace.
pub(super) fn request(kind: WorkloadKind, namespace: &str) -> Get {
    Get::list("apps", "v1", resource(kind), Some(namespace))
}

/// The list of a kind in the whole cluster, of those that a selector selects.
pub(super) fn selected_request(kind: WorkloadKind, selector: &str) -> Get {
    Get::list("apps", "v1", resource(kind), None).query("labelSelector", selector)
}

/// One of them.
pub(super) fn object_request(kind: WorkloadKind, namespace: &str, name: &str) -> Get {
    Get::namespaced("apps", "v1", resource(kind), namespace, name)
}

/// Reads a list item by item; what is not to be kept is dropped at once.
async fn list(
    cluster: &Cluster<'_>,
    kind: WorkloadKind,
    get: &Get,
    keep: impl Fn(&Raw) -> bool,
) -> Result<Vec<Arc<Raw>>, Obstacle> {
    let shape = Shape::objects(match kind {
        WorkloadKind::Deployment => "DeploymentList",
        WorkloadKind::StatefulSet => "StatefulSetList",
        WorkloadKind::DaemonSet => "DaemonSetList",
    });
    let new = || {
        Collected::new(|json| {
            let raw: Raw = serde_json::from_slice(json)?;
            Ok(keep(&raw).then(|| Arc::new(raw)))
        })
    };
    Ok(cluster.list(get, shape, new).await?.items)
}

fn resource(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Deployment => "deployments",
        WorkloadKind::StatefulSet => "statefulsets",
        WorkloadKind::DaemonSet => "daemonsets",
    }
}

// === impl Kind ===

impl Kind {
    /// The kinds of workload that it is installed as. kube-state-metrics is sharded by node in a DaemonSet.
    pub(super) fn workloads(self) -> &'static [WorkloadKind] {
        match self {
            Self::MetricsServer => &[WorkloadKind::Deployment, WorkloadKind::StatefulSet],
            Self::StateMetrics => &[
                WorkloadKind::Deployment,
                WorkloadKind::StatefulSet,
                WorkloadKind::DaemonSet,
            ],
            Self::EnvoyGateway => &[WorkloadKind::Deployment],
        }
    }

    /// A workload of it as evidence has it. Its own container is the one whose image is called as it is. A mirror or a rebuild
    /// may be called otherwise: then the one that is itself called so, else one that is given a flag of the component's.
    pub(super) fn workload(self, raw: &Raw, kind: WorkloadKind, contract: &Contract) -> Workload {
        let flags = &self.terms(contract).flags;
        let has_flag = |container: &&Container| !raw.flags(container, flags, Syntax::Pflag).values.is_empty();
        let container = (raw.container_by(|container| container.image_name().contains(self.name())))
            .or_else(|| raw.container_by(|container| container.name == self.name()))
            .or_else(|| raw.container_by(|container| has_flag(&container)))
            .or_else(|| raw.container_by(|_| true));
        let flags = container.map(|container| raw.flags(container, &self.terms(contract).flags, Syntax::Pflag));
        raw.workload(kind, container, flags.unwrap_or_default())
    }

    /// Whether a workload runs it: by the image of a container, by a container's name, or by a flag that only it has. The image of a
    /// mirror may be called otherwise.
    pub(super) fn is_run_by(self, raw: &Raw) -> bool {
        const ONLY_OF_STATE_METRICS: &str = "--metric-labels-allowlist";
        let has_flag = |container: &Container| {
            self == Self::StateMetrics
                && container.line().any(|argument| {
                    let rest = argument.strip_prefix(ONLY_OF_STATE_METRICS);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
                })
        };
        let is_own = |container: &Container| {
            container.image_name() == self.name() || container.name == self.name() || has_flag(container)
        };
        raw.container_by(is_own).is_some()
    }

    /// Whether the contract accepts another component in that namespace too.
    fn shares(self, namespace: &str, contract: &Contract) -> bool {
        let others = Self::ALL.into_iter().filter(|other| *other != self);
        others
            .flat_map(|other| &other.terms(contract).namespaces)
            .any(|accepted| accepted == namespace)
    }
}

#[cfg(test)]
mod tests;
