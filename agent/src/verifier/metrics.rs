//! What verifications come to and what they cost: `shuttle_gate`, `shuttle_check_status`, `shuttle_verification*`,
//! `shuttle_canary_*` and what the status has of join and nodes.

use crate::lifecycle::Gate;
use crate::metrics::{Maybe, epoch};
use crate::verification::Verification;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use starform_verify::contract::Contract;
use starform_verify::evaluate::Selection;
use starform_verify::evidence::Canary;
use starform_verify::report::{Report, Verdict};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What verifications came to, and what they cost. A clone is the same metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    verifications: Family<GateLabel, Counter>,
    seconds: Counter<f64, AtomicU64>,
    processor_seconds: Counter<f64, AtomicU64>,
    last_seconds: Gauge<f64, AtomicU64>,
    label_lag: Maybe,
    sample_age: Maybe,
    row: Gauge,
    check_status: Family<CheckLabel, Gauge>,
    gate: Gauge,
    verified: Maybe,
    join_complete: Gauge,
    nodes_proven: Gauge,
    nodes_unproven: Gauge,
    /// The checks that the agent judges: no other becomes a label.
    codes: Arc<[&'static str]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabel {
    check: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabel {
    gate: &'static str,
}

// === impl Metrics ===

impl Metrics {
    /// Every check of the contract that the agent can judge stands at 0 until it is seen to pass.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let checks = Selection::inside();
        let codes = (checks.checks().iter().map(|check| check.code)).filter(|code| contract.check(code).is_some());
        let metrics = Self {
            verifications: Family::default(),
            seconds: Counter::default(),
            processor_seconds: Counter::default(),
            last_seconds: Gauge::default(),
            label_lag: Maybe::default(),
            sample_age: Maybe::default(),
            row: Gauge::default(),
            check_status: Family::default(),
            gate: Gauge::default(),
            verified: Maybe::default(),
            join_complete: Gauge::default(),
            nodes_proven: Gauge::default(),
            nodes_unproven: Gauge::default(),
            codes: codes.collect(),
        };
        for check in metrics.codes.iter().copied() {
            metrics.check_status.get_or_create(&CheckLabel { check }).set(0);
        }
        metrics
    }

    /// Adds them to a registry whose prefix is `shuttle`.
    pub fn register(&self, registry: &mut Registry) {
        self.register_cost(registry);
        self.register_canary(registry);
        let check = "Whether a check passes, with or without a warning or a waiver: 1; 0 otherwise, also before it is \
                     judged; absent while it has no subject";
        registry.register("check_status", check, self.check_status.clone());
        let gate = "Whether every gating check was seen and none fails: 1 or 0";
        registry.register("gate", gate, self.gate.clone());
        registry.register_with_unit(
            "last_verification_timestamp",
            "When the last verification began, in seconds since 1970, by the agent's clock",
            Unit::Seconds,
            self.verified.clone(),
        );
        let complete = "Whether every Ready node's container metrics were joined at least once: 1 or 0";
        registry.register("join_complete", complete, self.join_complete.clone());
        let proven = "Nodes that prove their own telemetry (condition StarformTelemetryReady)";
        registry.register("nodes_proven", proven, self.nodes_proven.clone());
        let unproven = "Ready nodes that do not prove their own telemetry";
        registry.register("nodes_unproven", unproven, self.nodes_unproven.clone());
    }

    fn register_cost(&self, registry: &mut Registry) {
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
    }

    fn register_canary(&self, registry: &mut Registry) {
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
        self.gate.set((verification.gate == Gate::Passes).into());
        self.verified.set(Some(epoch(verification.report.times.collected)));
        self.show_checks(&verification.report);
        self.show_canary(&verification.canary);
        let (join, nodes) = (&verification.join, &verification.nodes);
        self.join_complete.set(join.complete.into());
        self.nodes_proven.set(nodes.proven.into());
        self.nodes_unproven.set(nodes.of.saturating_sub(nodes.proven).into());
    }

    fn show_checks(&self, report: &Report) {
        for check in self.codes.iter().copied() {
            let label = CheckLabel { check };
            let judged = report.checks().find(|judged| judged.code == check);
            match judged.map(|judged| judged.verdict) {
                Some(Verdict::NotApplicable) => {
                    self.check_status.remove(&label);
                }
                verdict => {
                    let passes = matches!(verdict, Some(Verdict::Pass | Verdict::Warn | Verdict::Waived));
                    self.check_status.get_or_create(&label).set(passes.into());
                }
            }
        }
    }

    fn show_canary(&self, canary: &Canary) {
        self.row.set((canary.row && canary.missing.is_empty()).into());
        self.label_lag.set(canary.lag_ms.map(seconds));
        self.sample_age.set(canary.metrics_age_ms.map(seconds));
    }
}

fn seconds(milliseconds: u64) -> f64 {
    Duration::from_millis(milliseconds).as_secs_f64()
}

#[cfg(test)]
mod tests;
