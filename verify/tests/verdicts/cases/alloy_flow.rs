//! Step 4: whether Alloy flows.

use crate::case::Case;
use crate::given::{again, page_of, set, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, Reason};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

const TRIED: &str = "prometheus_remote_storage_samples_total";
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

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "Alloy does not answer",
        code: "SF450",
        verdict: Fail,
        says: "1 of 2 pods without a metrics page: k8s-monitoring-alloy-metrics-0 (no)",
        change: |e| metrics(e).first = unknown(Reason::TimedOut),
    },
    Case {
        name: "Alloy's page is forbidden",
        code: "SF450",
        verdict: Unseen,
        says: "forbidden",
        change: |e| events(e).first = unknown(Reason::Forbidden),
    },
    Case {
        name: "Grafana Cloud refuses",
        code: "SF451",
        verdict: Fail,
        says: "k8s-monitoring-alloy-metrics-0 was refused 2000 times within 10s and delivered nothing",
        change: |e| {
            set(metrics(e), FAILED, 4e3);
            again(
                metrics(e),
                &[(FAILED, 6e3), (TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0)],
            );
        },
    },
    Case {
        name: "Grafana Cloud hangs",
        code: "SF451",
        verdict: Fail,
        says: "k8s-monitoring-alloy-metrics-0 delivered nothing within 10s, and more than that waits",
        change: |e| {
            set(metrics(e), NEWEST_SENT, 1e9);
            again(metrics(e), &[]);
        },
    },
    Case {
        name: "Grafana Cloud hangs since the start",
        code: "SF451",
        verdict: Fail,
        says: "k8s-monitoring-alloy-metrics-0 has delivered nothing in the 1h since it started",
        change: |e| {
            set(metrics(e), NEWEST_SENT, 0.0);
            set(metrics(e), COMPLETED, 0.0);
            again(metrics(e), &[]);
        },
    },
    Case {
        name: "Grafana Cloud refused an hour ago",
        code: "SF451",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            set(metrics(e), FAILED, 4e3);
            again(metrics(e), &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0)]);
        },
    },
    Case {
        name: "Alloy has just started",
        code: "SF451",
        verdict: Unseen,
        says: "nothing is delivered yet by 2 pods, which started less than 5m ago",
        change: |e| {
            let start = 1e10;
            set(metrics(e), COMPLETED, 0.0);
            set(metrics(e), STARTED, start);
            again(metrics(e), &[]);
            set(events(e), "loki_write_sent_entries_total", 0.0);
            set(events(e), STARTED, start);
        },
    },
    Case {
        name: "no Event yet",
        code: "SF451",
        verdict: Pass,
        says: "1 pod; 1 with nothing to deliver",
        change: |e| set(events(e), "loki_write_sent_entries_total", 0.0),
    },
    Case {
        name: "Alloy takes in nothing",
        code: "SF451",
        verdict: Fail,
        says: "nothing came in that could be delivered, at 2 pods",
        change: |e| {
            set(events(e), "loki_write_sent_entries_total", 0.0);
            set(metrics(e), COMPLETED, 0.0);
            set(metrics(e), "prometheus_remote_write_wal_samples_appended_total", 0.0);
            set(metrics(e), NEWEST_SENT, 0.0);
            set(
                metrics(e),
                "prometheus_remote_storage_queue_highest_timestamp_seconds",
                0.0,
            );
        },
    },
    Case {
        name: "Events were tried again an hour ago",
        code: "SF451",
        verdict: Pass,
        says: "2 pods",
        change: |e| {
            set(events(e), "loki_write_batch_retries_total", 4.0);
            again(events(e), &[]);
        },
    },
    Case {
        name: "Alloy does not show which",
        code: "SF451",
        verdict: Unseen,
        says: "k8s-monitoring-alloy-metrics-0 delivered nothing within 10s, and nothing was refused",
        change: |e| {
            set(metrics(e), FAILED, 4e3);
            again(metrics(e), &[]);
        },
    },
    Case {
        name: "Events are tried again",
        code: "SF451",
        verdict: Fail,
        says: "was refused 3 times within 10s and delivered nothing",
        change: |e| {
            set(events(e), "loki_write_batch_retries_total", 4.0);
            again(events(e), &[("loki_write_batch_retries_total", 7.0)]);
        },
    },
    Case {
        name: "a component of Alloy is unhealthy",
        code: "SF452",
        verdict: Fail,
        says: "components unhealthy: k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q",
        change: |e| set(events(e), "alloy_component_controller_running_components", 1.0),
    },
    Case {
        name: "no component of Alloy was evaluated",
        code: "SF452",
        verdict: Unseen,
        says: "no component has been evaluated yet",
        change: |e| {
            set(metrics(e), "alloy_component_controller_running_components", 0.0);
            set(events(e), "alloy_component_controller_running_components", 0.0);
        },
    },
    Case {
        name: "Alloy drops",
        code: "SF453",
        verdict: Fail,
        says: "10 given up within seconds: k8s-monitoring-alloy-singleton-6c9f7d5b8c-x2x4q",
        change: |e| {
            set(events(e), "loki_write_dropped_entries_total", 5.0);
            again(
                events(e),
                &[
                    ("loki_write_dropped_entries_total", 15.0),
                    ("loki_write_sent_entries_total", 400.0),
                ],
            );
        },
    },
    Case {
        name: "Alloy dropped an hour ago",
        code: "SF453",
        verdict: Warn,
        says: "4000 given up since it started, none now: k8s-monitoring-alloy-metrics-0",
        change: |e| {
            set(metrics(e), FAILED, 4e3);
            again(metrics(e), &[(TRIED, 3_304_144.0), (COMPLETED, 61_270_011.0)]);
        },
    },
];
