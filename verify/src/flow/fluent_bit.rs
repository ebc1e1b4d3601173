//! Fluent Bit's page `/api/v2/metrics/prometheus` (fluent-bit v5.1.1: src/flb_output.c, src/flb_input.c, src/flb_engine.c,
//! src/flb_metrics.c; the names are the same since 3.0). What is lost: src/flb_output.c, src/flb_router.c, src/flb_input.c,
//! src/flb_processor.c, plugins/in_tail/tail_config.c, plugins/filter_multiline/ml.c.

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
/// Bytes of chunks that are being sent or wait for a retry, and are in memory; counted every 5 s, and only with
/// `storage.metrics on` (src/flb_storage.c).
pub(crate) const WAITING: &str = "fluentbit_input_storage_chunks_busy_bytes";
/// Those chunks, also the ones that are on disk alone.
const WAITING_CHUNKS: &str = "fluentbit_input_storage_chunks_busy";
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
    Kept::losing(DROPPED, NAME),
    Kept::new(TAKEN_IN, NAME),
    Kept::new(WAITING, NAME),
    Kept::new(WAITING_CHUNKS, NAME),
    Kept::new(OVERLIMIT, NAME),
    Kept::new(PAUSED, NAME),
    Kept::new(CAPACITY, NAME),
    // Chunks whose retries were used up.
    Kept::lost("fluentbit_output_retries_failed_total", NAME),
    // By input and output; `unmatched` where no route took it. Born at the first loss.
    Kept::lost("fluentbit_routing_logs_drop_records_total", &["input", "output"]),
    Kept::lost("fluentbit_routing_logs_drop_bytes_total", &["input", "output"]),
    // The oldest of an input that is buffered in a ring in memory.
    Kept::lost("fluentbit_input_memrb_dropped_chunks", NAME),
    Kept::lost("fluentbit_input_memrb_dropped_bytes", NAME),
    // What a threaded input could not hand on.
    Kept::lost("fluentbit_input_ring_buffer_retry_failures_total", NAME),
    // A line longer than Buffer_Max_Size: left out with Skip_Long_Lines On.
    Kept::cut("fluentbit_input_long_line_skipped_total", NAME),
    Kept::cut("fluentbit_input_long_line_truncated_total", NAME),
    Kept::cut("fluentbit_input_multiline_truncated_total", NAME),
    Kept::cut("fluentbit_filter_emit_truncated_total", NAME),
    Kept::cut("fluentbit_processor_errors_total", &["owner"]),
];

/// What a filter or a processor drops it is there to drop; the logger's queue holds Fluent Bit's own messages.
pub(super) const MEANT: &[&str] = &[
    "fluentbit_filter_drop_",
    "fluentbit_processor_items_drop_",
    "fluentbit_logger_",
];

/// What every page has.
pub(super) const ESSENTIAL: &[&str] = &[UPTIME, DELIVERED];

/// One queue an output. What waits is known by input only, and stands at each output; where outputs say whose space is used
/// it stands at theirs.
pub(super) fn queues(samples: Samples<'_>) -> Result<Vec<Queue>, Lacks> {
    let taken_in = samples.sum(TAKEN_IN).ok_or(Lacks(TAKEN_IN))?;
    let chunks = samples.sum(WAITING_CHUNKS).unwrap_or_default();
    let waiting = samples.sum(WAITING).map(|bytes| bytes.max(chunks));
    let (errors, retries) = (samples.by(ERRORS, "name"), samples.by(RETRIES, "name"));
    let dropped = samples.by(DROPPED, "name");
    let capacity = samples.by(CAPACITY, "name");
    let filled = |name: &str| capacity.get(name).map(|free| 1.0 - free / 100.0);
    let some_are_filled = capacity
        .keys()
        .any(|name| filled(name).is_some_and(|filled| filled > 0.0));
    let outputs = samples.by(DELIVERED, "name").into_iter();
    let queues = outputs.map(|(name, delivered)| {
        let errors = errors.get(name).ok_or(Lacks(ERRORS))?;
        let retries = retries.get(name).ok_or(Lacks(RETRIES))?;
        let filled = filled(name);
        let has_none_of_it = some_are_filled && filled.is_some_and(|filled| filled <= 0.0);
        Ok(Queue {
            name: format!("output {name}"),
            delivered,
            completed: delivered,
            taken_in,
            troubled: errors + retries,
            lost: *dropped.get(name).ok_or(Lacks(DROPPED))?,
            waiting: waiting.filter(|_| !has_none_of_it).unwrap_or_default(),
            behind: None,
            filled,
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
