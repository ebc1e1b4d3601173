//! What would make the manifests other bytes in another cluster, or telemetry's business: looked for in every value.

use std::collections::BTreeSet;

use serde_json::Value;

/// The address of the control plane is the one that may stand there.
const ADDRESS: &str = "https://starbase.starform.io";

/// Where the telemetry of the fleet goes, and what sends it. Not `telemetry` itself: that is a namespace.
const STORES: &[&str] = &[
    "alloy",
    "clickhouse",
    "fluent",
    "grafana",
    "kafka",
    "loki",
    "otel",
    "otlp",
    "prometheus",
    "promtail",
    "remote-write",
    "remote_write",
    "remotewrite",
    "relabel",
    "scrape_config",
    "statsd",
    "tempo",
    "vector",
    "victoria",
    "vmagent",
];

/// Every argument that a container may have.
const ARGUMENTS: &[&str] = &[
    "agent",
    "node",
    "--parameters=/etc/shuttle/parameters",
    "--starbase-address-file=/etc/shuttle/starbase/address",
    "--starbase-authority=/etc/shuttle/starbase/ca.crt",
    "--admin=0.0.0.0:8080",
    "--status=127.0.0.1:8081",
    "--lift-startup-taint",
];

/// What stands against "no telemetry configuration, and the same bytes for every cluster".
pub(super) fn faults(documents: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for document in documents {
        let name = format!("{} {}", document["kind"], document["metadata"]["name"]);
        let mut fault = |what: String| faults.push(format!("{name}: {what}"));
        match document["kind"].as_str().unwrap_or_default() {
            "Secret" => fault("a Secret is a cluster's own".to_owned()),
            "ConfigMap" => {
                let keys: BTreeSet<_> = document["data"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.as_str())
                    .collect();
                if document["metadata"]["name"] != "starbase" || keys != BTreeSet::from(["address", "ca.crt"]) {
                    fault(format!("a ConfigMap with {keys:?}"));
                }
            }
            "CustomResourceDefinition" => fault("configuration of its own kind".to_owned()),
            _ => {}
        }
        let template = &document["spec"]["template"];
        for key in ["starform.io/cluster-id", "starform.io/region"] {
            if !template["metadata"]["labels"][key].is_null() {
                fault(format!("its pods have {key} before the agent gave it"));
            }
        }
        for container in template["spec"]["containers"].as_array().into_iter().flatten() {
            for argument in container["args"].as_array().into_iter().flatten() {
                if !ARGUMENTS.contains(&argument.as_str().unwrap_or_default()) {
                    fault(format!("the argument {argument}"));
                }
            }
            if !container["command"].is_null() || !container["envFrom"].is_null() {
                fault("a command, or an environment from elsewhere".to_owned());
            }
            for variable in container["env"].as_array().into_iter().flatten() {
                if variable["valueFrom"]["fieldRef"].is_null() {
                    fault(format!("the variable {} is not the pod's own field", variable["name"]));
                }
            }
        }
        // A permission names what may be looked at, the collectors' objects among it; it configures nothing.
        let is_role = matches!(document["kind"].as_str(), Some("ClusterRole" | "Role"));
        texts(document, &mut |text| {
            let lower = text.to_lowercase();
            let names = |store: &&&str| !is_role && lower.contains(**store);
            for store in STORES.iter().filter(names) {
                fault(format!("{text:?} names {store}"));
            }
            if text.contains("://") && text != ADDRESS {
                fault(format!("the address {text:?}"));
            }
            for mark in ["{{", "${", "$(", "<%", "REPLACE", "CHANGE"] {
                if text.contains(mark) {
                    fault(format!("{text:?} is to be filled in"));
                }
            }
            if let Some(address) = text
                .split(|c: char| !(c.is_ascii_digit() || c == '.'))
                .find(|part| is_foreign(part))
            {
                fault(format!("the address {address} in {text:?}"));
            }
        });
    }
    faults
}

/// An IPv4 address other than "any" and "this host".
fn is_foreign(part: &str) -> bool {
    !["0.0.0.0", "127.0.0.1"].contains(&part) && part.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Every key and every value that is text.
fn texts(value: &Value, seen: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => seen(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, seen)),
        Value::Object(fields) => {
            for (key, inner) in fields {
                seen(key);
                texts(inner, seen);
            }
        }
        _ => {}
    }
}
