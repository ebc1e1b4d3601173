//! Deployments, StatefulSets and DaemonSets: how they are listed, and those that a component's accepted Services select.

use super::access::Cluster;
use super::component::{Kind, accepted, namespaces};
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
        .read(cluster, kind, &get, |raw| is_shared || is_selected(raw))
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
