//! Fluent Bit's page `/api/v2/metrics/prometheus` (fluent-bit v5.1.1: src/flb_output.c, src/flb_input.c, src/flb_engine.c,
//! src/flb_metrics.c; the names are the same since 3.0).

use super::{Kept, Lacks, Queue, Samples};

/// Since when it runs, in seconds.
pub(crate) const UPTIME: &str = "fluentbit_uptime";
/// Records that an output sent and that were accepted.
const DELIVERED: &str = "fluentbit_output_proc_records_total";
/// Chunks that met an error that is not tried again.
pub(crate) const ERRORS: &str = "fluentbit_output_errors_total";
/// Chunks that are to be tried again.
pub(crate) const RETRIES: &str = "fluentbit_output_retries_total";
/// Records given up: an error that is not tried again, retries used up, or storage.total_limit_size reached.
const DROPPED: &str = "fluentbit_output_dropped_records_total";
/// Records read.
const TAKEN_IN: &str = "fluentbit_input_records_total";
/// Bytes of chunks that are being sent or wait for a retry; counted every 5 s, and only with `storage.metrics on`.
pub(crate) const WAITING: &str = "fluentbit_input_storage_chunks_busy_bytes";
/// 1 while an input's memory is used up; only with `storage.metrics on`.
const OVERLIMIT: &str = "fluentbit_input_storage_overlimit";
/// 1 while an input is paused.
const PAUSED: &str = "fluentbit_input_ingestion_paused";
/// How much of storage.total_limit_size an output has left, in per cent; 100 where there is no limit.
pub(crate) const CAPACITY: &str = "fluentbit_output_chunk_available_capacity_percent";

const NAME: &[&str] = &["name"];

/// What is kept of a page.
pub(super) const KEPT: &[Kept] = &[
    Kept::new(UPTIME, &[]),
    Kept::new(DELIVERED, NAME),
    Kept::new(ERRORS, NAME),
    Kept::new(RETRIES, NAME),
    Kept::new(DROPPED, NAME),
    Kept::new(TAKEN_IN, NAME),
    Kept::new(WAITING, NAME),
    Kept::new(OVERLIMIT, NAME),
    Kept::new(PAUSED, NAME),
    Kept::new(CAPACITY, NAME),
];

/// What every page has.
pub(super) const ESSENTIAL: &[&str] = &[UPTIME, DELIVERED];

/// One queue an output. What waits is known by input only, and stands at each output.
pub(super) fn queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let taken_in = samples.sum(TAKEN_IN).ok_or(Lacks(TAKEN_IN))?;
    let waiting = samples.sum(WAITING);
    let (errors, retries) = (samples.by(ERRORS, "name"), samples.by(RETRIES, "name"));
    let dropped = samples.by(DROPPED, "name");
    let outputs = samples.by(DELIVERED, "name").into_iter();
    let queues = outputs.map(|(name, delivered)| {
        let errors = errors.get(name).ok_or(Lacks(ERRORS))?;
        let retries = retries.get(name).ok_or(Lacks(RETRIES))?;
        Ok(Queue {
            name: name.to_owned(),
            delivered,
            completed: delivered,
            taken_in,
            troubled: errors + retries,
            lost: *dropped.get(name).ok_or(Lacks(DROPPED))?,
            waiting: waiting.unwrap_or_default(),
            // A chunk that waits for its next try is counted, if anything is.
            may_be_quiet: waiting.is_some(),
        })
    });
    queues.collect()
}

/// Whether an input stands still.
pub(crate) fn paused(samples: Samples<'_>) -> bool {
    [OVERLIMIT, PAUSED]
        .iter()
        .any(|name| samples.named(name).any(|sample| sample.value > 0.0))
}
