//! `shuttle_verification_*` and `shuttle_canary_*`.

use crate::lifecycle::Gate;
use crate::verification::Verification;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// A gauge that is absent at times.
type Perhaps = Family<Vec<(String, String)>, Gauge<f64, AtomicU64>>;

/// What verifications came to, and what they cost.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    verifications: Family<GateLabel, Counter>,
    seconds: Counter<f64, AtomicU64>,
    processor_seconds: Counter<f64, AtomicU64>,
    last_seconds: Gauge<f64, AtomicU64>,
    /// Absent until there is one: a lag of 0 would be a lie.
    label_lag: Perhaps,
    sample_age: Perhaps,
    row: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabel {
    gate: &'static str,
}

// === impl Metrics ===

impl Metrics {
    /// Adds them to a registry whose prefix is `shuttle`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "verifications",
            "Verifications, by what the gating checks came to",
            self.verifications.clone(),
        );
        registry.register("verification_seconds", "Time spent on verifying", self.seconds.clone());
        registry.register(
            "verification_processor_seconds",
            "Processor time spent on verifying, that of the process's other tasks in the same time included",
            self.processor_seconds.clone(),
        );
        registry.register(
            "verification_last_duration_seconds",
            "How long the last verification took",
            self.last_seconds.clone(),
        );
        registry.register(
            "canary_label_lag_seconds",
            "From the own pod's labels to its row of kube_pod_labels",
            self.label_lag.clone(),
        );
        registry.register(
            "canary_metrics_age_seconds",
            "How old the own pod's PodMetrics are, by the API server's clock",
            self.sample_age.clone(),
        );
        registry.register(
            "canary_row",
            "Whether the own pod's row of kube_pod_labels shows every label of the contract",
            self.row.clone(),
        );
    }

    pub(super) fn show(&self, verification: &Verification) {
        let gate = match verification.gate {
            Gate::Passes => "passes",
            Gate::Fails(_) => "fails",
            Gate::Unknown(_) => "unknown",
        };
        self.verifications.get_or_create(&GateLabel { gate }).inc();
        self.seconds.inc_by(verification.took.as_secs_f64());
        self.processor_seconds.inc_by(verification.cost.as_secs_f64());
        self.last_seconds.set(verification.took.as_secs_f64());
        let canary = &verification.canary;
        self.row.set(i64::from(canary.row && canary.missing.is_empty()));
        show(&self.label_lag, canary.lag_ms);
        show(&self.sample_age, canary.metrics_age_ms);
    }
}

fn show(gauge: &Perhaps, milliseconds: Option<u64>) {
    match milliseconds {
        Some(milliseconds) => {
            let seconds = std::time::Duration::from_millis(milliseconds).as_secs_f64();
            gauge.get_or_create(&Vec::new()).set(seconds);
        }
        None => gauge.clear(),
    }
}
