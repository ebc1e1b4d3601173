//! The addresses behind a component's accepted Services.

use super::access::Cluster;
use super::component::{Kind, accepted};
use super::get::Get;
use super::list::{Collected, Shape};
use super::obstacle::{Obstacle, observed};
use crate::evidence::{Endpoint, Observed, Service};
use futures::future::try_join_all;
use serde::Deserialize;

/// The label that ties an EndpointSlice to its Service (`k8s.io/api/discovery/v1`, `LabelServiceName`).
const SERVICE_NAME: &str = "kubernetes.io/service-name";

#[derive(Deserialize)]
struct Raw {
    endpoints: Option<Vec<RawEndpoint>>,
    ports: Option<Vec<Port>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEndpoint {
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    conditions: Conditions,
    target_ref: Option<TargetReference>,
    node_name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Deserialize)]
struct TargetReference {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Port {
    name: Option<String>,
    port: Option<u16>,
}

/// Lists the EndpointSlices of the accepted Services. Needs `list endpointslices.discovery.k8s.io` in their namespaces.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    kind: Kind,
    services: &Observed<Vec<Service>>,
) -> Observed<Vec<Endpoint>> {
    let services = match accepted(services, &format!("Services of {}", kind.name())) {
        Ok(services) => services,
        Err(behind) => return *behind,
    };
    let wanted = kind.terms(cluster.contract).port.as_deref();
    let lists = try_join_all(services.into_iter().map(|service| of_service(cluster, service, wanted))).await;
    observed(lists.map(|lists| {
        let mut endpoints: Vec<Endpoint> = lists.into_iter().flatten().collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        endpoints
    }))
}

pub(super) fn request(namespace: &str) -> Get {
    Get::list("discovery.k8s.io", "v1", "endpointslices", Some(namespace))
}

async fn of_service(cluster: &Cluster<'_>, service: &Service, port: Option<&str>) -> Result<Vec<Endpoint>, Obstacle> {
    let get = request(&service.namespace).query("labelSelector", &format!("{SERVICE_NAME}={}", service.name));
    // The component is read on one port; a Service without that one is read on whichever it has.
    let port = port.filter(|port| service.ports.iter().any(|own| own.name == *port));
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<Raw>(json)?.into_endpoints(service, port))));
    let slices = cluster
        .list(&get, Shape::objects("EndpointSliceList"), new)
        .await?
        .items;
    Ok(slices.into_iter().flatten().collect())
}

impl Raw {
    fn into_endpoints(self, service: &Service, port: Option<&str>) -> Vec<Endpoint> {
        let ports: Vec<(String, u16)> = (self.ports.unwrap_or_default().into_iter())
            .map(|own| (own.name.unwrap_or_default(), own.port.unwrap_or_default()))
            .filter(|(name, _)| port.is_none_or(|port| port == name))
            .collect();
        let mut endpoints = Vec::new();
        for raw in self.endpoints.unwrap_or_default() {
            let pod = (raw.target_ref)
                .filter(|target| target.kind == "Pod" && !target.name.is_empty())
                .map(|target| target.name);
            // Consumers take any one of the addresses: they are the same endpoint (`discovery/v1` types).
            endpoints.extend(raw.addresses.into_iter().next().map(|address| Endpoint {
                namespace: service.namespace.clone(),
                service: service.name.clone(),
                pod,
                address,
                ports: ports.clone(),
                // "A nil value should be interpreted as true" (`discovery/v1`, `EndpointConditions`).
                ready: raw.conditions.ready.unwrap_or(true),
                node: raw.node_name,
            }));
        }
        endpoints
    }
}
