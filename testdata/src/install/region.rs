//! A region, added to evidence that was recorded without one: its stores asked about the cluster, and a plan of it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Evidence, Region, Source, Timing};

const SOURCES: [Source; 4] = [
    Source::MetricsStore,
    Source::LogStore,
    Source::LogAggregator,
    Source::Terraform,
];

/// Adds it: everything as it should be.
pub fn install(evidence: &mut Evidence) {
    let ended = evidence.timings[&Source::Nodes].ended_ms;
    for source in SOURCES {
        let (started_ms, ended_ms) = (0, ended);
        evidence.timings.insert(source, Timing { started_ms, ended_ms });
    }
    evidence.region = region(evidence.collected);
}

fn region(now: jiff::Timestamp) -> Region {
    let asked = |url: &str| json!({"url": url, "region": "nyc3", "cluster": {"id": "testbed", "region": "nyc3", "ended": false}});
    let tables = &Contract::embedded().unwrap().components.region.tables;
    let recorded = Contract::embedded().unwrap().components.region.recorded;
    let series: Vec<Value> = (recorded.iter())
        .map(|name| json!({"name": name, "rows": 12, "labelled": 4, "ageMs": 71_000}))
        .collect();
    let job = |droplet: &str, job: &str| json!({"droplet": droplet, "job": job, "succeeded": true, "successAgeMs": 44_700_000});
    let certificate = |host: &str| {
        let until = now + SignedDuration::from_hours(9_000);
        json!({"seen": {"subject": format!("O=Starform, CN={host}.nyc3.telemetry.example.com"), "until": until}})
    };
    serde_json::from_value(json!({
        "metricsStoreCertificate": certificate("victoriametrics"), "logStoreCertificate": certificate("clickhouse"),
        "metricsStore": {"seen": {"answered": {
            "asked": asked("https://victoriametrics.nyc3.telemetry.example.com:8427"),
            "series": {"newest": [{"region": "nyc3", "ageMs": 12_000}], "podRows": [{"region": "nyc3", "rows": 14}],
                "renamedRows": 0, "foreignIds": [], "kubelets": [
                    {"node": "node1", "instance": "10.0.0.1:10250", "series": 9},
                    {"node": "node2", "instance": "10.0.0.2:10250", "series": 8}]},
            "join": {"series": series, "joinablePods": 12, "unjoinedPods": 0},
            "jobs": {"snapshots": [{"volume": "clickhouse-nyc3", "ageMs": 44_755_000},
                    {"volume": "victoriametrics-nyc3", "ageMs": 44_290_000}],
                "jobs": [job("clickhouse", "backup-closed-days"), job("clickhouse", "volume-snapshot"),
                    job("vector_agg", "prune-snapshots"), job("victoriametrics", "volume-snapshot")]},
        }}},
        "logStore": {"seen": {"answered": {
            "asked": asked("https://clickhouse.nyc3.telemetry.example.com:8443"), "tables": tables,
            "lines": [{"region": "nyc3", "lines": 20_481, "ageMs": 3_200, "receivedMs": 2_900, "delayMs": 5_100}],
            "deadLetters": [],
        }}},
        "logAggregator": {"seen": {"answered": {
            "url": "https://victoriametrics.nyc3.telemetry.example.com:8427", "region": "nyc3", "targets": 1, "up": 1,
            "received": 6_110, "delivered": 6_102, "discarded": [], "errors": [],
            "buffers": [{"component": "clickhouse", "usedBytes": 41_216, "sizeBytes": 85_899_345_920_u64}],
        }}},
        "terraform": {"seen": {"answered": terraform(now)}},
    }))
    .unwrap()
}

fn terraform(now: jiff::Timestamp) -> Value {
    let parts = [
        ("clickhouse", "clickhouse", "so-4vcpu-32gb", "8443"),
        ("victoriametrics", "victoriametrics", "c-4", "8427"),
        ("vector_agg", "vector-agg", "c-2", "8080"),
    ];
    let of = |kind: &str, name: &str| json!({"resource": format!("digitalocean_{kind}.{name}")});
    let each = |make: &dyn Fn(&str, &str, &str, &str) -> Value| -> Vec<Value> {
        parts
            .iter()
            .map(|(resource, name, size, port)| make(resource, name, size, port))
            .collect()
    };
    let made = |ago: SignedDuration| (now - ago).to_string();
    let tag = |name: &str| format!("telemetry-{name}-nyc3");
    let resources = json!({
        "droplets": each(&|resource, name, size, _| json!({"address": format!("digitalocean_droplet.{resource}"),
            "name": format!("{name}-nyc3"), "size": size, "region": "nyc3", "vpc": of("vpc", "telemetry"),
            "tags": ["telemetry-nyc3", tag(name)], "tainted": false})),
        "vpcs": [{"address": "digitalocean_vpc.telemetry", "name": "telemetry-nyc3", "region": "nyc3"}],
        "volumes": each(&|resource, name, _, _| json!({"address": format!("digitalocean_volume.{resource}"),
            "name": format!("{name}-nyc3"), "region": "nyc3", "tainted": false})),
        "attachments": each(&|resource, _, _, _| json!({"address": format!("digitalocean_volume_attachment.{resource}"),
            "droplet": of("droplet", resource), "volume": of("volume", resource)})),
        "firewalls": each(&|resource, _, _, port| json!({"address": format!("digitalocean_firewall.{resource}"),
            "droplets": [of("droplet", resource)], "tags": [], "rulesKnown": true,
            "inbound": [{"protocol": "tcp", "ports": port, "addresses": ["10.40.0.0/20"], "others": []}]})),
        "tags": [{"name": "telemetry-nyc3", "droplets": 3}],
        "snapshots": (parts[..2].iter()).map(|(resource, name, _, _)| json!({
            "address": format!("data.digitalocean_volume_snapshot.{resource}"), "volume": of("volume", resource),
            "name": format!("{name}-nyc3-20261122t023410z"), "created": made(SignedDuration::from_hours(12))})).collect::<Vec<_>>(),
    });
    json!({
        "kind": "plan", "version": "1.11.4", "made": made(SignedDuration::from_mins(5)), "complete": true,
        "unrefreshed": false, "newest": made(SignedDuration::from_hours(12)), "is": resources, "planned": null,
        "gone": [], "changed": [], "checks": [], "clusters": [], "unread": [], "changes": [],
    })
}
