//! Step 4: whether Alloy flows.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{after, again, page_of, seen, set, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, MetricsSample, Reason};

const TRIED: &str = "prometheus_remote_storage_samples_total";
const RETRIED: &str = "prometheus_remote_storage_samples_retried_total";
const TAKEN_IN: &str = "prometheus_remote_write_wal_samples_appended_total";
const NEWEST: &str = "prometheus_remote_storage_queue_highest_timestamp_seconds";
const FAILED: &str = "prometheus_remote_storage_samples_failed_total";
const COMPLETED: &str = "prometheus_remote_storage_bytes_total";
const NEWEST_SENT: &str = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds";
const STARTED: &str = "process_start_time_seconds";

/// The one that collects metrics.
fn metrics(evidence: &mut Evidence) -> &mut MetricsPage {
    page_of(&mut evidence.telemetry.alloy.metrics, 0)
}

/// The one that collects Events.
fn events(evidence: &mut Evidence) -> &mut MetricsPage {
    page_of(&mut evidence.telemetry.alloy.metrics, 1)
}

/// The newest sample that was sent is so many seconds behind the newest that was taken in.
fn behind(evidence: &mut Evidence, seconds: f64) {
    let samples = &seen(&mut metrics(evidence).first).samples;
    let newest = samples.iter().find(|sample| sample.name == NEWEST).unwrap().value;
    set(metrics(evidence), NEWEST_SENT, newest - seconds);
}

pub(crate) const CASES: &[Case] = &[
    fails(
        "SF450",
        "1 of 2 pods without a metrics page: k8s-monitoring-alloy-metrics-0 (no complete answer within 10s)",
    )
    .when("Alloy does not answer", |e| {
        metrics(e).first = unknown(Reason::TimedOut);
    }),
    unseen("SF450", "forbidden").when("Alloy's page is forbidden", |e| {
        events(e).first = unknown(Reason::Forbidden);
    }),
    fails(
        "SF451",
        "k8s-monitoring-alloy-metrics-0 was refused 2000 times within 1m 10s and delivered nothing",
    )
    .when("Grafana Cloud refuses", |e| {
        set(metrics(e), RETRIED, 4e3);
        after(metrics(e), 70, &[(RETRIED, 6e3), (TRIED, 3_304_144.0)]);
    }),
    fails(
        "SF451",
        "k8s-monitoring-alloy-metrics-0 takes in and delivered nothing within 1m 10s",
    )
    .when("Grafana Cloud hangs", |e| {
        behind(e, 100.0);
        after(metrics(e), 70, &[(TAKEN_IN, 3_306_838.0)]);
    }),
    warns(
        "SF451",
        "what k8s-monitoring-alloy-metrics-0 delivers is 30m behind what it takes in",
    )
    .when("Alloy is far behind, and moves", |e| {
        behind(e, 1_800.0);
        after(
            metrics(e),
            70,
            &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0), (TAKEN_IN, 3_306_838.0)],
        );
    }),
    fails(
        "SF451",
        "what k8s-monitoring-alloy-metrics-0 delivers is 1h 5m behind what it takes in: what is older than its log is lost",
    )
    .when("Alloy falls further behind", |e| {
        behind(e, 3_900.0);
        after(
            metrics(e),
            70,
            &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0), (TAKEN_IN, 3_306_838.0)],
        );
    }),
    fails("SF451", "loki.write.grafana_cloud_logs endpoint 2) has delivered nothing").when(
        "one of two endpoints of Events is down",
        |e| {
            let samples = &mut seen(&mut events(e).first).samples;
            let own = |sample: &&mut MetricsSample| sample.name.starts_with("loki_write_");
            for sample in samples.iter_mut().filter(own) {
                sample.labels.insert("host".to_owned(), "1".to_owned());
            }
            let mut more: Vec<MetricsSample> = samples.iter().filter(|sample| sample.labels.contains_key("host")).cloned().collect();
            for sample in &mut more {
                sample.labels.insert("host".to_owned(), "2".to_owned());
                sample.value = if sample.name.contains("retries") { 12.0 } else { 0.0 };
            }
            samples.append(&mut more);
            after(events(e), 70, &[]);
        },
    ),
    fails("SF451", "delivered nothing within 1m 10s, and more than that waits").when(
        "a batch of Events waits for its next try",
        |e| {
            set(events(e), "loki_write_batch_retries_total", 4.0);
            seen(&mut events(e).first).samples.push(MetricsSample {
                name: "loki_write_request_size_bytes_count".to_owned(),
                labels: [("component_id".to_owned(), "loki.write.grafana_cloud_logs".to_owned())].into(),
                value: 1.0,
            });
            after(events(e), 70, &[]);
        },
    ),
    fails(
        "SF451",
        "k8s-monitoring-alloy-metrics-0 has delivered nothing in the 1h since it started",
    )
    .when("Grafana Cloud hangs since the start", |e| {
        set(metrics(e), NEWEST_SENT, 0.0);
        set(metrics(e), COMPLETED, 0.0);
        again(metrics(e), &[]);
    }),
    passes("SF451", "2 pods").when("Grafana Cloud refused an hour ago", |e| {
        set(metrics(e), FAILED, 4e3);
        after(metrics(e), 70, &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0)]);
    }),
    unseen(
        "SF451",
        "nothing is delivered yet by 2 pods, which started less than 5m ago",
    )
    .when("Alloy has just started", |e| {
        let start = 1e10;
        set(metrics(e), COMPLETED, 0.0);
        set(metrics(e), STARTED, start);
        again(metrics(e), &[]);
        set(events(e), "loki_write_sent_entries_total", 0.0);
        set(events(e), STARTED, start);
        for workload in seen(&mut e.telemetry.alloy.workloads) {
            for pod in &mut workload.pods {
                pod.started = Some("2286-11-20T17:46:40Z".parse().unwrap());
            }
        }
    }),
    passes("SF451", "1 pod; 1 with nothing to deliver")
        .when("no Event yet", |e| set(events(e), "loki_write_sent_entries_total", 0.0)),
    fails("SF451", "nothing came in that could be delivered, at 2 pods").when("Alloy takes in nothing", |e| {
        set(events(e), "loki_write_sent_entries_total", 0.0);
        set(metrics(e), COMPLETED, 0.0);
        set(metrics(e), "prometheus_remote_write_wal_samples_appended_total", 0.0);
        set(metrics(e), NEWEST_SENT, 0.0);
        set(
            metrics(e),
            "prometheus_remote_storage_queue_highest_timestamp_seconds",
            0.0,
        );
    }),
    passes("SF451", "2 pods").when("Events were tried again an hour ago", |e| {
        set(events(e), "loki_write_batch_retries_total", 4.0);
        again(events(e), &[]);
    }),
    unseen(
        "SF451",
        "k8s-monitoring-alloy-metrics-0 delivered nothing within 10s, and nothing was refused",
    )
    .when("Alloy does not show which", |e| {
        set(metrics(e), FAILED, 4e3);
        again(metrics(e), &[]);
    }),
    fails("SF451", "was refused 3 times within 10s and delivered nothing").when("Events are tried again", |e| {
        set(events(e), "loki_write_batch_retries_total", 4.0);
        again(events(e), &[("loki_write_batch_retries_total", 7.0)]);
    }),
    fails(
        "SF452",
        "components unhealthy: k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q",
    )
    .when("a component of Alloy is unhealthy", |e| {
        set(events(e), "alloy_component_controller_running_components", 1.0);
    }),
    unseen("SF452", "no component has been evaluated yet").when("no component of Alloy was evaluated", |e| {
        set(metrics(e), "alloy_component_controller_running_components", 0.0);
        set(events(e), "alloy_component_controller_running_components", 0.0);
    }),
    fails(
        "SF453",
        "given up now: k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q (loki_write_dropped_entries_total of \
         loki.write.grafana_cloud_logs by 10)",
    )
    .when("Alloy drops", |e| {
        set(events(e), "loki_write_dropped_entries_total", 5.0);
        again(
            events(e),
            &[
                ("loki_write_dropped_entries_total", 15.0),
                ("loki_write_sent_entries_total", 400.0),
            ],
        );
    }),
    warns(
        "SF453",
        "given up since it started, none now: k8s-monitoring-alloy-metrics-0 (4000 \
         prometheus_remote_storage_samples_failed_total of prometheus.remote_write.grafana_cloud_metrics 5f2a91)",
    )
    .when("Alloy dropped an hour ago", |e| {
        set(metrics(e), FAILED, 4e3);
        after(metrics(e), 70, &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0)]);
    }),
];
