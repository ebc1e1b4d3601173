//! Alloy's page `/metrics` (Alloy v1.18.1: the reference of prometheus.remote_write and loki.write, "Debug metrics";
//! internal/component/common/loki/client/metrics.go; internal/runtime/internal/controller/metrics.go; Prometheus v0.312
//! storage/remote/queue_manager.go). What is lost: also Prometheus v0.312 scrape/metrics.go, tsdb/wlog; Alloy
//! internal/static/metrics/wal/wal.go, internal/component/loki/process/stages, internal/component/otelcol/exporter/loki.

use super::{Kept, Lacks, Queue, Samples, milliseconds};
use crate::evidence::{Metrics, MetricsSample};
use std::collections::BTreeMap;

/// When it started, as seconds since 1970.
pub(crate) const STARTED: &str = "process_start_time_seconds";
/// Components by health.
pub(crate) const COMPONENTS: &str = "alloy_component_controller_running_components";
/// Samples that a store was sent, each try counted.
const TRIED: &str = "prometheus_remote_storage_samples_total";
/// Samples that were to be tried again.
const RETRIED: &str = "prometheus_remote_storage_samples_retried_total";
/// Samples that the store refused for good.
const FAILED: &str = "prometheus_remote_storage_samples_failed_total";
/// Samples that were dropped before they were sent, by reason.
const DROPPED: &str = "prometheus_remote_storage_samples_dropped_total";
/// Samples that wait in the queue, a few seconds each also where all is well.
const PENDING: &str = "prometheus_remote_storage_samples_pending";
/// Bytes of which the sending ended, well or not.
const COMPLETED: &str = "prometheus_remote_storage_bytes_total";
/// Timestamp of the newest sample that was queued, and of the newest whose sending ended.
const NEWEST: &str = "prometheus_remote_storage_queue_highest_timestamp_seconds";
const NEWEST_SENT: &str = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds";
/// The former, of a component's queues together, up to Prometheus v0.306 (Alloy 1.11).
const NEWEST_OF_ALL: &str = "prometheus_remote_storage_highest_timestamp_in_seconds";
/// Samples written to the WAL that the queue reads.
const TAKEN_IN: &str = "prometheus_remote_write_wal_samples_appended_total";
/// Log entries and Events that were accepted.
const ENTRIES_SENT: &str = "loki_write_sent_entries_total";
/// Those that were given up after all retries.
const ENTRIES_DROPPED: &str = "loki_write_dropped_entries_total";
/// Batches that were tried again.
const BATCHES_RETRIED: &str = "loki_write_batch_retries_total";
/// Batches that were begun to be sent, one each; and answers, by status code, one a try.
const BATCHES: &str = "loki_write_request_size_bytes_count";
const ANSWERS: &str = "loki_write_request_duration_seconds_count";
/// Scrapes, by the interval that they have: `1m0s`. There from the second scrape on.
pub(crate) const INTERVALS: &str = "prometheus_target_interval_length_seconds_count";

/// How far the newest sample that was sent may be behind the newest that was queued, in seconds: a batch waits 5 s, and
/// a scrape's samples all bear the time of its beginning.
const BEHIND: f64 = 30.0;

/// `url` and `host` name the store's address, which is none of the evidence's business.
const QUEUE: &[&str] = &["component_id", "remote_name"];
const COMPONENT: &[&str] = &["component_id"];
/// Of the address that a loki.write sends to its number among those of the page is kept.
const ENDPOINT: &[&str] = &["component_id", "host"];
/// Why a queue dropped what it had read. The other reason is a relabel rule that drops the series: that is meant.
const REASONS: &[&str] = &["too_old", "unintentionally_dropped_series", "nhcb_in_rw1_not_supported"];

/// Sums of a metric by component and remote, with its name.
type By<'a> = (&'static str, BTreeMap<(&'a str, &'a str), f64>);

/// What is kept of a page.
pub(super) const KEPT: &[Kept] = &[
    Kept::new(STARTED, &[]),
    Kept::new(COMPONENTS, &["health_type"]),
    Kept::new(TRIED, QUEUE),
    Kept::new(RETRIED, QUEUE),
    Kept::losing(FAILED, QUEUE),
    Kept::lost(DROPPED, QUEUE).only("reason", REASONS),
    Kept::new(PENDING, QUEUE),
    Kept::new(COMPLETED, QUEUE),
    Kept::new(NEWEST, QUEUE),
    Kept::new(NEWEST_SENT, QUEUE),
    Kept::new(NEWEST_OF_ALL, COMPONENT),
    Kept::new(TAKEN_IN, COMPONENT),
    Kept::new(ENTRIES_SENT, ENDPOINT),
    Kept::losing(ENTRIES_DROPPED, ENDPOINT),
    Kept::new(BATCHES_RETRIED, ENDPOINT),
    Kept::new(BATCHES, ENDPOINT),
    Kept::new(ANSWERS, &["component_id", "host", "status_code"]),
    Kept::new(INTERVALS, &["interval"]),
    Kept::lost("prometheus_remote_storage_exemplars_failed_total", QUEUE),
    Kept::lost("prometheus_remote_storage_histograms_failed_total", QUEUE),
    Kept::lost("prometheus_remote_storage_exemplars_dropped_total", QUEUE).only("reason", REASONS),
    Kept::lost("prometheus_remote_storage_histograms_dropped_total", QUEUE).only("reason", REASONS),
    Kept::cut("prometheus_remote_storage_metadata_failed_total", QUEUE),
    Kept::lost("loki_write_dropped_bytes_total", ENDPOINT),
    // What could not be written to the write-ahead log, or not be read from it.
    Kept::lost("prometheus_tsdb_wal_writes_failed_total", COMPONENT),
    Kept::lost("prometheus_remote_write_wal_corruptions_total", COMPONENT),
    Kept::lost("prometheus_wal_watcher_record_decode_failures_total", COMPONENT),
    Kept::lost("otelcol_exporter_loki_entries_failed", COMPONENT),
    Kept::lost("otelcol_exporter_send_failed_log_records_total", COMPONENT),
    Kept::lost("otelcol_exporter_send_failed_metric_points_total", COMPONENT),
    Kept::lost("otelcol_exporter_send_failed_spans_total", COMPONENT),
    Kept::lost("otelcol_exporter_enqueue_failed_log_records_total", COMPONENT),
    Kept::lost("otelcol_exporter_enqueue_failed_metric_points_total", COMPONENT),
    Kept::lost("otelcol_exporter_enqueue_failed_spans_total", COMPONENT),
    Kept::lost("pyroscope_write_dropped_profiles_total", COMPONENT),
    Kept::lost("pyroscope_write_dropped_bytes_total", COMPONENT),
    // Scrapes and targets that were left out whole: limits, or a configuration that cannot be.
    Kept::lost("prometheus_target_scrapes_exceeded_sample_limit_total", COMPONENT),
    Kept::lost("prometheus_target_scrapes_exceeded_body_size_limit_total", COMPONENT),
    Kept::lost(
        "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
        COMPONENT,
    ),
    Kept::lost("prometheus_target_scrape_pool_exceeded_label_limits_total", COMPONENT),
    Kept::lost("prometheus_target_scrape_pool_exceeded_target_limit_total", COMPONENT),
    Kept::lost("prometheus_target_scrape_pools_failed_total", COMPONENT),
    Kept::cut("prometheus_target_scrape_pool_reloads_failed_total", COMPONENT),
    Kept::cut("prometheus_target_sync_failed_total", COMPONENT),
    // What a target wrote that cannot be taken: twice, or of another time.
    Kept::cut("prometheus_target_scrapes_sample_duplicate_timestamp_total", COMPONENT),
    Kept::cut("prometheus_target_scrapes_sample_out_of_bounds_total", COMPONENT),
    Kept::cut("prometheus_target_scrapes_sample_out_of_order_total", COMPONENT),
    Kept::cut("prometheus_target_scrapes_exemplar_out_of_order_total", COMPONENT),
    Kept::cut("prometheus_remote_write_wal_out_of_order_samples_total", COMPONENT),
    Kept::cut("loki_process_truncated_fields_total", COMPONENT),
    Kept::cut("loki_process_cri_lines_truncated_total", COMPONENT),
    // It goes on with the configuration that it had.
    Kept::cut("alloy_config_load_failures_total", &[]),
];

/// Stages drop what they are there to drop; the others are no way of samples and entries, or what waits for a reader.
pub(super) const MEANT: &[&str] = &[
    "loki_process_dropped_lines",
    "prometheus_remote_storage_samples_dropped_total",
    "prometheus_remote_storage_histograms_dropped_total",
    "prometheus_remote_storage_exemplars_dropped_total",
    "alloy_prometheus_relabel_cache_",
    "alloy_resources_",
    "cluster_",
    "net_conntrack_",
    "prometheus_sd_",
    "prometheus_template_",
    "prometheus_treecache_",
    "prometheus_wal_watcher_notifications_skipped_total",
    "prometheus_remote_write_wal_checkpoint_",
    "prometheus_tsdb_wal_truncations_failed_total",
    "remotecfg_",
    "go_",
    "process_",
];

/// What every page has.
pub(super) const ESSENTIAL: &[&str] = &[STARTED, COMPONENTS];

/// The longest interval that it scrapes in by its own page, in milliseconds.
pub(crate) fn scrape_interval(metrics: &Metrics) -> Option<u64> {
    let samples = Samples::of(metrics).named(INTERVALS);
    samples
        .filter_map(|sample| milliseconds(sample.label("interval")))
        .max()
}

/// One queue an endpoint of a remote_write, and one an endpoint of a loki.write.
pub(super) fn queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let mut queues = metrics_queues(samples)?;
    queues.extend(logs_queues(samples)?);
    Ok(queues)
}

fn metrics_queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let by_queue = |name: &'static str| {
        let mut sums: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for sample in samples.named(name) {
            let queue = (sample.label("component_id"), sample.label("remote_name"));
            *sums.entry(queue).or_insert(0.0) += sample.value;
        }
        (name, sums)
    };
    let of = |(name, by): &By<'_>, queue: (&str, &str)| by.get(&queue).copied().ok_or(Lacks(name));
    let (retried, failed, completed) = (by_queue(RETRIED), by_queue(FAILED), by_queue(COMPLETED));
    let (pending, newest, newest_sent) = (by_queue(PENDING), by_queue(NEWEST), by_queue(NEWEST_SENT));
    let (_, dropped) = by_queue(DROPPED);
    let newest_of_all = samples.by(NEWEST_OF_ALL, "component_id");
    let taken_in = samples.by(TAKEN_IN, "component_id");
    let (_, tried) = by_queue(TRIED);
    let queues = tried.into_iter().map(|(queue, tried)| {
        let (component, remote) = queue;
        let (retried, failed, completed) = (of(&retried, queue)?, of(&failed, queue)?, of(&completed, queue)?);
        // What hangs in its first try has been counted as tried.
        let delivered = if completed > 0.0 { tried - retried - failed } else { 0.0 };
        let newest = of(&newest, queue).or_else(|lacks| newest_of_all.get(component).copied().ok_or(lacks))?;
        let behind = newest - of(&newest_sent, queue)?;
        Ok(Queue {
            name: format!("{component} {remote}").trim_end().to_owned(),
            delivered,
            completed,
            taken_in: taken_in.get(component).copied().ok_or(Lacks(TAKEN_IN))?,
            troubled: retried + failed,
            lost: failed + dropped.get(&queue).copied().unwrap_or_default(),
            waiting: if behind > BEHIND {
                of(&pending, queue)?.max(1.0)
            } else {
                0.0
            },
            behind: Some(behind),
            filled: None,
            may_be_quiet: false,
        })
    });
    queues.collect()
}

/// It does not say what it is handed; of what it was handed and has begun to send it says how it ended.
fn logs_queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let by_endpoint = |name: &'static str| {
        let mut sums: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for sample in samples.named(name) {
            let endpoint = (sample.label("component_id"), sample.label("host"));
            *sums.entry(endpoint).or_insert(0.0) += sample.value;
        }
        sums
    };
    let (dropped, retried) = (by_endpoint(ENTRIES_DROPPED), by_endpoint(BATCHES_RETRIED));
    let batches = by_endpoint(BATCHES);
    let sent = by_endpoint(ENTRIES_SENT);
    let several = |component: &str| sent.keys().filter(|(of, _)| *of == component).count() > 1;
    let queues = sent.iter().map(|(endpoint, sent)| {
        let (component, host) = *endpoint;
        let lost = *dropped.get(endpoint).ok_or(Lacks(ENTRIES_DROPPED))?;
        let retried = *retried.get(endpoint).ok_or(Lacks(BATCHES_RETRIED))?;
        let of_endpoint = |sample: &&MetricsSample| {
            sample.label("component_id") == component
                && sample.label("host") == host
                && sample.label("status_code").starts_with('2')
        };
        let accepted: f64 = samples
            .named(ANSWERS)
            .filter(of_endpoint)
            .map(|sample| sample.value)
            .sum();
        // A batch that was given up has ended too, and is not counted: with none of those it waits.
        let open = batches.get(endpoint).map_or(0.0, |batches| batches - accepted);
        Ok(Queue {
            name: if several(component) {
                format!("{component} endpoint {host}")
            } else {
                component.to_owned()
            },
            delivered: *sent,
            completed: *sent,
            // A cluster without Events sends nothing, and is well.
            taken_in: sent + lost + retried,
            troubled: lost + retried,
            lost,
            waiting: if lost > 0.0 { 0.0 } else { open.max(0.0) },
            behind: None,
            filled: None,
            may_be_quiet: true,
        })
    });
    queues.collect()
}
