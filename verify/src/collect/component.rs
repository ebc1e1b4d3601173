//! A component's Services: metrics-server's, kube-state-metrics', Envoy Gateway's.

use super::access::Cluster;
use super::get::Get;
use super::last_change::{ManagedFields, last_change};
use super::list::{Collected, Shape};
use super::obstacle::Obstacle;
use crate::contract::{ComponentTerms, Contract};
use crate::evidence::{ApiService, Observed, Service, ServicePort};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Which component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MetricsServer,
    StateMetrics,
    EnvoyGateway,
}

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    managed_fields: Vec<ManagedFields>,
}

#[derive(Default, Deserialize)]
struct Spec {
    ports: Option<Vec<Port>>,
    selector: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Port {
    name: Option<String>,
    port: u16,
}

/// Lists the Services that the contract's selector selects, in the whole cluster, sorted by namespace and name.
/// Needs `list services`.
pub(super) async fn services(cluster: &Cluster<'_>, kind: Kind) -> Result<Vec<Service>, Obstacle> {
    let terms = kind.terms(cluster.contract);
    let get = request().query("labelSelector", &terms.selector);
    read(cluster, &get, terms).await
}

/// Adds the Service that the APIService points at, where the component is accepted in its namespace and its labels are
/// not the contract's. It is listed, not got: the rule that [`services`] needs covers that.
pub(super) async fn with_referenced(
    cluster: &Cluster<'_>,
    mut services: Vec<Service>,
    api_service: &Observed<ApiService>,
) -> Result<Vec<Service>, Obstacle> {
    let terms = &cluster.contract.components.metrics_server;
    let Observed::Seen(ApiService {
        service: Some(reference),
        ..
    }) = api_service
    else {
        return Ok(services);
    };
    let known =
        (services.iter()).any(|service| service.namespace == reference.namespace && service.name == reference.name);
    if known || !terms.namespaces.contains(&reference.namespace) {
        return Ok(services);
    }
    let selector = format!("metadata.name={}", reference.name);
    let get = Get::list("", "v1", "services", Some(&reference.namespace)).query("fieldSelector", &selector);
    services.extend(read(cluster, &get, terms).await?);
    sort(&mut services);
    Ok(services)
}

/// Every Service of a namespace, whatever its labels. The rule that [`services`] needs covers that.
pub(super) async fn in_namespace(cluster: &Cluster<'_>, kind: Kind, namespace: &str) -> Result<Vec<Service>, Obstacle> {
    let get = Get::list("", "v1", "services", Some(namespace));
    read(cluster, &get, kind.terms(cluster.contract)).await
}

pub(super) fn request() -> Get {
    Get::list("", "v1", "services", None)
}

/// The accepted ones among the Services; `Err` is what stands behind them where there is none.
pub(super) fn accepted<'s, T>(
    services: &'s Observed<Vec<Service>>,
    what: &str,
) -> Result<Vec<&'s Service>, Box<Observed<T>>> {
    if let Some(behind) = services.behind(what) {
        return Err(Box::new(behind));
    }
    let accepted: Vec<&Service> = match services {
        Observed::Seen(services) => services.iter().filter(|service| service.accepted).collect(),
        _ => Vec::new(),
    };
    if accepted.is_empty() {
        return Err(Box::new(Observed::Absent));
    }
    Ok(accepted)
}

/// Their namespaces.
pub(super) fn namespaces<'s>(services: &[&'s Service]) -> BTreeSet<&'s str> {
    services.iter().map(|service| service.namespace.as_str()).collect()
}

async fn read(cluster: &Cluster<'_>, get: &Get, terms: &ComponentTerms) -> Result<Vec<Service>, Obstacle> {
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<Raw>(json)?.into_service(terms))));
    let mut services = cluster.list(get, Shape::objects("ServiceList"), new).await?.items;
    sort(&mut services);
    Ok(services)
}

fn sort(services: &mut [Service]) {
    services.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
}

impl Raw {
    fn into_service(self, terms: &ComponentTerms) -> Service {
        Service {
            accepted: terms.namespaces.contains(&self.metadata.namespace),
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            ports: (self.spec.ports.unwrap_or_default().into_iter())
                .map(|port| ServicePort {
                    name: port.name.unwrap_or_default(),
                    port: port.port,
                })
                .collect(),
            selector: self.spec.selector.unwrap_or_default(),
            last_change: last_change(&self.metadata.managed_fields),
        }
    }
}

// === impl Kind ===

impl Kind {
    /// Every component that is found by its Services.
    pub(super) const ALL: [Self; 3] = [Self::MetricsServer, Self::StateMetrics, Self::EnvoyGateway];

    /// What the contract says of it.
    pub(super) fn terms(self, contract: &Contract) -> &ComponentTerms {
        match self {
            Self::MetricsServer => &contract.components.metrics_server,
            Self::StateMetrics => &contract.components.kube_state_metrics,
            Self::EnvoyGateway => &contract.components.envoy_gateway.controller,
        }
    }

    /// What its image and its container are called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MetricsServer => "metrics-server",
            Self::StateMetrics => "kube-state-metrics",
            Self::EnvoyGateway => "envoy-gateway",
        }
    }
}
