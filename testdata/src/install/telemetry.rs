//! Step 4's collectors, added to evidence that was recorded without them: as the contract's values install them.

use serde_json::{Value, json};
use starform_verify::evidence::{Evidence, Source, Telemetry, Timing};

const SOURCES: [Source; 7] = [
    Source::FluentBitWorkloads,
    Source::FluentBitSettings,
    Source::VmagentWorkloads,
    Source::VmagentSettings,
    Source::AlloyResources,
    Source::AlloyWorkloads,
    Source::AlloySettings,
];
const CREATED: &str = "2026-11-22T14:55:00Z";

/// Adds them, all but their metrics pages.
pub fn install(evidence: &mut Evidence) {
    let ended_ms = evidence.timings[&Source::Nodes].ended_ms;
    for source in SOURCES {
        let started_ms = 0;
        evidence.timings.insert(source, Timing { started_ms, ended_ms });
    }
    let not_collected = serde_json::to_value(&Telemetry::default().fluent_bit.metrics).unwrap();
    let component =
        |workloads: Value| json!({"workloads": {"seen": workloads}, "elsewhere": [], "metrics": not_collected});
    let value = json!({
        "fluentBit": component(json!([workload("DaemonSet", "fluent-bit", "cr.fluentbit.io/fluent/fluent-bit", "5.1.1", &json!({
            "--config": ["/fluent-bit/etc/conf/fluent-bit.conf"],
        }), &[("fluent-bit-4v9kd", "node1", "10.244.0.11"), ("fluent-bit-tq8ls", "node2", "10.244.1.11")])])),
        "vmagent": component(json!([workload("StatefulSet", "vmagent", "victoriametrics/vmagent", "1.150.0", &json!({
            "--promscrape.config": ["/config/scrape/scrape.yml"],
            "--promscrape.maxScrapeSize": ["268435456"],
            "--remoteWrite.tmpDataPath": ["/tmpData"],
            "--remoteWrite.maxDiskUsagePerURL": ["8GiB"],
        }), &[("vmagent-0", "node2", "10.244.1.12")])])),
        "alloy": component(json!([
            workload("StatefulSet", "k8s-monitoring-alloy-metrics", "docker.io/grafana/alloy", "1.18.1", &json!({}),
                &[("k8s-monitoring-alloy-metrics-0", "node1", "10.244.0.13")]),
            operator(workload("Deployment", "k8s-monitoring-alloy-operator", "ghcr.io/grafana/alloy-operator", "1.11.1", &json!({}),
                &[("k8s-monitoring-alloy-operator-79d4c6f9b5-zt7mn", "node1", "10.244.0.14")])),
            workload("Deployment", "k8s-monitoring-alloy-singleton", "docker.io/grafana/alloy", "1.18.1", &json!({}),
                &[("k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q", "node2", "10.244.1.13")]),
        ])),
        "fluentBitSettings": {"seen": [fluent_bit()]},
        "vmagentSettings": {"seen": [vmagent()]},
        "alloys": {"seen": [
            alloy("k8s-monitoring-alloy-metrics", "StatefulSet"), alloy("k8s-monitoring-alloy-singleton", "Deployment"),
        ]},
        "alloySettings": {"seen": [
            alloy_settings("k8s-monitoring-alloy-metrics", "prometheus.remote_write \"grafana_cloud_metrics\""),
            alloy_settings("k8s-monitoring-alloy-singleton", "loki.write \"grafana_cloud_logs\""),
        ]},
    });
    evidence.telemetry = serde_json::from_value(value).unwrap();
}

fn workload(kind: &str, name: &str, image: &str, version: &str, flags: &Value, pods: &[(&str, &str, &str)]) -> Value {
    let pods: Vec<Value> = (pods.iter())
        .map(|(name, node, address)| {
            json!({"name": name, "node": node, "address": address, "ready": true, "created": CREATED,
                "restarts": 0})
        })
        .collect();
    let count = pods.len();
    json!({"workload": {"kind": kind, "namespace": "telemetry", "name": name, "desired": count, "ready": count,
        "updated": count, "available": count, "observed": true, "image": format!("{image}:v{version}"), "version": version, "release": name,
        "flags": flags, "unreadFlags": null, "unreadArguments": [], "placement": {"tolerations": [{"operator": "Exists"}]}},
        "operator": false, "pods": pods})
}

fn operator(mut workload: Value) -> Value {
    workload["operator"] = json!(true);
    // Of the chart itself; what it makes are releases of its own.
    workload["workload"]["release"] = json!("k8s-monitoring");
    workload
}

fn fluent_bit() -> Value {
    let state = "/var/lib/fluent-bit";
    json!({
        "namespace": "telemetry", "workload": "fluent-bit", "configMap": "fluent-bit",
        "service": {"storage.path": format!("{state}/storage/"), "health_check": "On", "http_server": "On"},
        "inputs": [{"name": "tail", "settings": {"alias": "pods", "tag": "kube.*", "path": "/var/log/containers/*.log",
            "db": format!("{state}/tail.db"), "storage.type": "filesystem"}, "labels": {}, "removes": []}],
        "filters": [
            {"name": "kubernetes", "settings": {"match": "kube.*"}, "labels": {}, "removes": []},
            {"name": "modify", "settings": {"match": "*"}, "labels": {"cluster": "testbed", "region": "nyc3"}, "removes": []},
        ],
        "outputs": [{"name": "http", "settings": {"alias": "vector", "match": "*", "host": "vector.nyc3.telemetry.example.com",
            "port": "8080", "format": "json", "compress": "gzip", "tls": "On", "tls.verify": "On", "tls.verify_hostname": "On",
            "tls.ca_file": "/etc/telemetry-stores/ca.crt", "retry_limit": "no_limits", "storage.total_limit_size": "2G"},
            "labels": {}, "removes": []}],
        "unread": [], "credentialsInClear": [],
        "mounts": [
            mount("/fluent-bit/etc/conf", "config-map", None), mount("/var/log", "host-path", None),
            mount(state, "host-path", None), mount("/etc/telemetry-stores", "other", None),
        ],
        "readiness": "/",
    })
}

fn vmagent() -> Value {
    json!({
        "namespace": "telemetry", "workload": "vmagent",
        "remoteWrites": [{"address": "https://victoriametrics.nyc3.telemetry.example.com:8427/api/v1/write",
            "unread": null, "hasCredentials": false}],
        "labels": {"cluster": "testbed", "region": "nyc3"}, "credentialsInClear": [],
        "mounts": [
            mount("/tmpData", "persistent-volume-claim", Some("10Gi")), mount("/config/scrape", "config-map", None),
        ],
        "scrape": {"configMap": "vmagent-config", "key": "scrape.yml", "externalLabels": {"cluster": "testbed", "region": "nyc3"},
            "otherSections": [], "jobs": [
                {"name": "kubelet-cadvisor", "honorLabels": false, "scheme": "https", "path": "/metrics/cadvisor",
                    "discovery": ["node"], "targets": [], "keeps": [], "replaced": {}, "maxScrapeSize": null},
                {"name": "kube-state-metrics", "honorLabels": true, "scheme": "http", "path": "/metrics",
                    "discovery": ["endpointslices"], "targets": [], "keeps": [
                        {"sources": ["__meta_kubernetes_service_name"], "pattern": "kube-state-metrics"},
                        {"sources": ["__meta_kubernetes_endpointslice_port_name"], "pattern": "http"},
                    ], "replaced": {}, "maxScrapeSize": null},
            ]},
    })
}

fn mount(path: &str, kind: &str, capacity: Option<&str>) -> Value {
    json!({"path": path, "kind": kind, "capacity": capacity})
}

fn alloy(name: &str, kind: &str) -> Value {
    json!({"namespace": "telemetry", "name": name, "kind": kind, "conditions": [
        {"kind": "Initialized", "status": "True", "reason": ""},
        {"kind": "Deployed", "status": "True", "reason": "InstallSuccessful"},
    ], "credentialsInClear": []})
}

fn alloy_settings(name: &str, component: &str) -> Value {
    json!({"namespace": "telemetry", "workload": name, "configMaps": [{"name": name, "texts": [{"key": "config.alloy",
        "credentials": [{"path": format!("{component} > endpoint > basic_auth > password"), "kind": "reference"}],
        "unread": null}]}], "variablesInClear": [], "unread": null, "pipelines": {
            "sources": ["prometheus.scrape \"kubelet\"", "prometheus.scrape \"cadvisor\""],
            "destinations": [{"component": component, "addresses": ["https://metrics.example.com/push"]}], "imports": [], "unknown": []}})
}
