//! The metrics pages of step 4's collectors, added to evidence in which `telemetry.rs` installed them: everything
//! is delivered.

use jiff::Timestamp;
use serde_json::{Value, json};
use starform_verify::evidence::{Evidence, MetricsPage, Observed, Source, Timing};

const SOURCES: [Source; 3] = [Source::FluentBitMetrics, Source::VmagentMetrics, Source::AlloyMetrics];

/// Adds them.
pub fn flow(evidence: &mut Evidence) {
    let ended_ms = evidence.timings[&Source::Nodes].ended_ms;
    for source in SOURCES {
        let started_ms = 0;
        evidence.timings.insert(source, Timing { started_ms, ended_ms });
    }
    let now = evidence.now(Source::AlloyMetrics).unwrap().as_second();
    let telemetry = &mut evidence.telemetry;
    let started: Timestamp = Timestamp::from_second(now - 3_600).unwrap();
    for component in [&mut telemetry.fluent_bit, &mut telemetry.vmagent, &mut telemetry.alloy] {
        if let Observed::Seen(workloads) = &mut component.workloads {
            for pod in workloads.iter_mut().flat_map(|workload| &mut workload.pods) {
                pod.started = Some(started);
            }
        }
    }
    telemetry.fluent_bit.metrics = pages(&[
        page("fluent-bit-4v9kd", "node1", &fluent_bit(), None),
        page("fluent-bit-tq8ls", "node2", &fluent_bit(), None),
    ]);
    let jobs = json!({"seen": [
        {"name": "kubelet-cadvisor", "honorLabels": false, "readsCadvisor": true},
        {"name": "kubelet", "honorLabels": false, "readsCadvisor": false},
        {"name": "kube-state-metrics", "honorLabels": true, "readsCadvisor": false},
    ]});
    telemetry.vmagent.metrics = pages(&[page("vmagent-0", "node2", &vmagent(), Some(&jobs))]);
    telemetry.alloy.metrics = pages(&[
        page("k8s-monitoring-alloy-metrics-0", "node1", &alloy_metrics(now), None),
        page(
            "k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q",
            "node2",
            &alloy_singleton(now),
            None,
        ),
    ]);
}

fn pages(pages: &[Value]) -> Observed<Vec<MetricsPage>> {
    serde_json::from_value(json!({ "seen": pages })).unwrap()
}

fn page(pod: &str, node: &str, samples: &[Value], jobs: Option<&Value>) -> Value {
    json!({"namespace": "telemetry", "pod": pod, "node": node, "first": {"seen": {"readMs": 100, "samples": samples}},
        "again": null, "jobs": jobs, "scrapeIntervalMs": jobs.map(|_| 30_000)})
}

#[allow(clippy::needless_pass_by_value, reason = "made where it is given")]
fn sample(name: &str, labels: Value, value: f64) -> Value {
    json!({"name": name, "labels": labels, "value": value})
}

fn fluent_bit() -> Vec<Value> {
    let output = |name: &str, value: f64| sample(&format!("fluentbit_output_{name}"), json!({"name": "vector"}), value);
    let input = |name: &str, value: f64| sample(&format!("fluentbit_input_{name}"), json!({"name": "pods"}), value);
    vec![
        sample("fluentbit_uptime", json!({}), 3_600.0),
        input("records_total", 120_480.0),
        input("ingestion_paused", 0.0),
        input("storage_overlimit", 0.0),
        input("storage_chunks_busy_bytes", 0.0),
        output("proc_records_total", 120_000.0),
        output("errors_total", 0.0),
        output("retries_total", 0.0),
        output("dropped_records_total", 0.0),
        output("chunk_available_capacity_percent", 100.0),
    ]
}

fn vmagent() -> Vec<Value> {
    let of_store = |name: &str, value: f64| sample(&format!("vmagent_remotewrite_{name}"), json!({"url": "1"}), value);
    let of_queue = |name: &str, value: f64| sample(&format!("vm_persistentqueue_{name}"), json!({"path": "1"}), value);
    let accepted = json!({"url": "1", "status_code": "2XX"});
    let mut samples = vec![
        sample("vm_app_uptime_seconds", json!({}), 3_600.0),
        sample("vmagent_remotewrite_requests_total", accepted, 4_210.0),
        of_store("errors_total", 0.0),
        of_store("packets_dropped_total", 0.0),
        of_store("samples_dropped_total", 0.0),
        of_store("rows_pushed_after_relabel_total", 1_065_300.0),
        of_store("pending_data_bytes", 0.0),
        of_queue("blocks_dropped_total", 0.0),
        of_queue("bytes_pending", 0.0),
        of_queue("free_disk_space_bytes", 8e9),
        sample("vm_promscrape_max_scrape_size_exceeded_errors_total", json!({}), 0.0),
    ];
    for (job, up) in [("kube-state-metrics", 1.0), ("kubelet", 2.0), ("kubelet-cadvisor", 2.0)] {
        for (status, value) in [("up", up), ("down", 0.0)] {
            let labels = json!({"scrape_job": job, "status": status});
            samples.push(sample("vm_promscrape_scrape_pool_targets", labels, value));
        }
    }
    for flag in [
        "promscrape.cluster.membersCount",
        "promscrape.cluster.replicationFactor",
    ] {
        samples.push(sample("flag", json!({"name": flag, "value": "1"}), 1.0));
    }
    samples
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn alloy(now: i64, components: f64) -> Vec<Value> {
    let health = |health: &str, value: f64| {
        let name = "alloy_component_controller_running_components";
        sample(name, json!({"health_type": health}), value)
    };
    vec![
        sample("process_start_time_seconds", json!({}), (now - 3_600) as f64),
        health("healthy", components),
        health("unhealthy", 0.0),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn alloy_metrics(now: i64) -> Vec<Value> {
    let component = "prometheus.remote_write.grafana_cloud_metrics";
    let queue = |name: &str, value: f64| {
        let labels = json!({"component_id": component, "remote_name": "5f2a91"});
        sample(&format!("prometheus_remote_storage_{name}"), labels, value)
    };
    let mut samples = alloy(now, 50.0);
    samples.extend([
        queue("samples_total", 3_302_144.0),
        queue("samples_retried_total", 0.0),
        queue("samples_failed_total", 0.0),
        queue("samples_dropped_total", 0.0),
        queue("samples_pending", 1_450.0),
        queue("bytes_total", 61_220_011.0),
        queue("queue_highest_timestamp_seconds", (now - 1) as f64),
        queue("queue_highest_sent_timestamp_seconds", (now - 6) as f64),
        sample(
            "prometheus_remote_write_wal_samples_appended_total",
            json!({"component_id": component}),
            3_304_838.0,
        ),
    ]);
    samples
}

fn alloy_singleton(now: i64) -> Vec<Value> {
    let labels = json!({"component_id": "loki.write.grafana_cloud_logs"});
    let mut samples = alloy(now, 2.0);
    for (name, value) in [
        ("sent_entries", 312.0),
        ("dropped_entries", 0.0),
        ("batch_retries", 0.0),
    ] {
        samples.push(sample(&format!("loki_write_{name}_total"), labels.clone(), value));
    }
    samples
}
