//! What kubectl asks, and no audit: which kinds there are, lists of another scope, and single objects. All is put together
//! from what an audit is answered, so it holds what an audit sees and nothing else.

use crate::reply::Reply;
use serde_json::{Value, json};

/// Group and version, plural, kind, what kubectl takes for short, and whether it has a namespace.
#[rustfmt::skip]
const KINDS: [(&str, &str, &str, Option<&str>, bool); 25] = [
    ("v1", "configmaps", "ConfigMap", Some("cm"), true),
    ("v1", "events", "Event", Some("ev"), true),
    ("v1", "namespaces", "Namespace", Some("ns"), false),
    ("v1", "nodes", "Node", Some("no"), false),
    ("v1", "pods", "Pod", Some("po"), true),
    ("v1", "secrets", "Secret", None, true),
    ("v1", "services", "Service", Some("svc"), true),
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", Some("crd"), false),
    ("apiregistration.k8s.io/v1", "apiservices", "APIService", None, false),
    ("apps/v1", "daemonsets", "DaemonSet", Some("ds"), true),
    ("apps/v1", "deployments", "Deployment", Some("deploy"), true),
    ("apps/v1", "statefulsets", "StatefulSet", Some("sts"), true),
    ("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", Some("hpa"), true),
    ("collectors.grafana.com/v1alpha1", "alloys", "Alloy", None, true),
    ("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", None, true),
    ("gateway.envoyproxy.io/v1alpha1", "backendtrafficpolicies", "BackendTrafficPolicy", Some("btp"), true),
    ("gateway.envoyproxy.io/v1alpha1", "clienttrafficpolicies", "ClientTrafficPolicy", Some("ctp"), true),
    ("gateway.envoyproxy.io/v1alpha1", "envoyextensionpolicies", "EnvoyExtensionPolicy", Some("eep"), true),
    ("gateway.envoyproxy.io/v1alpha1", "securitypolicies", "SecurityPolicy", Some("sp"), true),
    ("gateway.networking.k8s.io/v1", "gatewayclasses", "GatewayClass", Some("gc"), false),
    ("gateway.networking.k8s.io/v1", "gateways", "Gateway", Some("gtw"), true),
    ("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", None, false),
    ("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", None, false),
    ("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", None, true),
    ("rbac.authorization.k8s.io/v1", "roles", "Role", None, true),
];

/// Objects, by their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'a> {
    /// `v1`, or a group with its version.
    version: &'a str,
    namespace: Option<&'a str>,
    plural: &'a str,
    name: Option<&'a str>,
}

/// The answer to a request for a path and query, from the paths and bodies that there are; `None` where nothing is known.
pub(crate) fn reply(target: &str, bodies: &[(&'static str, &str)]) -> Option<Reply> {
    let path = target.split('?').next().unwrap_or(target).trim_end_matches('/');
    let found = discovery(path).or_else(|| objects(&Place::of(path)?, bodies))?;
    Some(Reply::new(200, "application/json", found.to_string()))
}

fn discovery(path: &str) -> Option<Value> {
    if path == "/api" {
        return Some(json!({"kind": "APIVersions", "versions": ["v1"]}));
    }
    if path == "/apis" {
        let mut versions: Vec<&str> = KINDS
            .iter()
            .map(|kind| kind.0)
            .filter(|version| *version != "v1")
            .collect();
        versions.dedup();
        let group = |group_version: &str| {
            let (name, version) = group_version.split_once('/')?;
            let version = json!({"groupVersion": group_version, "version": version});
            Some(json!({"name": name, "versions": [version], "preferredVersion": version}))
        };
        let groups: Vec<Value> = versions.into_iter().filter_map(group).collect();
        return Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}));
    }
    let version = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
    let kinds = KINDS.iter().filter(|kind| kind.0 == version);
    let resources: Vec<Value> = kinds
        .map(|(_, plural, kind, short, namespaced)| {
            json!({"name": plural, "singularName": kind.to_lowercase(), "kind": kind, "namespaced": namespaced,
                "shortNames": short.iter().collect::<Vec<_>>(), "verbs": ["get", "list"]})
        })
        .collect();
    (!resources.is_empty()).then(
        || json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}

fn objects(wanted: &Place<'_>, bodies: &[(&'static str, &str)]) -> Option<Value> {
    let same = |place: &Place<'_>| place.version == wanted.version && place.plural == wanted.plural;
    let mut found: Option<Value> = None;
    for (path, body) in bodies {
        let Some(place) = Place::of(path).filter(same) else {
            continue;
        };
        let Ok(read) = serde_json::from_str::<Value>(body) else {
            continue;
        };
        if place.name.is_some() && place.name == wanted.name && place.namespace == wanted.namespace {
            return Some(read);
        }
        match &mut found {
            _ if place.name.is_some() => {}
            // A table is of all objects, and of other form than the lists of some.
            Some(list) if list["kind"] == "Table" || read["kind"] == "Table" => {
                if read["kind"] == "Table" {
                    found = Some(read);
                }
            }
            Some(list) => merge(list, read),
            None => found = Some(read),
        }
    }
    let mut list = found?;
    let is_table = list["kind"] == "Table";
    let items = list[if is_table { "rows" } else { "items" }].as_array_mut()?;
    let of = |item: &Value, field: &str| {
        let object = if is_table { &item["object"] } else { item };
        object["metadata"][field].as_str().unwrap_or_default().to_owned()
    };
    items.retain(|item| {
        wanted
            .namespace
            .is_none_or(|namespace| of(item, "namespace") == namespace)
    });
    if let Some(name) = wanted.name {
        items.retain(|item| of(item, "name") == name);
        if is_table {
            return (!items.is_empty()).then_some(list);
        }
        let mut object = items.pop()?;
        // The items of a list do not say what they are.
        let kind = KINDS
            .iter()
            .find(|kind| kind.0 == wanted.version && kind.1 == wanted.plural)?;
        object["apiVersion"] = kind.0.into();
        object["kind"] = kind.2.into();
        return Some(object);
    }
    Some(list)
}

/// Adds the items of another list that are not there yet.
fn merge(list: &mut Value, mut other: Value) {
    let identity = |item: &Value| json!([item["metadata"]["namespace"], item["metadata"]["name"]]);
    let more = other["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    if let Some(items) = list["items"].as_array_mut() {
        let known: Vec<Value> = items.iter().map(identity).collect();
        items.extend(more.into_iter().filter(|item| !known.contains(&identity(item))));
    }
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let (version, rest) = if let Some(rest) = path.strip_prefix("/api/v1/") {
            ("v1", rest)
        } else {
            let grouped = path.strip_prefix("/apis/")?;
            let end = grouped.match_indices('/').nth(1)?.0;
            (&grouped[..end], &grouped[end + 1..])
        };
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let (namespace, parts) = match parts[..] {
            ["namespaces", namespace, _, ..] => (Some(namespace), &parts[2..]),
            _ => (None, &parts[..]),
        };
        let (plural, name) = match parts {
            [plural] => (*plural, None),
            [plural, name] => (*plural, Some(*name)),
            _ => return None,
        };
        Some(Self {
            version,
            namespace,
            plural,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::REQUESTS;

    fn asked(target: &str) -> Option<Value> {
        let bodies: Vec<_> = REQUESTS.iter().map(|asked| (asked.path(), asked.body())).collect();
        Some(serde_json::from_str(reply(target, &bodies)?.text()).unwrap())
    }

    #[test]
    fn every_kind_that_an_audit_lists_is_discovered() {
        for asked in &REQUESTS {
            let Some(place) = Place::of(asked.path()) else { continue };
            // metrics-server's are not served here, and a store's are no objects.
            if place.version == "metrics.k8s.io/v1beta1" || asked.is_of_store() {
                continue;
            }
            let known = KINDS
                .iter()
                .any(|kind| kind.0 == place.version && kind.1 == place.plural);
            assert!(known, "{}", asked.path());
        }
    }

    #[test]
    fn a_namespace_has_what_lists_of_the_cluster_have_of_it() {
        let pods = asked("/api/v1/namespaces/kube-system/pods?limit=500").unwrap();
        assert_eq!(pods["kind"], "Table");
        let rows = pods["rows"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            assert_eq!(row["object"]["metadata"]["namespace"], "kube-system");
        }
        let workloads = asked("/apis/apps/v1/deployments?limit=500").unwrap();
        let names = workloads["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.filter_map(|item| item["metadata"]["name"].as_str()).collect();
        assert!(
            names.contains(&"metrics-server") && names.contains(&"envoy-gateway"),
            "{names:?}"
        );
    }

    #[test]
    fn one_object_is_found_in_its_list() {
        let found = asked("/apis/apps/v1/namespaces/kube-system/deployments/metrics-server").unwrap();
        assert_eq!(found["metadata"]["name"], "metrics-server");
        assert_eq!(found["kind"], "Deployment");
        assert_eq!(asked("/apis/apps/v1/namespaces/shop/deployments/metrics-server"), None);
        assert_eq!(asked("/apis/nobody.example/v1/things"), None);
    }
}
