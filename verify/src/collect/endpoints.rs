//! What stands behind a component's accepted Services: pods, each once, however many address families it has.

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
    #[serde(default)]
    uid: String,
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
    observed(lists.map(|lists| one_a_pod(lists.into_iter().flatten().collect())))
}

/// The endpoints, sorted, each pod of a Service once: its slices of IPv4 and of IPv6 list the same pods.
fn one_a_pod(mut endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    endpoints.sort_unstable();
    endpoints.dedup_by(|later, first| {
        let same = target(later) == target(first);
        if same {
            first.ready |= later.ready;
            let ports = later.ports.drain(..).filter(|port| !first.ports.contains(port));
            first.ports.extend(ports.collect::<Vec<_>>());
        }
        same
    });
    endpoints
}

/// What tells one pod behind a Service from another. Where no pod is named, its address does.
fn target(endpoint: &Endpoint) -> impl PartialEq {
    let address = endpoint.pod.is_none().then_some(&endpoint.address);
    (
        &endpoint.namespace,
        &endpoint.service,
        &endpoint.pod,
        &endpoint.pod_uid,
        address,
    )
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
                .map(|target| (target.name, target.uid));
            let (pod, uid) = pod.unzip();
            // Consumers take any one of the addresses: they are the same endpoint (`discovery/v1` types).
            endpoints.extend(raw.addresses.into_iter().next().map(|address| Endpoint {
                namespace: service.namespace.clone(),
                service: service.name.clone(),
                pod,
                pod_uid: uid.filter(|uid| !uid.is_empty()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(pod: Option<(&str, &str)>, address: &str, ready: bool) -> Endpoint {
        Endpoint {
            namespace: "kube-system".to_owned(),
            service: "kube-state-metrics".to_owned(),
            pod: pod.map(|(name, _)| name.to_owned()),
            pod_uid: pod.map(|(_, uid)| uid.to_owned()),
            address: address.to_owned(),
            ports: vec![("http".to_owned(), 8080)],
            ready,
            node: None,
        }
    }

    #[test]
    fn a_pod_of_two_address_families_is_one() {
        let (first, second, reborn) = (Some(("ksm-0", "a")), Some(("ksm-1", "b")), Some(("ksm-1", "c")));
        let found = one_a_pod(vec![
            endpoint(first, "fd00::80", true),
            endpoint(second, "fd00:1::80", false),
            endpoint(second, "10.244.1.80", false),
            endpoint(first, "10.244.0.80", false),
            endpoint(reborn, "10.244.1.81", true),
            endpoint(None, "10.0.0.1", true),
            endpoint(None, "10.0.0.2", true),
        ]);
        let expected = vec![
            endpoint(None, "10.0.0.1", true),
            endpoint(None, "10.0.0.2", true),
            // One slice calls it ready; its address is the first in order.
            endpoint(first, "10.244.0.80", true),
            endpoint(second, "10.244.1.80", false),
            // A pod of that name that was made anew is another.
            endpoint(reborn, "10.244.1.81", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_slices_say_of_ports_is_put_together() {
        let mut other = endpoint(Some(("ksm-0", "a")), "fd00::80", true);
        other.ports = vec![("metrics".to_owned(), 8081)];
        let [found] = &one_a_pod(vec![endpoint(Some(("ksm-0", "a")), "10.244.0.80", true), other])[..] else {
            panic!("it is one");
        };
        assert_eq!(found.ports, [("http".to_owned(), 8080), ("metrics".to_owned(), 8081)]);
    }
}
