//! The node condition: what it says next, and how it is written.
//!
//! The account may patch the node's status and nothing else: it never gets the Node. A patch that changes nothing is
//! answered with the Node as it stands, which is how the condition that an earlier agent left is known.

use super::{Verdict, api_error};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, Patch, PatchParams};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// The condition as the API server stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeCondition {
    /// `StarformTelemetryReady`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True` or `False`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// When it was last confirmed.
    pub last_heartbeat_time: Timestamp,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
}

/// What was last published.
#[derive(Clone, Debug, Default)]
pub(super) enum Published {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// The node has no such condition.
    Absent,
    /// The node has this one.
    Known(NodeCondition),
}

// === impl Published ===

impl Published {
    /// What the node has: `None` where it has no such condition.
    pub(super) fn known(condition: Option<NodeCondition>) -> Self {
        condition.map_or(Self::Absent, Self::Known)
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// What to publish next. The time of the last transition stays while the status does.
    pub(super) fn next(&self, kind: &str, verdict: &Verdict, now: Timestamp) -> NodeCondition {
        // Conditions have whole seconds.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let status = if verdict.proven { "True" } else { "False" };
        let before = match self {
            Self::Known(before) if before.status == status => Some(before),
            _ => None,
        };
        NodeCondition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: verdict.reason.to_owned(),
            message: verdict.message.clone(),
            last_heartbeat_time: now,
            last_transition_time: before.map_or(now, |before| before.last_transition_time),
        }
    }
}

/// The condition as it stands, by a patch that changes nothing. Needs `patch nodes/status`.
pub(super) async fn read(
    client: &kube::Client,
    node: &str,
    kind: &str,
    timeout: Duration,
) -> Result<Option<NodeCondition>, String> {
    let answered = patch(client, node, &json!({}), timeout).await?;
    let conditions = answered.status.and_then(|status| status.conditions).unwrap_or_default();
    let found = conditions.into_iter().find(|condition| condition.type_ == kind);
    Ok(found.map(|condition| {
        let time = |time: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| {
            time.map_or(Timestamp::UNIX_EPOCH, |time| time.0)
        };
        NodeCondition {
            kind: condition.type_,
            status: condition.status,
            reason: condition.reason.unwrap_or_default(),
            message: condition.message.unwrap_or_default(),
            last_heartbeat_time: time(condition.last_heartbeat_time),
            last_transition_time: time(condition.last_transition_time),
        }
    }))
}

/// Writes it. Needs `patch nodes/status`.
pub(super) async fn write(
    client: &kube::Client,
    node: &str,
    condition: &NodeCondition,
    timeout: Duration,
) -> Result<(), String> {
    // A strategic merge: conditions are merged by their type, so that all others stay.
    let body = json!({"status": {"conditions": [condition]}});
    patch(client, node, &body, timeout).await.map(drop)
}

async fn patch(client: &kube::Client, node: &str, body: &serde_json::Value, timeout: Duration) -> Result<Node, String> {
    let nodes: Api<Node> = Api::all(client.clone());
    let parameters = PatchParams::default();
    let body = Patch::Strategic(body);
    let answer = nodes.patch_status(node, &parameters, &body);
    match tokio::time::timeout(timeout, answer).await {
        Ok(Ok(node)) => Ok(node),
        Ok(Err(error)) => Err(api_error("writing the condition of", node, &error)),
        Err(_) => Err(format!(
            "writing the condition of node {node}: no answer within {}s",
            timeout.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(proven: bool) -> Verdict {
        Verdict {
            proven,
            reason: if proven { "Proven" } else { "OwnPodNotShown" },
            message: "told".to_owned(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_heartbeat_moves_and_the_transition_only_with_the_status() {
        let first = Published::known(None).next("Ready", &verdict(false), at(10));
        assert_eq!(
            (first.last_heartbeat_time, first.last_transition_time),
            (at(10), at(10))
        );
        let second = Published::known(Some(first)).next("Ready", &verdict(false), at(70));
        assert_eq!(
            (second.last_heartbeat_time, second.last_transition_time),
            (at(70), at(10))
        );
        let third = Published::known(Some(second)).next("Ready", &verdict(true), at(130));
        assert_eq!(
            (third.last_heartbeat_time, third.last_transition_time),
            (at(130), at(130))
        );
        assert_eq!((third.status.as_str(), third.reason.as_str()), ("True", "Proven"));
    }

    #[test]
    fn a_condition_is_written_as_kubernetes_names_it() {
        let condition = Published::default().next("StarformTelemetryReady", &verdict(true), at(0));
        assert_eq!(
            serde_json::to_value(condition).unwrap(),
            json!({
                "type": "StarformTelemetryReady",
                "status": "True",
                "reason": "Proven",
                "message": "told",
                "lastHeartbeatTime": "1970-01-01T00:00:00Z",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            })
        );
    }
}
