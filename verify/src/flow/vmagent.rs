//! vmagent's page `/metrics` (VictoriaMetrics v1.130.0 and v1.150.0: app/vmagent/remotewrite, lib/persistentqueue,
//! lib/promscrape, lib/appmetrics), as recorded in `testdata/exposition`. What is lost: also lib/streamaggr, lib/protoparser,
//! app/vmagent/common.

use super::{Kept, Lacks, Queue, Samples};
use std::collections::BTreeMap;

/// Since when it runs, in seconds.
pub(crate) const UPTIME: &str = "vm_app_uptime_seconds";
/// Targets by job and status. A target that was not scraped yet counts as down.
pub(crate) const TARGETS: &str = "vm_promscrape_scrape_pool_targets";
/// The values of the command line's flags.
pub(crate) const FLAG: &str = "flag";
/// How many vmagents share the targets.
pub(crate) const MEMBERS: &str = "promscrape.cluster.membersCount";
/// How many of them scrape each target.
pub(crate) const REPLICATION: &str = "promscrape.cluster.replicationFactor";
/// Answers of a store by status code; `2XX` are those that accepted.
const REQUESTS: &str = "vmagent_remotewrite_requests_total";
/// Requests without an answer.
const ERRORS: &str = "vmagent_remotewrite_errors_total";
/// Blocks that the store refused for good: 400, 409, 415.
const PACKETS_DROPPED: &str = "vmagent_remotewrite_packets_dropped_total";
/// Samples that found no place in the queue.
const SAMPLES_DROPPED: &str = "vmagent_remotewrite_samples_dropped_total";
/// Blocks that were the oldest in a full queue.
const BLOCKS_DROPPED: &str = "vm_persistentqueue_blocks_dropped_total";
/// Rows that were pushed towards a store.
const TAKEN_IN: &str = "vmagent_remotewrite_rows_pushed_after_relabel_total";
/// Bytes that wait in memory and on disk.
const WAITING: &str = "vmagent_remotewrite_pending_data_bytes";
/// Bytes that wait on disk.
const WAITING_ON_DISK: &str = "vm_persistentqueue_bytes_pending";
/// Bytes that may still be queued; v1.130 does not say.
const FREE: &str = "vm_persistentqueue_free_disk_space_bytes";
/// Scrapes that were given up as too large.
const TOO_LARGE: &str = "vm_promscrape_max_scrape_size_exceeded_errors_total";
/// Rows of series above `-remoteWrite.maxHourlySeries` and `-remoteWrite.maxDailySeries`, with the series that are counted and
/// those that may be (app/vmagent/remotewrite/remotewrite.go).
const LIMITS: [[&str; 3]; 2] = [
    [
        "vmagent_hourly_series_limit_rows_dropped_total",
        "vmagent_hourly_series_limit_current_series",
        "vmagent_hourly_series_limit_max_series",
    ],
    [
        "vmagent_daily_series_limit_rows_dropped_total",
        "vmagent_daily_series_limit_current_series",
        "vmagent_daily_series_limit_max_series",
    ],
];

/// The number of the store: of `1:secret-url` what stands before the colon, so that no URL is evidence.
const URL: &[&str] = &["url"];
/// The same of the store's directory, `…/1_FB3CEE40F1B103CD`; v1.130 has no other label at the queue's metrics.
const PATH: &[&str] = &["path"];

/// What is kept of a page.
pub(super) const KEPT: &[Kept] = &[
    Kept::new(UPTIME, &[]),
    Kept::new(TARGETS, &["scrape_job", "status"]),
    Kept::new(FLAG, &["name", "value"]).only("name", &[MEMBERS, REPLICATION]),
    Kept::new(REQUESTS, &["url", "status_code"]),
    Kept::new(ERRORS, URL),
    Kept::losing(PACKETS_DROPPED, URL),
    Kept::losing(SAMPLES_DROPPED, URL),
    Kept::losing(BLOCKS_DROPPED, PATH),
    Kept::new(TAKEN_IN, URL),
    Kept::new(WAITING, URL),
    Kept::new(WAITING_ON_DISK, PATH),
    Kept::new(FREE, PATH),
    Kept::losing(TOO_LARGE, &[]),
    Kept::lost(LIMITS[0][0], &[]),
    Kept::new(LIMITS[0][1], &[]),
    Kept::new(LIMITS[0][2], &[]),
    Kept::lost(LIMITS[1][0], &[]),
    Kept::new(LIMITS[1][1], &[]),
    Kept::new(LIMITS[1][2], &[]),
    Kept::lost("vm_persistentqueue_bytes_dropped_total", PATH),
    // A scrape with more than `sample_limit` or `label_limit` allows is left out whole.
    Kept::lost("vm_promscrape_scrapes_skipped_by_sample_limit_total", &[]),
    Kept::lost("vm_promscrape_scrapes_skipped_by_label_limit_total", &[]),
    // Above `-maxLabelsPerTimeseries`, `-maxLabelNameLen`, `-maxLabelValueLen`.
    Kept::lost("vm_rows_ignored_total", &["reason"]),
    // The other reason, `nan`, is also what is written where a series ends.
    Kept::lost("vm_streamaggr_ignored_samples_total", &[]).only("reason", &["too_old"]),
    Kept::cut("vm_streamaggr_flush_timeouts_total", &[]),
    Kept::cut("vm_streamaggr_dedup_flush_timeouts_total", &[]),
    Kept::cut("vmagent_remotewrite_push_failures_total", URL),
    Kept::cut("vmagent_remotewrite_metadata_dropped_total", URL),
    // What a target wrote that is no sample.
    Kept::cut("vm_rows_invalid_total", &["type"]),
    Kept::cut("vm_protoparser_rows_dropped_total", &["type", "reason"]),
    // It goes on with the configuration that it had.
    Kept::cut("vm_promscrape_config_reloads_errors_total", &[]),
    Kept::cut("vmagent_relabel_config_reloads_errors_total", &[]),
    Kept::cut("vmagent_streamaggr_config_reloads_errors_total", &[]),
];

/// Relabelling drops what it is there to drop, deduplication what is there twice; of a scrape that failed its targets tell; the
/// last are no way of samples.
pub(super) const MEANT: &[&str] = &[
    "vmagent_remotewrite_relabel_metrics_dropped_total",
    "vmagent_remotewrite_global_relabel_metrics_dropped_total",
    "vm_streamaggr_dedup_dropped_samples_total",
    "vm_streamaggr_ignored_samples_total",
    "vm_promscrape_scrapes_failed_total",
    "vm_promscrape_discovery_",
    "vm_nfs_",
    "vm_tcpdialer_",
    "vm_tcplistener_",
    "flag",
    "go_",
    "process_",
];

/// What is kept of a label's value.
pub(super) fn reduced<'a>(label: &str, value: &'a str) -> &'a str {
    let number = |value: &'a str, end: char| value.split_once(end).map_or("", |(number, _)| number);
    match label {
        "url" => number(value, ':'),
        "path" => number(value.rsplit('/').next().unwrap_or_default(), '_'),
        _ => value,
    }
}

/// What every page has.
pub(super) const ESSENTIAL: &[&str] = &[UPTIME, REQUESTS];

/// One queue a store.
pub(super) fn queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let mut accepted: BTreeMap<&str, f64> = BTreeMap::new();
    let mut refused: BTreeMap<&str, f64> = BTreeMap::new();
    for sample in samples.named(REQUESTS) {
        let is_accepted = sample.label("status_code").starts_with('2');
        let of = if is_accepted { &mut accepted } else { &mut refused };
        *of.entry(sample.label("url")).or_insert(0.0) += sample.value;
    }
    let by_url = |name: &'static str| (name, samples.by(name, "url"));
    let of = |(name, by): &(&'static str, BTreeMap<&str, f64>), url: &str| by.get(url).copied().ok_or(Lacks(name));
    let (errors, packets) = (by_url(ERRORS), by_url(PACKETS_DROPPED));
    let (unqueued, taken_in, waiting) = (by_url(SAMPLES_DROPPED), by_url(TAKEN_IN), by_url(WAITING));
    let overflowed = (BLOCKS_DROPPED, samples.by(BLOCKS_DROPPED, "path"));
    let too_large = samples.value(TOO_LARGE).ok_or(Lacks(TOO_LARGE))?;
    let queues = accepted.into_iter().map(|(url, delivered)| {
        Ok(Queue {
            name: format!("store {url}"),
            delivered,
            completed: delivered,
            taken_in: of(&taken_in, url)?,
            troubled: of(&errors, url)? + refused.get(url).copied().unwrap_or_default(),
            lost: of(&packets, url)? + of(&unqueued, url)? + of(&overflowed, url)? + too_large,
            waiting: of(&waiting, url)?,
            behind: None,
            filled: filled(samples, url),
            may_be_quiet: false,
        })
    });
    queues.collect()
}

/// How full a store's queue on disk is, as a share; `None` where the version does not say what is free. `NaN`, which is above
/// no limit, where there is nothing and room for nothing.
fn filled(samples: Samples<'_>, url: &str) -> Option<f64> {
    let waiting = *samples.by(WAITING_ON_DISK, "path").get(url)?;
    let free = *samples.by(FREE, "path").get(url)?;
    Some(waiting / (waiting + free))
}

/// The counters of rows above a limit on series that is reached now: what is new is lost for as long as it is.
pub(crate) fn limits_reached(samples: Samples<'_>) -> Vec<&'static str> {
    let reached = |[dropped, current, most]: &[&'static str; 3]| {
        let is_reached = samples.value(dropped)? > 0.0 && samples.value(current)? >= samples.value(most)?;
        is_reached.then_some(*dropped)
    };
    LIMITS.iter().filter_map(reached).collect()
}
