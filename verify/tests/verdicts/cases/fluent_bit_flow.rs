//! Step 4: whether Fluent Bit flows.

use crate::case::Case;
use crate::given::{again, page_of, seen, set, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, Observed, Reason};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

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
    Case {
        name: "no Fluent Bit answers",
        code: "SF410",
        verdict: Fail,
        says: "2 of 2 pods without a metrics page: fluent-bit-4v9kd on node1, fluent-bit-tq8ls on node2",
        change: |e| {
            for position in 0..2 {
                page(e, position).first = unknown(Reason::TimedOut);
            }
        },
    },
    Case {
        name: "one Fluent Bit is silent",
        code: "SF410",
        verdict: Warn,
        says: "1 of 2 pods without a metrics page: fluent-bit-4v9kd on node1 (no)",
        change: |e| page(e, 0).first = unknown(Reason::Unreachable),
    },
    Case {
        name: "Fluent Bit's page is forbidden",
        code: "SF410",
        verdict: Unseen,
        says: "forbidden",
        change: |e| page(e, 0).first = unknown(Reason::Forbidden),
    },
    Case {
        name: "Fluent Bit has no pod",
        code: "SF410",
        verdict: Unseen,
        says: "has no pod that could be asked",
        change: |e| seen(&mut e.telemetry.fluent_bit.metrics).clear(),
    },
    Case {
        name: "a Fluent Bit that was just created is silent",
        code: "SF410",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            let now = e.now(starform_verify::evidence::Source::FluentBitMetrics).unwrap();
            seen(&mut e.telemetry.fluent_bit.workloads)[0].pods[0].created = now;
            page(e, 0).first = unknown(Reason::Unreachable);
        },
    },
    Case {
        name: "every Fluent Bit is refused",
        code: "SF411",
        verdict: Fail,
        says: "fluent-bit-4v9kd on node1 was refused 3 times within 10s and delivered nothing (and 1 more of 2 pods)",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[(RETRIES, 33.0)]);
        },
    },
    Case {
        name: "every Fluent Bit waits",
        code: "SF411",
        verdict: Fail,
        says: "delivered nothing within 10s, and more than that waits",
        change: |e| {
            both(e, &[(RETRIES, 30.0), (WAITING, 4e6)], &[]);
        },
    },
    Case {
        name: "Fluent Bit never delivered",
        code: "SF411",
        verdict: Fail,
        says: "fluent-bit-4v9kd on node1 has delivered nothing in the 1h since it started",
        change: |e| {
            both(e, &[(DELIVERED, 0.0)], &[]);
        },
    },
    Case {
        name: "one Fluent Bit does not deliver",
        code: "SF411",
        verdict: Warn,
        says: "has delivered nothing",
        change: |e| {
            set(page(e, 0), DELIVERED, 0.0);
            again(page(e, 0), &[]);
        },
    },
    Case {
        name: "Fluent Bit has just started",
        code: "SF411",
        verdict: Unseen,
        says: "nothing is delivered yet by 2 pods, which started less than 5m ago",
        change: |e| {
            both(
                e,
                &[(DELIVERED, 0.0), ("fluentbit_uptime", 20.0)],
                &[("fluentbit_uptime", 30.0)],
            );
        },
    },
    Case {
        name: "Fluent Bit reads nothing",
        code: "SF411",
        verdict: Fail,
        says: "nothing came in that could be delivered, at 2 pods",
        change: |e| {
            both(e, &[(DELIVERED, 0.0), (TAKEN_IN, 0.0)], &[]);
        },
    },
    Case {
        name: "Fluent Bit was refused an hour ago",
        code: "SF411",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[(DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit does not show which",
        code: "SF411",
        verdict: Unseen,
        says: "delivered nothing within 10s, and nothing was refused, after 30 failures since it started",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[(TAKEN_IN, 120_500.0)]);
        },
    },
    Case {
        name: "one Fluent Bit does not show which",
        code: "SF411",
        verdict: Warn,
        says: "fluent-bit-4v9kd on node1 delivered nothing within 10s, and nothing was refused",
        change: |e| {
            set(page(e, 0), RETRIES, 30.0);
            again(page(e, 0), &[(TAKEN_IN, 120_500.0)]);
        },
    },
    Case {
        name: "a quiet Fluent Bit was refused an hour ago",
        code: "SF411",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[]);
        },
    },
    Case {
        name: "Fluent Bit was not read again",
        code: "SF411",
        verdict: Unseen,
        says: "fluent-bit-4v9kd on node1 was not read again",
        change: |e| {
            for position in 0..2 {
                set(page(e, position), RETRIES, 30.0);
            }
        },
    },
    Case {
        name: "Fluent Bit started anew meanwhile",
        code: "SF411",
        verdict: Unseen,
        says: "started anew while it was read",
        change: |e| {
            both(
                e,
                &[(RETRIES, 30.0)],
                &[("fluentbit_uptime", 4.0), (DELIVERED, 3.0), (RETRIES, 0.0)],
            );
        },
    },
    Case {
        name: "Fluent Bit went meanwhile",
        code: "SF411",
        verdict: Unseen,
        says: "went while it was read",
        change: |e| {
            for position in 0..2 {
                set(page(e, position), RETRIES, 30.0);
                page(e, position).again = Some(Observed::Absent);
            }
        },
    },
    Case {
        name: "Fluent Bit did not answer again",
        code: "SF411",
        verdict: Unseen,
        says: "timed out",
        change: |e| {
            set(page(e, 0), RETRIES, 30.0);
            page(e, 0).again = Some(unknown(Reason::TimedOut));
        },
    },
    Case {
        name: "Fluent Bit shows no errors",
        code: "SF411",
        verdict: Unseen,
        says: "does not show fluentbit_output_errors_total",
        change: |e| {
            for position in 0..2 {
                seen(&mut page(e, position).first)
                    .samples
                    .retain(|sample| sample.name != "fluentbit_output_errors_total");
            }
        },
    },
    Case {
        name: "Fluent Bit tries again now",
        code: "SF412",
        verdict: Warn,
        says: "6 chunks refused or tried again within seconds: fluent-bit-4v9kd on node1, fluent-bit-tq8ls on node2",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[(RETRIES, 33.0), (DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit tried again an hour ago",
        code: "SF412",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            both(e, &[(RETRIES, 30.0)], &[(DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit's buffer is nearly full",
        code: "SF413",
        verdict: Fail,
        says: "the buffer is 80 % full or more: fluent-bit-4v9kd on node1",
        change: |e| set(page(e, 0), "fluentbit_output_chunk_available_capacity_percent", 12.5),
    },
    Case {
        name: "Fluent Bit's buffer is as full as it may be",
        code: "SF413",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            let free = (1.0 - 0.8) * 100.0;
            set(page(e, 0), "fluentbit_output_chunk_available_capacity_percent", free);
        },
    },
    Case {
        name: "Fluent Bit's input stands still, and was not read again",
        code: "SF413",
        verdict: Unseen,
        says: "fluent-bit-4v9kd on node1 was not read again",
        change: |e| set(page(e, 0), "fluentbit_input_ingestion_paused", 1.0),
    },
    Case {
        name: "Fluent Bit's buffer was empty",
        code: "SF413",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            set(page(e, 0), RETRIES, 3.0);
            set(page(e, 0), WAITING, 0.0);
            again(page(e, 0), &[(WAITING, 2e6), (DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit's buffer stays as it is",
        code: "SF413",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            set(page(e, 0), RETRIES, 3.0);
            set(page(e, 0), WAITING, 1e6);
            again(page(e, 0), &[(WAITING, 1e6), (DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit's input stands still",
        code: "SF413",
        verdict: Fail,
        says: "an input stands still: fluent-bit-4v9kd on node1",
        change: |e| {
            set(page(e, 0), "fluentbit_input_ingestion_paused", 1.0);
            again(page(e, 0), &[(DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit's input stood still for a moment",
        code: "SF413",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            set(page(e, 0), "fluentbit_input_storage_overlimit", 1.0);
            again(
                page(e, 0),
                &[("fluentbit_input_storage_overlimit", 0.0), (DELIVERED, 120_300.0)],
            );
        },
    },
    Case {
        name: "Fluent Bit's buffer grows",
        code: "SF413",
        verdict: Warn,
        says: "the buffer grows: fluent-bit-4v9kd on node1",
        change: |e| {
            set(page(e, 0), RETRIES, 3.0);
            set(page(e, 0), WAITING, 1e6);
            again(page(e, 0), &[(WAITING, 2e6), (DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit does not count its buffer",
        code: "SF413",
        verdict: Unseen,
        says: "storage.metrics is off",
        change: |e| {
            if let Observed::Seen(metrics) = &mut page(e, 0).first {
                metrics.samples.retain(|sample| sample.name != WAITING);
            }
        },
    },
    Case {
        name: "Fluent Bit drops",
        code: "SF414",
        verdict: Fail,
        says: "20 given up within seconds: fluent-bit-4v9kd on node1",
        change: |e| {
            set(page(e, 0), DROPPED, 5.0);
            again(page(e, 0), &[(DROPPED, 25.0), (DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit dropped an hour ago",
        code: "SF414",
        verdict: Warn,
        says: "5 given up since it started, none now: fluent-bit-4v9kd on node1",
        change: |e| {
            set(page(e, 0), DROPPED, 5.0);
            again(page(e, 0), &[(DELIVERED, 120_300.0)]);
        },
    },
    Case {
        name: "Fluent Bit dropped, and was not read again",
        code: "SF414",
        verdict: Unseen,
        says: "was not read again",
        change: |e| set(page(e, 0), DROPPED, 5.0),
    },
    Case {
        name: "of one Fluent Bit it cannot be told, and the other has nothing to deliver",
        code: "SF411",
        verdict: Unseen,
        says: "delivered nothing within 10s, and nothing was refused",
        change: |e| {
            set(page(e, 0), RETRIES, 30.0);
            again(page(e, 0), &[(TAKEN_IN, 120_500.0)]);
            set(page(e, 1), DELIVERED, 0.0);
            set(page(e, 1), TAKEN_IN, 0.0);
            again(page(e, 1), &[]);
        },
    },
    Case {
        name: "one Fluent Bit has just started",
        code: "SF411",
        verdict: Pass,
        says: "1 pod; 1 with nothing to deliver",
        change: |e| {
            set(page(e, 1), DELIVERED, 0.0);
            set(page(e, 1), "fluentbit_uptime", 20.0);
            again(page(e, 1), &[("fluentbit_uptime", 30.0)]);
        },
    },
];
