//! Shuttle, added to evidence that was recorded without it: installed, proven and registered.

use jiff::SignedDuration;
use serde_json::{Value, json};
use starform_verify::evidence::{Condition, Evidence, Observed, Pod, PodMetrics, PodRow, Shuttle, Source, Timing};

/// Name, UID, node, and the value of `starform.io/deployment` of its pods.
const PODS: [(&str, &str, &str, &str); 4] = [
    (
        "shuttle-6c9f7d5b8c-x2x4q",
        "0a0d1c5e-8a51-4a54-9a55-1c1f0f9d0001",
        "node1",
        "shuttle",
    ),
    (
        "shuttle-6c9f7d5b8c-zt7mn",
        "0a0d1c5e-8a51-4a54-9a55-1c1f0f9d0002",
        "node2",
        "shuttle",
    ),
    (
        "shuttle-node-4v9kd",
        "0a0d1c5e-8a51-4a54-9a55-1c1f0f9d0003",
        "node1",
        "shuttle-node",
    ),
    (
        "shuttle-node-tq8ls",
        "0a0d1c5e-8a51-4a54-9a55-1c1f0f9d0004",
        "node2",
        "shuttle-node",
    ),
];
const SOURCES: [Source; 6] = [
    Source::ShuttleStatus,
    Source::ShuttleAgent,
    Source::ShuttleNode,
    Source::ShuttleConfigMaps,
    Source::ShuttleGrants,
    Source::Starbase,
];

/// Adds it, as far as the pods and nodes were seen.
pub fn install(evidence: &mut Evidence) {
    let ended = evidence.timings[&Source::Nodes].ended_ms;
    for source in SOURCES {
        let (started_ms, ended_ms) = (0, ended);
        evidence.timings.insert(source, Timing { started_ms, ended_ms });
    }
    let now = evidence.now(Source::Nodes).unwrap();
    let Observed::Seen(uid) = &evidence.identity else {
        return;
    };
    evidence.shuttle = shuttle(uid, now);
    if let Observed::Seen(nodes) = &mut evidence.nodes {
        for node in nodes {
            node.telemetry = Some(Condition {
                status: "True".to_owned(),
                reason: "CadvisorAnswers".to_owned(),
                message: "cAdvisor shows 7 pods of this node".to_owned(),
                since: Some(now - SignedDuration::from_hours(1)),
            });
            node.telemetry_renewed = Some(now - SignedDuration::from_secs(20));
        }
    }
    let labels = |deployment: &str| {
        ["testbed", "nyc3", "starform", "shuttle", deployment]
            .map(|value| Some(value.into()))
            .into()
    };
    for (name, uid, node, deployment) in PODS {
        if let Observed::Seen(pods) = &mut evidence.pods {
            pods.push(Pod {
                runtime_class: None,
                namespace: "starform-system".into(),
                name: name.into(),
                uid: uid.into(),
                created: now - SignedDuration::from_hours(1),
                deleting: false,
                status: "Running".into(),
                ready: 1,
                containers: 1,
                restarts: 0,
                started: Some(now - SignedDuration::from_hours(1)),
                node: Some(node.into()),
                owner: None,
                images: Box::default(),
                last_termination: None,
                waits: None,
                labels: labels(deployment),
            });
        }
        if let Observed::Seen(metrics) = &mut evidence.pod_metrics
            && !metrics.is_empty()
        {
            let timestamp = metrics[0].timestamp;
            metrics.push(PodMetrics {
                namespace: "starform-system".into(),
                name: name.into(),
                timestamp,
                window_ms: 15_000,
                containers: 1,
            });
        }
        if let Observed::Seen(scrapes) = &mut evidence.scrapes
            && let Some(first) = scrapes.first_mut()
            && let Observed::Seen(rows) = &mut first.rows
        {
            rows.rows.push(PodRow {
                namespace: "starform-system".into(),
                pod: name.into(),
                uid: uid.into(),
                labels: labels(deployment),
            });
        }
    }
}

fn shuttle(uid: &str, now: jiff::Timestamp) -> Shuttle {
    let ago = |seconds: i64| (now - SignedDuration::from_secs(seconds)).to_string();
    let value = json!({
        "status": {"seen": {"stored": ago(19), "status": {
            "apiVersion": "shuttle.starform.io/v1", "version": "0.1.0", "pod": PODS[0].0, "clusterId": "testbed",
            "region": "nyc3", "uid": uid, "phase": "active", "since": ago(3_000), "reason": "every gating check passes",
            "registration": {"generation": 3, "granted": ago(3_000), "heartbeatAccepted": ago(25),
                "heartbeatIntervalSeconds": 30},
            "verdict": {"passes": true, "answer": "conforms", "firstBroken": null, "firstBrokenStep": null,
                "judged": ago(30)},
            "canary": {"pod": PODS[0].0, "uid": PODS[0].1, "labelled": ago(3_400), "row": true, "missing": [],
                "lagMs": 412, "metricsAgeMs": 14_000, "metricsAgeLimitMs": 45_000, "observed": ago(30)},
            "join": {"complete": true, "joined": ["node1", "node2"], "failed": [], "failedNodes": 0, "pods": 10,
                "oldest": ago(60)},
            "nodes": {"proven": 2, "of": 2, "unproven": []}, "written": ago(19),
        }}},
        "agent": {"seen": workload("Deployment", "shuttle", "agent",
            &["--parameters", "--starbase-address-file", "--starbase-authority", "--admin", "--status"],
            &["parameters", "starbase"])},
        "node": {"seen": workload("DaemonSet", "shuttle-node", "node", &["--admin"], &[])},
        "configMaps": {"seen": ["kube-root-ca.crt", "shuttle-status", "starbase"]},
        "grants": {"seen": [
            {"account": "shuttle", "binding": "shuttle", "roleKind": "ClusterRole", "role": "shuttle",
                "rules": [rule(&["list", "watch", "patch"], "pods", &[])]},
            {"account": "shuttle", "namespace": "starform-system", "binding": "shuttle", "roleKind": "Role",
                "role": "shuttle", "rules": [rule(&["get", "patch"], "configmaps", &["shuttle-status"])]},
            {"account": "shuttle", "group": "system:authenticated", "binding": "system:discovery",
                "roleKind": "ClusterRole", "role": "system:discovery", "rules": [
                    {"verbs": ["get"], "groups": [], "resources": [], "names": [], "urls": ["/api"]}]},
            {"account": "shuttle-node", "binding": "shuttle-node", "roleKind": "ClusterRole", "role": "shuttle-node",
                "rules": [rule(&["patch"], "nodes/status", &[])]},
        ]},
        "starbaseCertificate": {"seen": {"subject": "CN=starbase.example.com", "until": ago(-9_000 * 3_600)}},
        "starbase": {"seen": {"answered": {"clusterId": "testbed", "uid": uid, "region": "nyc3", "state": "active",
            "generation": 3, "lastHeartbeat": ago(25)}}},
    });
    serde_json::from_value(value).unwrap()
}

fn rule(verbs: &[&str], resource: &str, names: &[&str]) -> Value {
    json!({"verbs": verbs, "groups": [""], "resources": [resource], "names": names, "urls": []})
}

fn workload(kind: &str, name: &str, argument: &str, flags: &[&str], volumes: &[&str]) -> Value {
    json!({
        "workload": {"kind": kind, "namespace": "starform-system", "name": name, "desired": 2, "ready": 2, "updated": 2, "available": null,
            "observed": true, "image": "starform/shuttle:0.1.0", "version": "0.1.0", "release": null,
            "flags": {}, "unreadFlags": null, "unreadArguments": []},
        "serviceAccount": name,
        "containers": [{"name": "shuttle", "arguments": [argument], "otherArguments": 0, "flags": flags,
            "environment": ["POD_NAME", "POD_NAMESPACE", "POD_UID", "NODE_NAME", "HOST_IP"], "environmentFrom": []}],
        "volumes": volumes,
    })
}
