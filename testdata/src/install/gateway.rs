//! Envoy Gateway, added to evidence that was recorded without it: installed, with one Gateway that is programmed.

use serde_json::{Value, json};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Evidence, Gateway, Source, Timing};

const SOURCES: [Source; 6] = [
    Source::EnvoyGatewayWorkloads,
    Source::GatewayClasses,
    Source::Gateways,
    Source::GatewayCrds,
    Source::GatewayProxies,
    Source::GatewayConfiguration,
];

/// Adds it.
pub fn install(evidence: &mut Evidence) {
    let ended_ms = evidence.timings[&Source::Nodes].ended_ms;
    for source in SOURCES {
        let started_ms = 0;
        evidence.timings.insert(source, Timing { started_ms, ended_ms });
    }
    let now = evidence.now(Source::Nodes).unwrap();
    evidence.gateway = gateway(now - jiff::SignedDuration::from_hours(2));
}

/// As it stands since then.
fn gateway(since: jiff::Timestamp) -> Gateway {
    let terms = Contract::embedded().unwrap().components.envoy_gateway;
    let yes = |reason: &str| json!({"status": "True", "reason": reason, "message": "", "current": true});
    let selector = json!({"control-plane": "envoy-gateway", "app.kubernetes.io/name": "gateway-helm"});
    let crds: Vec<Value> = (terms.crds.required.iter().chain(&terms.crds.others))
        .map(|name| {
            let own = name.ends_with(&terms.crds.own_group);
            let annotation = |value: &str| if own { Value::Null } else { value.into() };
            json!({"name": name, "bundle": annotation("v1.6.1"), "channel": annotation("experimental"),
                "managed": null, "installPolicy": null})
        })
        .collect();
    let value = json!({
        "controller": {"seen": {
            "services": [{"namespace": "envoy-gateway-system", "name": "envoy-gateway", "accepted": true,
                "ports": [{"name": "grpc", "port": 18000}, {"name": "metrics", "port": 19001}], "selector": selector}],
            "workloads": [{"mountsCertificates": true, "workload": {
                "kind": "Deployment", "namespace": "envoy-gateway-system", "name": "envoy-gateway", "desired": 2, "ready": 2,
                "updated": 2, "available": 2, "observed": true, "image": "docker.io/envoyproxy/gateway:v1.9.0", "version": "1.9.0",
                "release": "envoy-gateway", "flags": {}, "unreadFlags": null, "unreadArguments": []}}],
            "failedMounts": [],
        }},
        "classes": {"seen": [{"name": "starform", "controllerName": terms.controller_name, "accepted": yes("Accepted")}]},
        "gateways": {"seen": [{"namespace": "shop", "name": "web", "class": "starform", "accepted": yes("Accepted"),
            "programmed": yes("Programmed"),
            "listeners": [{"name": "http", "accepted": yes("Accepted"), "programmed": yes("Programmed"),
                "resolvedRefs": yes("ResolvedRefs"), "conflicted": null}],
            "lastChange": {"time": since, "manager": "kubectl-client-side-apply", "operation": "Update"}}]},
        "proxies": {"seen": [{"namespace": "envoy-gateway-system", "pod": "envoy-shop-web-0", "gateway": "shop/web",
            "restarts": 0, "updates": {"seen": [{"service": "cds", "rejected": 0, "taken": since}, {"service": "lds", "rejected": 0, "taken": since}]}}]},
        "configuration": {"seen": []},
        "configurationKinds": ["Backend", "BackendTLSPolicy", "BackendTrafficPolicy", "ClientTrafficPolicy", "EnvoyExtensionPolicy",
            "EnvoyPatchPolicy", "EnvoyProxy", "GRPCRoute", "HTTPRoute", "HTTPRouteFilter", "ListenerSet", "SecurityPolicy", "TCPRoute",
            "TLSRoute", "UDPRoute"],
        "crds": {"seen": crds},
    });
    serde_json::from_value(value).unwrap()
}
