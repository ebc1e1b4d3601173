//! What the labeler counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The labeler's metrics; a copy counts into the same.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) applied: Family<OutcomeLabel, Counter>,
    pub(super) pending: Gauge,
    pub(super) conflicts: Counter,
    pub(super) without_source: Family<KeyLabel, Counter>,
    pub(super) events_dropped: Counter,
}

/// How the work on a pod ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub(super) outcome: &'static str,
}

/// A label key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KeyLabel {
    pub(super) key: String,
}

// === impl Metrics ===

impl Metrics {
    /// Adds them to a registry, all named `shuttle_label…`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "shuttle_labels_applied",
            "Pods whose labels were worked on, by what came of it",
            self.applied.clone(),
        );
        registry.register(
            "shuttle_labels_pending",
            "Pods that wait for their labels",
            self.pending.clone(),
        );
        registry.register(
            "shuttle_label_conflicts",
            "Labels that were left with another value, which another field manager or a selector holds",
            self.conflicts.clone(),
        );
        registry.register(
            "shuttle_labels_without_source",
            "Labels that were left out, for neither owner nor namespace has a value, by key; once each time that a pod is worked on",
            self.without_source.clone(),
        );
        registry.register(
            "shuttle_label_events_dropped",
            "Events on labels that were not sent, for there were too many",
            self.events_dropped.clone(),
        );
    }

    pub(super) fn count(&self, outcome: &'static str) {
        self.applied.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}
