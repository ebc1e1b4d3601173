//! GatewayClasses and Gateways, and what their controller says of them.

use super::condition::{RawCondition, find};
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::last_change::{ManagedFields, last_change_since};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::evidence::{GatewayClass, GatewayListener, GatewayObject};
use jiff::Timestamp;
use serde::Deserialize;

const GROUP: &str = "gateway.networking.k8s.io";
/// Served by every bundle since 1.0.
const VERSION: &str = "v1";

#[derive(Deserialize)]
struct RawClass {
    metadata: Metadata,
    spec: ClassSpec,
    #[serde(default)]
    status: ClassStatus,
}

#[derive(Deserialize)]
struct RawGateway {
    metadata: Metadata,
    spec: GatewaySpec,
    #[serde(default)]
    status: GatewayStatus,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    generation: i64,
    #[serde(default, rename = "managedFields")]
    managed_fields: Vec<ManagedFields>,
    #[serde(rename = "creationTimestamp")]
    created: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClassSpec {
    controller_name: String,
}

#[derive(Default, Deserialize)]
struct ClassStatus {
    conditions: Option<Vec<RawCondition>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GatewaySpec {
    gateway_class_name: String,
    listeners: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
struct GatewayStatus {
    conditions: Option<Vec<RawCondition>>,
    listeners: Option<Vec<ListenerStatus>>,
}

#[derive(Deserialize)]
struct ListenerStatus {
    name: String,
    conditions: Option<Vec<RawCondition>>,
}

/// Lists GatewayClasses, sorted by name. Needs `list gatewayclasses.gateway.networking.k8s.io`.
pub(super) async fn classes(cluster: &Cluster<'_>) -> Result<Vec<GatewayClass>, Obstacle> {
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<RawClass>(json)?.into_class())));
    let shape = Shape::objects("GatewayClassList");
    let mut classes = cluster.list(&classes_request(), shape, new).await?.items;
    classes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(classes)
}

pub(super) fn classes_request() -> Get {
    Get::list(GROUP, VERSION, "gatewayclasses", None)
}

/// Lists Gateways of all namespaces, sorted by namespace and name. Needs `list gateways.gateway.networking.k8s.io`.
pub(super) async fn gateways(cluster: &Cluster<'_>) -> Result<Vec<GatewayObject>, Obstacle> {
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<RawGateway>(json)?.into_gateway())));
    let shape = Shape::objects("GatewayList");
    let mut gateways = cluster.list(&gateways_request(), shape, new).await?.items;
    gateways.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(gateways)
}

pub(super) fn gateways_request() -> Get {
    Get::list(GROUP, VERSION, "gateways", None)
}

impl RawClass {
    fn into_class(self) -> GatewayClass {
        let conditions = self.status.conditions.as_deref();
        GatewayClass {
            accepted: find(conditions, "Accepted", self.metadata.generation),
            name: self.metadata.name,
            controller_name: self.spec.controller_name,
        }
    }
}

impl RawGateway {
    fn into_gateway(self) -> GatewayObject {
        let generation = self.metadata.generation;
        let status = &self.status;
        let listener = |named: Named| {
            let told = status.listeners.iter().flatten().find(|told| told.name == named.name);
            let conditions = told.and_then(|told| told.conditions.as_deref());
            GatewayListener {
                name: named.name,
                accepted: find(conditions, "Accepted", generation),
                programmed: find(conditions, "Programmed", generation),
                resolved_refs: find(conditions, "ResolvedRefs", generation),
                conflicted: find(conditions, "Conflicted", generation),
            }
        };
        GatewayObject {
            accepted: find(status.conditions.as_deref(), "Accepted", generation),
            programmed: find(status.conditions.as_deref(), "Programmed", generation),
            listeners: self.spec.listeners.into_iter().flatten().map(listener).collect(),
            namespace: self.metadata.namespace,
            last_change: last_change_since(&self.metadata.managed_fields, generation, self.metadata.created),
            name: self.metadata.name,
            class: self.spec.gateway_class_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_the_spec_has_what_the_status_says_of_its_name() {
        let raw: RawGateway = serde_json::from_str(
            r#"{"metadata":{"name":"web","namespace":"shop","generation":2},"spec":{"gatewayClassName":"starform",
            "listeners":[{"name":"http","port":80},{"name":"https","port":443}]},
            "status":{"conditions":[{"type":"Programmed","status":"True","reason":"Programmed","observedGeneration":2}],
            "listeners":[{"name":"https","attachedRoutes":1,"conditions":[
            {"type":"ResolvedRefs","status":"False","reason":"InvalidCertificateRef","message":"no","observedGeneration":1}]}]}}"#,
        )
        .unwrap();
        let gateway = raw.into_gateway();
        assert!(gateway.programmed.unwrap().is_true());
        assert_eq!(gateway.accepted, None);
        let [http, https] = gateway.listeners.as_slice() else {
            panic!("two listeners")
        };
        assert_eq!((http.name.as_str(), &http.resolved_refs), ("http", &None));
        let refs = https.resolved_refs.as_ref().unwrap();
        assert_eq!((refs.reason.as_str(), refs.current), ("InvalidCertificateRef", false));
    }
}
