//! Alloy's page `/metrics` (Alloy v1.18.1: the reference of prometheus.remote_write and loki.write, "Debug metrics";
//! internal/component/common/loki/client/metrics.go; internal/runtime/internal/controller/metrics.go; Prometheus v0.312
//! storage/remote/queue_manager.go).

use super::{Kept, Lacks, Queue, Samples};
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

/// How far the newest sample that was sent may be behind the newest that was queued, in seconds: a batch waits 5 s, and
/// a scrape's samples all bear the time of its beginning.
const BEHIND: f64 = 30.0;

/// `url` and `host` name the store's address, which is none of the evidence's business.
const QUEUE: &[&str] = &["component_id", "remote_name"];
const COMPONENT: &[&str] = &["component_id"];

/// Sums of a metric by component and remote, with its name.
type By<'a> = (&'static str, BTreeMap<(&'a str, &'a str), f64>);

/// What is kept of a page.
pub(super) const KEPT: &[Kept] = &[
    Kept::new(STARTED, &[]),
    Kept::new(COMPONENTS, &["health_type"]),
    Kept::new(TRIED, QUEUE),
    Kept::new(RETRIED, QUEUE),
    Kept::new(FAILED, QUEUE),
    Kept {
        name: DROPPED,
        labels: QUEUE,
        // The third reason is a relabel rule that drops the series: that is meant.
        only: Some(("reason", &["too_old", "unintentionally_dropped_series"])),
    },
    Kept::new(PENDING, QUEUE),
    Kept::new(COMPLETED, QUEUE),
    Kept::new(NEWEST, QUEUE),
    Kept::new(NEWEST_SENT, QUEUE),
    Kept::new(NEWEST_OF_ALL, COMPONENT),
    Kept::new(TAKEN_IN, COMPONENT),
    Kept::new(ENTRIES_SENT, COMPONENT),
    Kept::new(ENTRIES_DROPPED, COMPONENT),
    Kept::new(BATCHES_RETRIED, COMPONENT),
];

/// What every page has.
pub(super) const ESSENTIAL: &[&str] = &[STARTED, COMPONENTS];

/// One queue a remote_write's endpoint, and one a loki.write.
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
            may_be_quiet: false,
        })
    });
    queues.collect()
}

fn logs_queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let dropped = samples.by(ENTRIES_DROPPED, "component_id");
    let retried = samples.by(BATCHES_RETRIED, "component_id");
    let sent = samples.by(ENTRIES_SENT, "component_id").into_iter();
    let queues = sent.map(|(component, sent)| {
        let lost = *dropped.get(component).ok_or(Lacks(ENTRIES_DROPPED))?;
        let retried = *retried.get(component).ok_or(Lacks(BATCHES_RETRIED))?;
        Ok(Queue {
            name: component.to_owned(),
            delivered: sent,
            completed: sent,
            // It does not count what it is handed. A cluster without Events sends nothing, and is well.
            taken_in: sent + lost + retried,
            troubled: lost + retried,
            lost,
            waiting: 0.0,
            may_be_quiet: true,
        })
    });
    queues.collect()
}
