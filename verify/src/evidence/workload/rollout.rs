//! How far a workload's newest revision has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a workload says of its revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The newest revision: a Deployment's annotation `deployment.kubernetes.io/revision`, a StatefulSet's
    /// `status.updateRevision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The revision that was rolled out whole last: a StatefulSet's `status.currentRevision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_revision: Option<String>,
    /// `spec.progressDeadlineSeconds` of a Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<u32>,
    /// Its conditions `Progressing`, `Available` and `ReplicaFailure`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RolloutCondition>,
}

/// A condition of a workload. What its message says of trouble is [`super::Workload::trouble`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutCondition {
    /// `Progressing`, `Available` or `ReplicaFailure`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// When its status changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was updated last: `Progressing` with every progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
}

// === impl Rollout ===

impl Rollout {
    /// The condition of that kind.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&RolloutCondition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
