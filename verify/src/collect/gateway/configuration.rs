//! The routes and policies that the controller makes Envoys' configuration of: when each was changed, and what it says of a
//! policy. What they say themselves is not kept.

use super::condition::{RawCondition, find};
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::last_change::{ManagedFields, last_change_since};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::evidence::{GatewayConfiguration, PolicyAncestor};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

/// A kind: group, version, resource, and what its objects and their list are called.
type Kind = (&'static str, &'static str, &'static str, &'static str, &'static str);

const KINDS: [Kind; 5] = [
    (
        "gateway.networking.k8s.io",
        "v1",
        "httproutes",
        "HTTPRoute",
        "HTTPRouteList",
    ),
    (
        OWN,
        "v1alpha1",
        "backendtrafficpolicies",
        "BackendTrafficPolicy",
        "BackendTrafficPolicyList",
    ),
    (
        OWN,
        "v1alpha1",
        "clienttrafficpolicies",
        "ClientTrafficPolicy",
        "ClientTrafficPolicyList",
    ),
    (
        OWN,
        "v1alpha1",
        "envoyextensionpolicies",
        "EnvoyExtensionPolicy",
        "EnvoyExtensionPolicyList",
    ),
    (
        OWN,
        "v1alpha1",
        "securitypolicies",
        "SecurityPolicy",
        "SecurityPolicyList",
    ),
];
const OWN: &str = "gateway.envoyproxy.io";

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    managed_fields: Vec<ManagedFields>,
    creation_timestamp: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
struct Status {
    ancestors: Option<Vec<Ancestor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ancestor {
    #[serde(rename = "ancestorRef")]
    of: Reference,
    controller_name: String,
    conditions: Option<Vec<RawCondition>>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    namespace: Option<String>,
}

/// Lists them, in the whole cluster. Needs `list` of each kind.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<GatewayConfiguration>, Obstacle> {
    let lists = KINDS.iter().map(|kind| list(cluster, *kind));
    let mut all: Vec<GatewayConfiguration> = try_join_all(lists).await?.into_iter().flatten().collect();
    all.sort_unstable_by(|a, b| (&a.kind, &a.namespace, &a.name).cmp(&(&b.kind, &b.namespace, &b.name)));
    Ok(all)
}

pub(super) fn requests() -> Vec<Get> {
    KINDS.into_iter().map(request).collect()
}

fn request((group, version, resource, ..): Kind) -> Get {
    Get::list(group, version, resource, None)
}

async fn list(cluster: &Cluster<'_>, kind: Kind) -> Result<Vec<GatewayConfiguration>, Obstacle> {
    let (_, _, _, name, list) = kind;
    let new = || Collected::new(move |json| Ok(Some(serde_json::from_slice::<Raw>(json)?.into_configuration(name))));
    Ok(cluster.list(&request(kind), Shape::objects(list), new).await?.items)
}

impl Raw {
    fn into_configuration(self, kind: &str) -> GatewayConfiguration {
        let Metadata {
            name,
            namespace,
            generation,
            managed_fields,
            creation_timestamp,
        } = self.metadata;
        let ancestors = self.status.ancestors.unwrap_or_default().into_iter();
        let ancestors = ancestors.map(|ancestor| {
            // One that names no namespace is in the policy's own.
            let of = ancestor.of.namespace.as_deref().unwrap_or(&namespace);
            PolicyAncestor {
                object: format!("{of}/{}", ancestor.of.name),
                controller_name: ancestor.controller_name,
                accepted: find(ancestor.conditions.as_deref(), "Accepted", generation),
            }
        });
        GatewayConfiguration {
            kind: kind.to_owned(),
            ancestors: ancestors.collect(),
            last_change: last_change_since(&managed_fields, generation, creation_timestamp),
            namespace,
            name,
        }
    }
}
