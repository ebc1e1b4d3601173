//! The agent's own metrics: what the lifecycle and the last verification say. Every other module registers its own; what
//! a verification costs is the verifier's to tell.

use crate::liveness::Pulse;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use starform_verify::contract::Contract;
use starform_verify::evaluate::Selection;
use starform_verify::evidence::Phase;
use starform_verify::report::Verdict;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A gauge that has no sample before it has a value: 0 would be a point in 1970.
#[derive(Clone, Debug, Default)]
struct Maybe(Arc<Mutex<Option<f64>>>);

/// The metrics. A clone is the same metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    phase: Family<PhaseLabel, Gauge>,
    registered: Gauge,
    leader: Gauge,
    ready: Gauge,
    generation: Gauge,
    heartbeat_accepted: Maybe,
    transitions: Family<TransitionLabels, Counter>,
    announcements_failed: Family<KindLabel, Counter>,
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
struct PhaseLabel {
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransitionLabels {
    from: &'static str,
    to: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabel {
    check: &'static str,
}

// === impl Metrics ===

impl Metrics {
    /// Within how long [`Metrics::follow`] turns at least once: what its pulse is to be watched with.
    pub const TURNS_WITHIN: Duration = Duration::from_mins(2);

    /// Every check of the contract that the agent can judge stands at 0 until it is seen to pass.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let checks = Selection::inside();
        let codes = (checks.checks().iter().map(|check| check.code)).filter(|code| contract.check(code).is_some());
        let metrics = Self {
            phase: Family::default(),
            registered: Gauge::default(),
            leader: Gauge::default(),
            ready: Gauge::default(),
            generation: Gauge::default(),
            heartbeat_accepted: Maybe::default(),
            transitions: Family::default(),
            announcements_failed: Family::default(),
            check_status: Family::default(),
            gate: Gauge::default(),
            verified: Maybe::default(),
            join_complete: Gauge::default(),
            nodes_proven: Gauge::default(),
            nodes_unproven: Gauge::default(),
            codes: codes.collect(),
        };
        metrics.set_phase(Phase::Starting);
        for check in metrics.codes.iter().copied() {
            metrics.check_status.get_or_create(&CheckLabel { check }).set(0);
        }
        // A series that is there from the start is one whose first increase an alert can see.
        for kind in ["event", "status"] {
            drop(metrics.announcements_failed.get_or_create(&KindLabel { kind }));
        }
        metrics
    }

    /// Registers them all, under the prefix `shuttle`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("shuttle");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the agent", build);
        let phase = "Where the lifecycle stands: 1 for its phase, 0 for every other";
        registry.register("phase", phase, self.phase.clone());
        let registered = "Whether a registration stands that Starbase granted: 1 or 0";
        registry.register("registered", registered, self.registered.clone());
        let leader = "Whether this replica holds the Lease: 1 or 0";
        registry.register("leader", leader, self.leader.clone());
        registry.register(
            "ready",
            "What /readyz answers: 1 for 200, 0 for 503",
            self.ready.clone(),
        );
        let generation = "Generation of the registration that stands; 0 where none does";
        registry.register("registration_generation", generation, self.generation.clone());
        registry.register_with_unit(
            "last_heartbeat_timestamp",
            "When Starbase last accepted a heartbeat, in seconds since 1970, by the agent's clock",
            Unit::Seconds,
            self.heartbeat_accepted.clone(),
        );
        let transitions = "Changes of phase";
        registry.register("transitions", transitions, self.transitions.clone());
        let failed = "Events (kind event) and writes of the ConfigMap (kind status) that the API server did not take";
        registry.register("announcements_failed", failed, self.announcements_failed.clone());
        self.register_verification(registry);
    }

    fn register_verification(&self, registry: &mut Registry) {
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

    /// Follows the lifecycle and the verifications until the lifecycle's sender is gone.
    pub async fn follow(
        self,
        mut snapshot: watch::Receiver<Snapshot>,
        mut verifications: watch::Receiver<Option<Arc<Verification>>>,
        pulse: Pulse,
    ) {
        self.snapshot(&snapshot.borrow_and_update());
        if let Some(verification) = verifications.borrow_and_update().as_deref() {
            self.verification(verification);
        }
        loop {
            pulse.beat();
            tokio::select! {
                changed = snapshot.changed() => match changed {
                    Ok(()) => self.snapshot(&snapshot.borrow_and_update()),
                    Err(_) => return pulse.rest(),
                },
                Ok(()) = verifications.changed() => {
                    if let Some(verification) = verifications.borrow_and_update().as_deref() {
                        self.verification(verification);
                    }
                }
                () = tokio::time::sleep(Self::TURNS_WITHIN / 4) => {}
            }
        }
    }

    /// Shows a snapshot.
    pub fn snapshot(&self, snapshot: &Snapshot) {
        self.set_phase(snapshot.phase);
        self.registered.set(snapshot.registration.is_some().into());
        self.leader.set(snapshot.leader.into());
        self.ready.set(snapshot.ready.into());
        let generation = snapshot.registration.map_or(0, |registered| registered.generation);
        self.generation.set(i64::try_from(generation).unwrap_or(i64::MAX));
        let accepted = snapshot
            .registration
            .and_then(|registered| registered.heartbeat_accepted);
        self.heartbeat_accepted.set(accepted.map(epoch));
    }

    /// Shows a verification.
    pub fn verification(&self, verification: &Verification) {
        self.verified.set(Some(epoch(verification.report.times.collected)));
        let passes = verification.gate == crate::lifecycle::Gate::Passes;
        self.gate.set(passes.into());
        for check in self.codes.iter().copied() {
            let label = CheckLabel { check };
            let judged = verification.report.checks().find(|judged| judged.code == check);
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
        let (join, nodes) = (&verification.join, &verification.nodes);
        self.join_complete.set(join.complete.into());
        self.nodes_proven.set(nodes.proven.into());
        self.nodes_unproven.set(nodes.of.saturating_sub(nodes.proven).into());
    }

    /// Counts a transition.
    pub fn transition(&self, from: Phase, to: Phase) {
        let labels = TransitionLabels {
            from: from.as_str(),
            to: to.as_str(),
        };
        self.transitions.get_or_create(&labels).inc();
    }

    /// Counts an announcement that the API server did not take: `event` or `status`.
    pub fn announcement_failed(&self, kind: &'static str) {
        self.announcements_failed.get_or_create(&KindLabel { kind }).inc();
    }

    fn set_phase(&self, phase: Phase) {
        for each in Phase::ALL {
            let label = PhaseLabel { phase: each.as_str() };
            self.phase.get_or_create(&label).set((each == phase).into());
        }
    }
}

// === impl Maybe ===

impl Maybe {
    fn set(&self, value: Option<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

impl EncodeMetric for Maybe {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let value = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        value.map_or(Ok(()), |value| encoder.encode_gauge(&value))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

fn epoch(time: jiff::Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests;
