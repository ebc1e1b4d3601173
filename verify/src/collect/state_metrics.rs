//! The scrape of kube-state-metrics: `kube_pod_labels`, from every shard.
//!
//! Outside the cluster it goes through the API server's proxy, to the Service by name, or to each pod where the
//! component is sharded. Inside it goes to the endpoint's address in plain HTTP, with no credential at all.
//! Only Services in accepted namespaces are scraped: a tenant's own must not steer the verdict. Nor is what has no row of every
//! pod by its arguments: one of custom resources, or of some namespaces, beside the one that shows all.

use super::access::Cluster;
use super::component::accepted;
use super::get::Get;
use super::obstacle::{Obstacle, unknown};
use crate::evidence::{
    Component, Endpoint, Members, Observed, Reason, Scrape, Service, Unknown, Vantage, Workload, is_sharded,
};
use futures::future::{join_all, try_join_all};
use std::collections::HashSet;

mod rows;

/// What one scrape is addressed to.
struct Target<'a> {
    service: &'a Service,
    pod: Option<&'a str>,
    /// Where to send it; `Err` is why it cannot be sent.
    get: Result<Get, (Reason, &'static str)>,
}

/// Scrapes every target. Needs `get services/proxy NAME:PORT` in the Services' namespaces; where kube-state-metrics is
/// sharded, `get pods/proxy` of its pods. Inside the cluster it needs nothing.
pub(super) async fn collect(cluster: &Cluster<'_>, component: &Component) -> Observed<Vec<Scrape>> {
    match all_targets(cluster, component) {
        Ok(targets) => {
            let scrapes = targets.into_iter().map(|target| scrape(cluster, target));
            Observed::Seen(join_all(scrapes).await)
        }
        Err(behind) => *behind,
    }
}

/// Scrapes every target once more, and says of which of these UIDs there is a row.
pub(super) async fn rows_of(
    cluster: &Cluster<'_>,
    component: &Component,
    uids: HashSet<Box<str>>,
) -> Result<HashSet<Box<str>>, Obstacle> {
    let targets = all_targets::<()>(cluster, component).unwrap_or_default();
    let uids = &uids;
    let found = targets.iter().map(|target| async move {
        match &target.get {
            Ok(get) => rows::with_uids(cluster, get, uids).await,
            Err((reason, why)) => Err(target.cannot_be_asked(*reason, why).into()),
        }
    });
    Ok(try_join_all(found).await?.into_iter().flatten().collect())
}

/// The targets of all Services; `Err` is what stands behind what they are found through.
fn all_targets<'a, T>(cluster: &Cluster<'_>, component: &'a Component) -> Result<Vec<Target<'a>>, Box<Observed<T>>> {
    let Component {
        services,
        endpoints,
        workloads,
        ..
    } = component;
    let own = accepted(services, "Services of kube-state-metrics")?;
    if let Some(behind) = endpoints.behind("EndpointSlices of kube-state-metrics") {
        return Err(Box::new(behind));
    }
    if let Some(behind) = workloads.behind("workloads of kube-state-metrics") {
        return Err(Box::new(behind));
    }
    let (Observed::Seen(services), Observed::Seen(endpoints), Observed::Seen(workloads)) =
        (services, endpoints, workloads)
    else {
        return Err(Box::new(Observed::Absent));
    };
    let namespaces = &cluster.contract.components.kube_state_metrics.namespaces;
    let members = Members::state_metrics(services, workloads, namespaces);
    let own = (own.into_iter()).filter(|service| members.has(service));
    let targets = own.flat_map(|service| targets(cluster, service, endpoints, &members.workloads));
    Ok(targets.collect())
}

/// The request that an unsharded kube-state-metrics is scraped by from outside, which its rule has to allow.
pub(super) fn service_request(namespace: &str, service: &str, port: &str) -> Get {
    Get::proxied_metrics("services", namespace, &format!("{service}:{port}"))
}

/// A pod's.
fn pod_request(namespace: &str, pod: &str, port: u16) -> Get {
    Get::proxied_metrics("pods", namespace, &format!("{pod}:{port}"))
}

/// The permission for the scrape of a pod whose name is not known yet.
pub(super) fn any_pod_request(namespace: &str) -> Get {
    pod_request(namespace, "", 0).of_any_name()
}

/// The targets of one Service. Replicas that are no shards hold the same rows: one of them is asked, which one is the
/// Service's choice. A shard that is not ready is asked too, so that its silence shows.
fn targets<'a>(
    cluster: &Cluster<'_>,
    service: &'a Service,
    endpoints: &'a [Endpoint],
    workloads: &[&Workload],
) -> Vec<Target<'a>> {
    let own: Vec<&Endpoint> = (endpoints.iter())
        .filter(|endpoint| endpoint.namespace == service.namespace && endpoint.service == service.name)
        .collect();
    let here = workloads
        .iter()
        .filter(|workload| workload.namespace == service.namespace && workload.is_behind(&service.name) != Some(false));
    let sharded: Vec<Option<bool>> = here.map(|workload| is_sharded(workload)).collect();
    if own.len() > 1 && sharded.contains(&None) {
        let why = "whether each pod holds a part of the rows is not known: a variable in the arguments was not read";
        return vec![Target {
            service,
            pod: None,
            get: Err((Reason::Behind, why)),
        }];
    }
    if own.len() > 1 && sharded.contains(&Some(true)) {
        return (own.into_iter())
            .map(|endpoint| Target {
                service,
                pod: Some(endpoint.pod.as_deref().unwrap_or(&endpoint.address)),
                get: of_endpoint(cluster.vantage, service, endpoint).map_err(|why| (Reason::Unreachable, why)),
            })
            .collect();
    }
    let get = match cluster.vantage {
        Vantage::Outside => of_service(cluster, service),
        Vantage::Inside => (own.iter().find(|endpoint| endpoint.ready).or(own.first()))
            .ok_or("the Service has no endpoint")
            .and_then(|endpoint| of_endpoint(cluster.vantage, service, endpoint)),
    };
    let (pod, get) = (None, get.map_err(|why| (Reason::Unreachable, why)));
    vec![Target { service, pod, get }]
}

fn of_service(cluster: &Cluster<'_>, service: &Service) -> Result<Get, &'static str> {
    let wanted = cluster.contract.components.kube_state_metrics.port.as_deref();
    let named = service.ports.iter().find(|port| Some(port.name.as_str()) == wanted);
    let port = match (named, service.ports.as_slice()) {
        (Some(port), _) | (None, [port]) => port,
        (None, []) => return Err("the Service has no port"),
        (None, _) => return Err("none of the Service's ports is the one that the contract names"),
    };
    let port = if port.name.is_empty() {
        port.port.to_string()
    } else {
        port.name.clone()
    };
    Ok(service_request(&service.namespace, &service.name, &port).query("resources", "pods"))
}

fn of_endpoint(vantage: Vantage, service: &Service, endpoint: &Endpoint) -> Result<Get, &'static str> {
    let (_, port) = endpoint.ports.first().ok_or("its endpoint has no port")?;
    let get = match (vantage, &endpoint.pod) {
        (Vantage::Inside, _) => Get::direct_metrics(&endpoint.address, *port),
        (Vantage::Outside, Some(pod)) => pod_request(&service.namespace, pod, *port),
        (Vantage::Outside, None) => return Err("its endpoint names no pod through which it could be reached"),
    };
    // Versions before 2.18 ignore it and answer with every resource.
    Ok(get.query("resources", "pods"))
}

async fn scrape(cluster: &Cluster<'_>, target: Target<'_>) -> Scrape {
    let rows = match &target.get {
        Ok(get) => rows::read(cluster, get).await,
        Err((reason, why)) => Observed::Unknown(target.cannot_be_asked(*reason, why)),
    };
    Scrape {
        namespace: target.service.namespace.clone(),
        service: target.service.name.clone(),
        pod: target.pod.map(ToOwned::to_owned),
        rows,
    }
}

// === impl Target ===

impl Target<'_> {
    fn cannot_be_asked(&self, reason: Reason, why: &str) -> Unknown {
        let get = service_request(&self.service.namespace, &self.service.name, "");
        unknown(&get, reason, why)
    }
}
