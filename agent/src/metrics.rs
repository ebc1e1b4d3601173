//! The agent's own metrics: what the lifecycle says. Every other module registers its own; what verifications come to and
//! cost is the verifier's to tell.

mod maybe;

use crate::liveness::Pulse;
use crate::snapshot::Snapshot;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use starform_verify::evidence::Phase;
use std::time::Duration;
use tokio::sync::watch;

pub(crate) use self::maybe::{Maybe, epoch};

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

// === impl Metrics ===

impl Default for Metrics {
    /// Those of an agent that has just started.
    fn default() -> Self {
        let metrics = Self {
            phase: Family::default(),
            registered: Gauge::default(),
            leader: Gauge::default(),
            ready: Gauge::default(),
            generation: Gauge::default(),
            heartbeat_accepted: Maybe::default(),
            transitions: Family::default(),
            announcements_failed: Family::default(),
        };
        metrics.set_phase(Phase::Starting);
        // A series that is there from the start is one whose first increase an alert can see.
        for kind in ["event", "status"] {
            drop(metrics.announcements_failed.get_or_create(&KindLabel { kind }));
        }
        metrics
    }
}

impl Metrics {
    /// Within how long [`Metrics::follow`] turns at least once: what its pulse is to be watched with.
    pub const TURNS_WITHIN: Duration = Duration::from_mins(2);

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
    }

    /// Follows the lifecycle until its sender is gone.
    pub async fn follow(self, mut snapshot: watch::Receiver<Snapshot>, pulse: Pulse) {
        self.snapshot(&snapshot.borrow_and_update());
        loop {
            pulse.beat();
            tokio::select! {
                changed = snapshot.changed() => match changed {
                    Ok(()) => self.snapshot(&snapshot.borrow_and_update()),
                    Err(_) => return pulse.rest(),
                },
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

#[cfg(test)]
mod tests;
