//! Step 4: whether Fluent Bit flows.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{after, again, page_of, seen, set, unknown};
use starform_verify::evidence::{Evidence, Metrics, MetricsPage, MetricsSample, Observed, Reason};

const DELIVERED: &str = "fluentbit_output_proc_records_total";
const RETRIES: &str = "fluentbit_output_retries_total";
const DROPPED: &str = "fluentbit_output_dropped_records_total";
const WAITING: &str = "fluentbit_input_storage_chunks_busy_bytes";
const TAKEN_IN: &str = "fluentbit_input_records_total";
const UPTIME: &str = "fluentbit_uptime";
const CAPACITY: &str = "fluentbit_output_chunk_available_capacity_percent";

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

/// A second output, `archive`, that has done what the first has.
fn second_output(page: &mut MetricsPage) {
    let metrics = seen(&mut page.first);
    let of_first = |sample: &&MetricsSample| sample.labels.get("name").is_some_and(|name| name == "vector");
    let mut more: Vec<MetricsSample> = metrics.samples.iter().filter(of_first).cloned().collect();
    for sample in &mut more {
        sample.labels.insert("name".to_owned(), "archive".to_owned());
    }
    metrics.samples.append(&mut more);
}

fn of_output(reading: &mut Observed<Metrics>, output: &str, name: &str, value: f64) {
    let is_it = |sample: &&mut MetricsSample| sample.name == name && sample.labels["name"] == output;
    for sample in seen(reading).samples.iter_mut().filter(is_it) {
        sample.value = value;
    }
}

/// In the second reading one output has delivered more.
fn deliver_more(page: &mut MetricsPage, output: &str) {
    of_output(page.again.as_mut().unwrap(), output, DELIVERED, 120_300.0);
}

/// In the second reading a counter is there that was not.
fn count(page: &mut MetricsPage, name: &str, of: &str, value: f64) {
    seen(page.again.as_mut().unwrap()).samples.push(MetricsSample {
        name: name.to_owned(),
        labels: [("name".to_owned(), of.to_owned())].into(),
        value,
    });
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
    fails("SF411", "takes in and delivered nothing within 10s (and 1 more of 2 pods)").when("every Fluent Bit waits", |e| {
        both(e, &[(RETRIES, 30.0), (WAITING, 4e6)], &[(TAKEN_IN, 120_500.0)]);
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
    fails(
        "SF411",
        "fluent-bit-4v9kd on node1 stands still: its page says the same 35s since its start 10s later, and its container \
         runs for 1h; it has delivered 0; more than that waits for output vector (and 1 more of 2 pods)",
    )
    .when("Fluent Bit's engine stands still since its start", |e| {
        let stood = [(UPTIME, 35.0), (DELIVERED, 0.0), (WAITING, 741_376.0), (RETRIES, 3.0)];
        both(e, &stood, &stood);
    }),
    fails("SF411", "stands still: its page says the same 1h since its start 10s later").when(
        "Fluent Bit's engine stands still since a moment ago",
        |e| both(e, &[(RETRIES, 12.0)], &[(UPTIME, 3_600.0)]),
    ),
    fails("SF411", "fluent-bit-4v9kd on node1 stands still").when("the engine of one Fluent Bit stands still", |e| {
        set(page(e, 0), UPTIME, 2_000.0);
        again(page(e, 0), &[(UPTIME, 2_000.0)]);
    }),
    passes("SF411", "2 pods").when("Fluent Bit was reloaded, and goes on", |e| {
        both(e, &[(UPTIME, 600.0), (DELIVERED, 12.0), (TAKEN_IN, 12.0)], &[]);
    }),
    passes("SF411", "2 pods").when("a node's clock is before the API server's", |e| {
        for pod in &mut seen(&mut e.telemetry.fluent_bit.workloads)[0].pods {
            pod.started = pod.started.map(|started| started + jiff::SignedDuration::from_mins(7));
        }
        both(e, &[], &[(DELIVERED, 120_300.0), (TAKEN_IN, 120_780.0)]);
    }),
    unseen("SF411", "has a container of which it is not told since when it runs, and was not read again")
        .when("since when Fluent Bit's container runs is not told", |e| {
            for pod in &mut seen(&mut e.telemetry.fluent_bit.workloads)[0].pods {
                pod.started = None;
            }
        }),
    fails("SF411", "takes in and delivered nothing within 10s, and what waits fills 35 % of its space").when(
        "Fluent Bit's output hangs without a retry",
        |e| both(e, &[(WAITING, 734_003_200.0), (CAPACITY, 65.0)], &[(TAKEN_IN, 120_980.0)]),
    ),
    fails("SF411", "delivered nothing within 10s, and more than that waits, and what waits fills 35 % of its space").when(
        "Fluent Bit's output hangs, and nothing comes in",
        |e| both(e, &[(WAITING, 734_003_200.0), (CAPACITY, 65.0)], &[]),
    ),
    unseen("SF411", "nothing was refused, after 30 failures since it started; a window of 1m 10s did not fit").when(
        "Fluent Bit's chunks wait for their next try",
        |e| both(e, &[(RETRIES, 30.0), (WAITING, 4e3)], &[]),
    ),
    fails("SF411", "delivered nothing within 1m 10s, and more than that waits").when(
        "Fluent Bit's chunks wait for longer than to their next try",
        |e| {
            for position in 0..2 {
                set(page(e, position), WAITING, 4e3);
                after(page(e, position), 70, &[]);
            }
        },
    ),
    fails("SF411", "fluent-bit-4v9kd on node1 (output archive) takes in and delivered nothing within 10s").when(
        "one of Fluent Bit's outputs hangs",
        |e| {
            for position in 0..2 {
                second_output(page(e, position));
                set(page(e, position), WAITING, 4e6);
                again(page(e, position), &[(TAKEN_IN, 120_980.0)]);
                deliver_more(page(e, position), "vector");
            }
        },
    ),
    passes("SF411", "2 pods").when("one of Fluent Bit's outputs is given nothing", |e| {
        for position in 0..2 {
            second_output(page(e, position));
            of_output(&mut page(e, position).first, "archive", DELIVERED, 0.0);
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
        let free = (1.0 - 0.25) * 100.0;
        set(page(e, 0), "fluentbit_output_chunk_available_capacity_percent", free);
    }),
    unseen("SF413", "fluent-bit-4v9kd on node1 was not read again").when(
        "Fluent Bit's input stands still, and was not read again",
        |e| {
            set(page(e, 0), "fluentbit_input_ingestion_paused", 1.0);
        },
    ),
    warns("SF413", "the buffer is 25 % full or more: fluent-bit-4v9kd on node1").when("Fluent Bit's buffer fills", |e| {
        set(page(e, 0), CAPACITY, 65.0);
    }),
    passes("SF413", "2 pods").when("more is on its way than a moment ago", |e| {
        set(page(e, 0), WAITING, 1e6);
        again(page(e, 0), &[(WAITING, 2e6), (DELIVERED, 120_300.0)]);
    }),
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
        again(page(e, 0), &[(WAITING, 2e6), (RETRIES, 4.0), (DELIVERED, 120_300.0)]);
    }),
    unseen("SF413", "storage.metrics is off").when("Fluent Bit does not count its buffer", |e| {
        if let Observed::Seen(metrics) = &mut page(e, 0).first {
            metrics.samples.retain(|sample| sample.name != WAITING);
        }
    }),
    fails(
        "SF414",
        "given up now: fluent-bit-4v9kd on node1 (fluentbit_output_dropped_records_total of vector by 20)",
    )
    .when("Fluent Bit drops", |e| {
        set(page(e, 0), DROPPED, 5.0);
        again(page(e, 0), &[(DROPPED, 25.0), (DELIVERED, 120_300.0)]);
    }),
    warns(
        "SF414",
        "given up since it started, none now: fluent-bit-4v9kd on node1 (5 fluentbit_output_dropped_records_total of vector)",
    )
    .when("Fluent Bit dropped an hour ago", |e| {
        set(page(e, 0), DROPPED, 5.0);
        again(page(e, 0), &[(DELIVERED, 120_300.0)]);
    }),
    warns(
        "SF414",
        "cut short now: fluent-bit-4v9kd on node1 (fluentbit_input_long_line_skipped_total of pods by 2)",
    )
    .when("lines are longer than Fluent Bit takes", |e| {
        again(page(e, 0), &[]);
        count(page(e, 0), "fluentbit_input_long_line_skipped_total", "pods", 2.0);
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
