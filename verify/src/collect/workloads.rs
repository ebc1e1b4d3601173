//! The Deployments and StatefulSets that a component's accepted Services select.

use super::access::Cluster;
use super::component::{Kind, accepted, namespaces};
use super::get::Get;
use super::list::{Collected, Shape};
use super::obstacle::{Obstacle, observed};
use crate::evidence::{Observed, Service, Workload, WorkloadKind};
use futures::future::try_join_all;

mod raw;

pub(super) use self::raw::Raw;

/// The two kinds, with the names of their resource and of their list.
const KINDS: [(WorkloadKind, &str, &str); 2] = [
    (WorkloadKind::Deployment, "deployments", "DeploymentList"),
    (WorkloadKind::StatefulSet, "statefulsets", "StatefulSetList"),
];

/// Lists them. Needs `list deployments.apps` and `list statefulsets.apps` in the namespaces of the accepted Services.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    kind: Kind,
    services: &Observed<Vec<Service>>,
) -> Observed<Vec<Workload>> {
    let services = match accepted(services, &format!("Services of {}", kind.name())) {
        Ok(services) => services,
        Err(behind) => return *behind,
    };
    let services = &services;
    let lists = namespaces(services).into_iter().flat_map(|namespace| {
        KINDS.map(|(workload, resource, list)| async move {
            let get = request(resource, namespace);
            let new = || {
                Collected::new(|json| {
                    let raw: Raw = serde_json::from_slice(json)?;
                    let selected = (services.iter())
                        .any(|service| service.namespace == namespace && raw.is_selected(&service.selector));
                    Ok(selected.then(|| raw.into_workload(workload, kind, cluster.contract)))
                })
            };
            let items = cluster.list(&get, Shape::objects(list), new).await?.items;
            Ok::<_, Obstacle>(items)
        })
    });
    observed(try_join_all(lists).await.map(|lists| {
        let mut workloads: Vec<Workload> = lists.into_iter().flatten().collect();
        workloads.sort_unstable_by(|a, b| (&a.namespace, &a.name, a.kind).cmp(&(&b.namespace, &b.name, b.kind)));
        workloads
    }))
}

pub(super) fn request(resource: &str, namespace: &str) -> Get {
    Get::list("apps", "v1", resource, Some(namespace))
}

/// The resources that are listed.
pub(super) fn resources() -> impl Iterator<Item = &'static str> {
    KINDS.into_iter().map(|(_, resource, _)| resource)
}
