//! The routes, policies and others that the controller makes Envoys' configuration of: when each was changed, what it says of a
//! policy, and whether a route may stand in a listener. What they say themselves is not kept.

use super::condition::{RawCondition, find};
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::last_change::{ManagedFields, last_change_since};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::evidence::{
    GatewayConfiguration, GatewayCrd, GatewayProxy, OTHER_CONFIGURATION, Observed, POLICIES, PolicyAncestor,
};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A kind: its name, group and resource, and what its list is called.
type Kind = (&'static str, &'static str, &'static str, &'static str);

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const OWN: &str = "gateway.envoyproxy.io";
/// The policies that the controller judges, then the others. Each in the version in which the controller asks whether it is served,
/// and passes it over where it is not (Envoy Gateway v1.9.0: internal/provider/kubernetes/controller.go, `checkCRD`).
const KINDS: [Kind; POLICIES.len() + OTHER_CONFIGURATION.len()] = [
    (
        "BackendTrafficPolicy",
        OWN,
        "backendtrafficpolicies",
        "BackendTrafficPolicyList",
    ),
    (
        "ClientTrafficPolicy",
        OWN,
        "clienttrafficpolicies",
        "ClientTrafficPolicyList",
    ),
    (
        "EnvoyExtensionPolicy",
        OWN,
        "envoyextensionpolicies",
        "EnvoyExtensionPolicyList",
    ),
    ("SecurityPolicy", OWN, "securitypolicies", "SecurityPolicyList"),
    ("Backend", OWN, "backends", "BackendList"),
    (
        "BackendTLSPolicy",
        GATEWAY_API,
        "backendtlspolicies",
        "BackendTLSPolicyList",
    ),
    ("EnvoyPatchPolicy", OWN, "envoypatchpolicies", "EnvoyPatchPolicyList"),
    ("EnvoyProxy", OWN, "envoyproxies", "EnvoyProxyList"),
    ("GRPCRoute", GATEWAY_API, "grpcroutes", "GRPCRouteList"),
    ("HTTPRoute", GATEWAY_API, "httproutes", "HTTPRouteList"),
    ("HTTPRouteFilter", OWN, "httproutefilters", "HTTPRouteFilterList"),
    ("ListenerSet", GATEWAY_API, "listenersets", "ListenerSetList"),
    ("TCPRoute", GATEWAY_API, "tcproutes", "TCPRouteList"),
    ("TLSRoute", GATEWAY_API, "tlsroutes", "TLSRouteList"),
    ("UDPRoute", GATEWAY_API, "udproutes", "UDPRouteList"),
];
/// The filters of a route that stand in its route configuration alone. Others, as CORS and what `ExtensionRef` names, are filters of
/// the listener too (internal/xds/translator, `patchHCM` of each filter).
const OF_ROUTES: [&str; 5] = [
    "RequestHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "ResponseHeaderModifier",
    "URLRewrite",
];

/// What was listed.
pub(super) struct Listed {
    /// Sorted by kind, namespace and name.
    pub(super) objects: Vec<GatewayConfiguration>,
    /// Of which kinds these are all, sorted.
    pub(super) kinds: Vec<String>,
}

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

/// Of a route, what may stand in a listener.
#[derive(Default, Deserialize)]
struct Spec {
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    filters: Option<Vec<Filter>>,
    backend_refs: Option<Vec<BackendReference>>,
    session_persistence: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(rename = "type", default)]
    kind: String,
    request_mirror: Option<Mirror>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mirror {
    backend_ref: BackendReference,
}

#[derive(Deserialize)]
struct BackendReference {
    kind: Option<String>,
    filters: Option<Vec<Filter>>,
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

/// Lists them, in the whole cluster: the policies, and the rest where an Envoy has refused something, which alone it is read for. A
/// kind whose definition is not there has no objects, and is not asked for: a 404 would say less, for it is plain text, as a
/// gateway's is. Needs `list` of each kind.
pub(super) async fn collect(
    cluster: &Cluster<'_>,
    crds: &Observed<Vec<GatewayCrd>>,
    proxies: &Observed<Vec<GatewayProxy>>,
) -> Result<Listed, Obstacle> {
    let number = if has_refused(proxies) {
        KINDS.len()
    } else {
        POLICIES.len()
    };
    let kinds = &KINDS[..number];
    let lists = kinds.iter().map(|kind| async move {
        if is_undefined(cluster, crds, *kind) {
            return Ok(Vec::new());
        }
        list(cluster, *kind).await
    });
    let mut objects: Vec<GatewayConfiguration> = try_join_all(lists).await?.into_iter().flatten().collect();
    objects.sort_unstable_by(|a, b| (&a.kind, &a.namespace, &a.name).cmp(&(&b.kind, &b.namespace, &b.name)));
    let mut kinds: Vec<String> = kinds.iter().map(|(name, ..)| (*name).to_owned()).collect();
    kinds.sort_unstable();
    Ok(Listed { objects, kinds })
}

/// Whether one of them has refused what these kinds make. Secrets are not read.
fn has_refused(proxies: &Observed<Vec<GatewayProxy>>) -> bool {
    let Observed::Seen(proxies) = proxies else {
        return false;
    };
    let mut updates = proxies.iter().flat_map(|proxy| match &proxy.updates {
        Observed::Seen(updates) => updates.as_slice(),
        Observed::Absent | Observed::Unknown(_) => &[],
    });
    updates.any(|update| update.rejected > 0 && update.service != "sds")
}

/// Whether the list of definitions, where it was read and holds those of this group, has none of it.
fn is_undefined(cluster: &Cluster<'_>, crds: &Observed<Vec<GatewayCrd>>, (_, group, resource, _): Kind) -> bool {
    let terms = &cluster.contract.components.envoy_gateway.crds;
    let Observed::Seen(crds) = crds else {
        return false;
    };
    let is_listed = terms.own_group == group || terms.groups.iter().any(|listed| listed == group);
    let name = format!("{resource}.{group}");
    is_listed && crds.iter().all(|crd| crd.name != name)
}

pub(super) fn requests() -> Vec<Get> {
    KINDS.into_iter().map(request).collect()
}

fn request((_, group, resource, _): Kind) -> Get {
    let version = if group == OWN { "v1alpha1" } else { "v1" };
    Get::list(group, version, resource, None)
}

async fn list(cluster: &Cluster<'_>, kind: Kind) -> Result<Vec<GatewayConfiguration>, Obstacle> {
    let (name, _, _, list) = kind;
    let new = || Collected::new(move |json| Ok(Some(serde_json::from_slice::<Raw>(json)?.into_configuration(name))));
    Ok(cluster.list(&request(kind), Shape::objects(list), new).await?.items)
}

impl Raw {
    fn into_configuration(self, kind: &str) -> GatewayConfiguration {
        let makes_no_listener = kind == "HTTPRoute" && self.spec.is_of_routes_alone();
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
            makes_no_listener,
            last_change: last_change_since(&managed_fields, generation, creation_timestamp),
            namespace,
            name,
        }
    }
}

// === impl Spec ===

impl Spec {
    /// Whether all of an HTTPRoute stands in route configurations and clusters. A `Backend` may resolve names as they are asked for,
    /// which takes a filter of the listener.
    fn is_of_routes_alone(&self) -> bool {
        let is_service = |backend: &BackendReference| backend.kind.as_deref().is_none_or(|kind| kind == "Service");
        let is_of_routes = |filter: &Filter| {
            OF_ROUTES.contains(&filter.kind.as_str())
                && filter
                    .request_mirror
                    .as_ref()
                    .is_none_or(|mirror| is_service(&mirror.backend_ref))
        };
        self.rules.iter().flatten().all(|rule| {
            let mut backends = rule.backend_refs.iter().flatten();
            rule.session_persistence.is_none()
                && rule.filters.iter().flatten().all(is_of_routes)
                && backends.all(|backend| is_service(backend) && backend.filters.iter().flatten().all(is_of_routes))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_kind_that_is_judged_is_listed() {
        let names = KINDS.map(|(name, ..)| name);
        assert_eq!(names[..POLICIES.len()], POLICIES);
        assert_eq!(names[POLICIES.len()..], OTHER_CONFIGURATION);
    }

    #[rstest]
    #[case::plain(r#"{"backendRefs":[{"name":"web","port":80}]}"#, true)]
    #[case::header(r#"{"filters":[{"type":"RequestHeaderModifier","requestHeaderModifier":{}}]}"#, true)]
    #[case::mirror(
        r#"{"filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"name":"web"}}}]}"#,
        true
    )]
    #[case::cors(r#"{"filters":[{"type":"CORS","cors":{}}]}"#, false)]
    #[case::extension(
        r#"{"filters":[{"type":"ExtensionRef","extensionRef":{"kind":"HTTPRouteFilter","name":"a"}}]}"#,
        false
    )]
    #[case::session(r#"{"sessionPersistence":{"sessionName":"a"}}"#, false)]
    #[case::backend(r#"{"backendRefs":[{"kind":"Backend","name":"any"}]}"#, false)]
    #[case::of_a_backend(r#"{"backendRefs":[{"name":"web","filters":[{"type":"ExtensionRef"}]}]}"#, false)]
    #[case::mirror_to_a_backend(
        r#"{"filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"kind":"Backend","name":"any"}}}]}"#,
        false
    )]
    fn a_route_makes_no_listener_where_all_of_it_stands_in_routes(#[case] rule: &str, #[case] alone: bool) {
        let raw = || -> Raw {
            let json =
                format!(r#"{{"metadata":{{"name":"web","namespace":"shop"}},"spec":{{"rules":[{{}},{rule}]}}}}"#);
            serde_json::from_str(&json).unwrap()
        };
        assert_eq!(raw().into_configuration("HTTPRoute").makes_no_listener, alone);
        assert!(!raw().into_configuration("GRPCRoute").makes_no_listener);
    }
}
