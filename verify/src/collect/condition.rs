//! Conditions of an object's status.

use super::status::bounded;
use crate::evidence::{Condition, RolloutCondition};
use jiff::Timestamp;
use serde::Deserialize;

/// A condition as the API server writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) last_transition_time: Option<Timestamp>,
    #[serde(default)]
    last_update_time: Option<Timestamp>,
    #[serde(default)]
    last_heartbeat_time: Option<Timestamp>,
}

/// The condition of that type.
pub(super) fn find(conditions: &[RawCondition], kind: &str) -> Option<Condition> {
    let found = conditions.iter().find(|condition| condition.kind == kind)?;
    Some(Condition {
        status: found.status.clone(),
        reason: bounded(found.reason.as_deref().unwrap_or_default()),
        message: bounded(found.message.as_deref().unwrap_or_default()),
        since: found.last_transition_time,
    })
}

/// When a node's condition of that type was last renewed.
pub(super) fn renewed(conditions: &[RawCondition], kind: &str) -> Option<Timestamp> {
    let found = conditions.iter().find(|condition| condition.kind == kind)?;
    found.last_heartbeat_time
}

/// A workload's condition, as its rollout has it.
pub(super) fn of_rollout(condition: &RawCondition) -> RolloutCondition {
    RolloutCondition {
        kind: condition.kind.clone(),
        status: condition.status.clone(),
        reason: bounded(condition.reason.as_deref().unwrap_or_default()),
        since: condition.last_transition_time,
        updated: condition.last_update_time,
    }
}

/// Why a workload makes no progress, in its controller's words.
pub(super) fn trouble(conditions: &[RawCondition]) -> Option<String> {
    let found = conditions.iter().find(|condition| {
        matches!(
            (condition.kind.as_str(), condition.status.as_str()),
            ("ReplicaFailure", "True") | ("Progressing", "False")
        )
    })?;
    let reason = found.reason.as_deref().unwrap_or(&found.kind);
    let message = found.message.as_deref().unwrap_or_default();
    Some(bounded(&format!("{reason}: {message}")))
}
