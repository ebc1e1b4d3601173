//! Step 4: whether Fluent Bit flows.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{again, page_of, seen, set, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, Observed, Reason};

const DELIVERED: &str = "fluentbit_output_proc_records_total";
const RETRIES: &str = "fluentbit_output_retries_total";
const DROPPED: &str = "fluentbit_output_dropped_records_total";
const WAITING: &str = "fluentbit_input_storage_chunks_busy_bytes";
const TAKEN_IN: &str = "fluentbit_input_records_total";

fn page(evidence: &mut Evidence, position: usize) -> &mut MetricsPage {
    page_of(&mut evidence.telemetry.fluent_bit.metrics, position)
}

/// Changes both pods, and reads them again with further changes.
fn both(evidence: &mut Evidence, first: &[(&str, f64)], later: &[(&str, f64)]) {
    for position in 0..2 {
        let page = page(evidence, position);
        for (name, value) in first {
            set(page, name, *value);
        }
        again(page, later);
    }
}

pub(crate) const CASES: &[Case] = &[
    fails(
        "SF410",
        "2 of 2 pods without a metrics page: fluent-bit-4v9kd on node1, fluent-bit-tq8ls on node2",
    )
    .when("no Fluent Bit answers", |e| {
        for position in 0..2 {
            page(e, position).first = unknown(Reason::TimedOut);
        }
    }),
    warns(
        "SF410",
        "1 of 2 pods without a metrics page: fluent-bit-4v9kd on node1 (connection refused)",
    )
    .when("one Fluent Bit is silent", |e| {
        page(e, 0).first = unknown(Reason::Unreachable);
    }),
    unseen("SF410", "forbidden").when("Fluent Bit's page is forbidden", |e| {
        page(e, 0).first = unknown(Reason::Forbidden);
    }),
    unseen("SF410", "has no pod that could be asked").when("Fluent Bit has no pod", |e| {
        seen(&mut e.telemetry.fluent_bit.metrics).clear();
    }),
    passes("SF410", "1 pod").when("a Fluent Bit that was just created is silent", |e| {
        let now = e.now(starform_verify::evidence::Source::FluentBitMetrics).unwrap();
        seen(&mut e.telemetry.fluent_bit.workloads)[0].pods[0].created = now;
        page(e, 0).first = unknown(Reason::Unreachable);
    }),
    fails(
        "SF411",
        "fluent-bit-4v9kd on node1 was refused 3 times within 10s and delivered nothing (and 1 more of 2 pods)",
    )
    .when("every Fluent Bit is refused", |e| {
        both(e, &[(RETRIES, 30.0)], &[(RETRIES, 33.0)]);
    }),
    fails("SF411", "delivered nothing within 10s, and more than that waits").when("every Fluent Bit waits", |e| {
        both(e, &[(RETRIES, 30.0), (WAITING, 4e6)], &[]);
    }),
    fails(
        "SF411",
        "fluent-bit-4v9kd on node1 has delivered nothing in the 1h since it started",
    )
    .when("Fluent Bit never delivered", |e| both(e, &[(DELIVERED, 0.0)], &[])),
    warns("SF411", "has delivered nothing").when("one Fluent Bit does not deliver", |e| {
        set(page(e, 0), DELIVERED, 0.0);
        again(page(e, 0), &[]);
    }),
    unseen(
        "SF411",
        "nothing is delivered yet by 2 pods, which started less than 5m ago",
    )
    .when("Fluent Bit has just started", |e| {
        both(
            e,
            &[(DELIVERED, 0.0), ("fluentbit_uptime", 20.0)],
            &[("fluentbit_uptime", 30.0)],
        );
    }),
    fails("SF411", "nothing came in that could be delivered, at 2 pods").when("Fluent Bit reads nothing", |e| {
        both(e, &[(DELIVERED, 0.0), (TAKEN_IN, 0.0)], &[]);
    }),
    passes("SF411", "2 pods").when("Fluent Bit was refused an hour ago", |e| {
        both(e, &[(RETRIES, 30.0)], &[(DELIVERED, 120_300.0)]);
    }),
    unseen(
        "SF411",
        "delivered nothing within 10s, and nothing was refused, after 30 failures since it started",
    )
    .when("Fluent Bit does not show which", |e| {
        both(e, &[(RETRIES, 30.0)], &[(TAKEN_IN, 120_500.0)]);
    }),
    warns(
        "SF411",
        "fluent-bit-4v9kd on node1 delivered nothing within 10s, and nothing was refused",
    )
    .when("one Fluent Bit does not show which", |e| {
        set(page(e, 0), RETRIES, 30.0);
        again(page(e, 0), &[(TAKEN_IN, 120_500.0)]);
    }),
    passes("SF411", "2 pods").when("a quiet Fluent Bit was refused an hour ago", |e| {
        both(e, &[(RETRIES, 30.0)], &[]);
    }),
    unseen("SF411", "fluent-bit-4v9kd on node1 was not read again").when("Fluent Bit was not read again", |e| {
        for position in 0..2 {
            set(page(e, position), RETRIES, 30.0);
        }
    }),
    unseen("SF411", "started anew while it was read").when("Fluent Bit started anew meanwhile", |e| {
        both(
            e,
            &[(RETRIES, 30.0)],
            &[("fluentbit_uptime", 4.0), (DELIVERED, 3.0), (RETRIES, 0.0)],
        );
    }),
    unseen("SF411", "went while it was read").when("Fluent Bit went meanwhile", |e| {
        for position in 0..2 {
            set(page(e, position), RETRIES, 30.0);
            page(e, position).again = Some(Observed::Absent);
        }
    }),
    unseen("SF411", "timed out").when("Fluent Bit did not answer again", |e| {
        set(page(e, 0), RETRIES, 30.0);
        page(e, 0).again = Some(unknown(Reason::TimedOut));
    }),
    unseen("SF411", "does not show fluentbit_output_errors_total").when("Fluent Bit shows no errors", |e| {
        for position in 0..2 {
            seen(&mut page(e, position).first)
                .samples
                .retain(|sample| sample.name != "fluentbit_output_errors_total");
        }
    }),
    warns(
        "SF412",
        "6 chunks refused or tried again within seconds: fluent-bit-4v9kd on node1, fluent-bit-tq8ls on node2",
    )
    .when("Fluent Bit tries again now", |e| {
        both(e, &[(RETRIES, 30.0)], &[(RETRIES, 33.0), (DELIVERED, 120_300.0)]);
    }),
    passes("SF412", "2 pods").when("Fluent Bit tried again an hour ago", |e| {
        both(e, &[(RETRIES, 30.0)], &[(DELIVERED, 120_300.0)]);
    }),
    fails("SF413", "the buffer is 80 % full or more: fluent-bit-4v9kd on node1").when(
        "Fluent Bit's buffer is nearly full",
        |e| {
            set(page(e, 0), "fluentbit_output_chunk_available_capacity_percent", 12.5);
        },
    ),
    passes("SF413", "2 pods").when("Fluent Bit's buffer is as full as it may be", |e| {
        let free = (1.0 - 0.8) * 100.0;
        set(page(e, 0), "fluentbit_output_chunk_available_capacity_percent", free);
    }),
    unseen("SF413", "fluent-bit-4v9kd on node1 was not read again").when(
        "Fluent Bit's input stands still, and was not read again",
        |e| {
            set(page(e, 0), "fluentbit_input_ingestion_paused", 1.0);
        },
    ),
    passes("SF413", "2 pods").when("Fluent Bit's buffer was empty", |e| {
        set(page(e, 0), RETRIES, 3.0);
        set(page(e, 0), WAITING, 0.0);
        again(page(e, 0), &[(WAITING, 2e6), (DELIVERED, 120_300.0)]);
    }),
    passes("SF413", "2 pods").when("Fluent Bit's buffer stays as it is", |e| {
        set(page(e, 0), RETRIES, 3.0);
        set(page(e, 0), WAITING, 1e6);
        again(page(e, 0), &[(WAITING, 1e6), (DELIVERED, 120_300.0)]);
    }),
    fails("SF413", "an input stands still: fluent-bit-4v9kd on node1").when("Fluent Bit's input stands still", |e| {
        set(page(e, 0), "fluentbit_input_ingestion_paused", 1.0);
        again(page(e, 0), &[(DELIVERED, 120_300.0)]);
    }),
    passes("SF413", "2 pods").when("Fluent Bit's input stood still for a moment", |e| {
        set(page(e, 0), "fluentbit_input_storage_overlimit", 1.0);
        again(
            page(e, 0),
            &[("fluentbit_input_storage_overlimit", 0.0), (DELIVERED, 120_300.0)],
        );
    }),
    warns("SF413", "the buffer grows: fluent-bit-4v9kd on node1").when("Fluent Bit's buffer grows", |e| {
        set(page(e, 0), RETRIES, 3.0);
        set(page(e, 0), WAITING, 1e6);
        again(page(e, 0), &[(WAITING, 2e6), (DELIVERED, 120_300.0)]);
    }),
    unseen("SF413", "storage.metrics is off").when("Fluent Bit does not count its buffer", |e| {
        if let Observed::Seen(metrics) = &mut page(e, 0).first {
            metrics.samples.retain(|sample| sample.name != WAITING);
        }
    }),
    fails("SF414", "20 given up within seconds: fluent-bit-4v9kd on node1").when("Fluent Bit drops", |e| {
        set(page(e, 0), DROPPED, 5.0);
        again(page(e, 0), &[(DROPPED, 25.0), (DELIVERED, 120_300.0)]);
    }),
    warns(
        "SF414",
        "5 given up since it started, none now: fluent-bit-4v9kd on node1",
    )
    .when("Fluent Bit dropped an hour ago", |e| {
        set(page(e, 0), DROPPED, 5.0);
        again(page(e, 0), &[(DELIVERED, 120_300.0)]);
    }),
    unseen("SF414", "was not read again").when("Fluent Bit dropped, and was not read again", |e| {
        set(page(e, 0), DROPPED, 5.0);
    }),
    unseen("SF411", "delivered nothing within 10s, and nothing was refused").when(
        "of one Fluent Bit it cannot be told, and the other has nothing to deliver",
        |e| {
            set(page(e, 0), RETRIES, 30.0);
            again(page(e, 0), &[(TAKEN_IN, 120_500.0)]);
            set(page(e, 1), DELIVERED, 0.0);
            set(page(e, 1), TAKEN_IN, 0.0);
            again(page(e, 1), &[]);
        },
    ),
    passes("SF411", "1 pod; 1 with nothing to deliver").when("one Fluent Bit has just started", |e| {
        set(page(e, 1), DELIVERED, 0.0);
        set(page(e, 1), "fluentbit_uptime", 20.0);
        again(page(e, 1), &[("fluentbit_uptime", 30.0)]);
    }),
];
