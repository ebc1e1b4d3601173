//! vmagent's page `/metrics` (VictoriaMetrics v1.130.0 and v1.150.0: app/vmagent/remotewrite, lib/persistentqueue,
//! lib/promscrape, lib/appmetrics), as recorded in `testdata/exposition`.

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
pub(crate) const WAITING_ON_DISK: &str = "vm_persistentqueue_bytes_pending";
/// Bytes that may still be queued; v1.130 does not say.
pub(crate) const FREE: &str = "vm_persistentqueue_free_disk_space_bytes";
/// Scrapes that were given up as too large.
const TOO_LARGE: &str = "vm_promscrape_max_scrape_size_exceeded_errors_total";

/// The number of the store: of `1:secret-url` what stands before the colon, so that no URL is evidence.
const URL: &[&str] = &["url"];
/// The same of the store's directory, `…/1_FB3CEE40F1B103CD`; v1.130 has no other label at the queue's metrics.
const PATH: &[&str] = &["path"];

/// What is kept of a page.
pub(super) const KEPT: &[Kept] = &[
    Kept::new(UPTIME, &[]),
    Kept::new(TARGETS, &["scrape_job", "status"]),
    Kept {
        name: FLAG,
        labels: &["name", "value"],
        only: Some(("name", &[MEMBERS, REPLICATION])),
    },
    Kept::new(REQUESTS, &["url", "status_code"]),
    Kept::new(ERRORS, URL),
    Kept::new(PACKETS_DROPPED, URL),
    Kept::new(SAMPLES_DROPPED, URL),
    Kept::new(BLOCKS_DROPPED, PATH),
    Kept::new(TAKEN_IN, URL),
    Kept::new(WAITING, URL),
    Kept::new(WAITING_ON_DISK, PATH),
    Kept::new(FREE, PATH),
    Kept::new(TOO_LARGE, &[]),
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
            may_be_quiet: false,
        })
    });
    queues.collect()
}
