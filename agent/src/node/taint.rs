//! The startup taint: a node that joins with it takes no tenant's pod until it is lifted. Opt-in.
//!
//! It is lifted when the node is proven, and after [`PATIENCE`] come what may: what is to keep telemetry whole must not
//! keep a cluster from growing.

use super::{Verdict, api_error};
use crate::identity::Identity;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, ObjectReference, Taint};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// Its key.
pub const TAINT: &str = "starform.io/telemetry-not-ready";

/// How long a node may stay tainted.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(10);
/// How often a patch is made again whose `test` failed: somebody else changed the taints in between.
const TRIES: usize = 3;

/// Lifts it once.
pub(super) struct Lifting {
    nodes: Api<Node>,
    recorder: Recorder,
    node: String,
    started: Instant,
    done: bool,
}

/// Whether to lift, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Not proven, and there is time left.
    Wait,
    /// Proven.
    Proven,
    /// The time is over.
    Overdue,
}

/// What to do. `age` is the node's, by this node's clock: an agent that restarts again and again does not start the time
/// anew.
pub(super) fn decide(proven: bool, running: Duration, age: Option<Duration>) -> Decision {
    if proven {
        Decision::Proven
    } else if running.max(age.unwrap_or_default()) >= PATIENCE {
        Decision::Overdue
    } else {
        Decision::Wait
    }
}

/// The JSON Patch that takes the taint off: `None` where the node has not got it. Taints are an atomic list, so that each
/// removal first tests that what it removes is still there.
pub(super) fn removal(taints: &[Taint]) -> Option<Value> {
    // From behind: each removal moves those after it.
    let own: Vec<(usize, &Taint)> = (taints.iter().enumerate().rev())
        .filter(|(_, taint)| taint.key == TAINT)
        .collect();
    (!own.is_empty()).then(|| {
        (own.iter())
            .flat_map(|(position, taint)| {
                let path = format!("/spec/taints/{position}");
                [
                    json!({"op": "test", "path": path, "value": taint}),
                    json!({"op": "remove", "path": path}),
                ]
            })
            .collect()
    })
}

// === impl Lifting ===

impl Lifting {
    pub(super) fn new(client: kube::Client, identity: &Identity, started: Instant) -> Self {
        let reporter = Reporter {
            controller: "shuttle-node".to_owned(),
            instance: Some(identity.pod.clone()),
        };
        Self {
            nodes: Api::all(client.clone()),
            recorder: Recorder::new(client, reporter),
            node: identity.node.clone(),
            started,
            done: false,
        }
    }

    /// Lifts the taint where it is to be lifted. Needs `get` and `patch nodes`, and for the Event `create` and `patch
    /// events.events.k8s.io` in the namespace `default`.
    pub(super) async fn attend(&mut self, verdict: &Verdict, now: Instant, clock: Timestamp) -> Result<(), String> {
        if self.done {
            return Ok(());
        }
        for _ in 0..TRIES {
            let node = self.get().await?;
            let taints = node
                .spec
                .as_ref()
                .and_then(|spec| spec.taints.as_deref())
                .unwrap_or_default();
            let Some(patch) = removal(taints) else {
                self.done = true;
                return Ok(());
            };
            let created = node.metadata.creation_timestamp.as_ref();
            let age = created.and_then(|created| Duration::try_from(clock.duration_since(created.0)).ok());
            let decision = decide(verdict.proven, now.duration_since(self.started), age);
            if decision == Decision::Wait {
                return Ok(());
            }
            if self.patch(patch).await? {
                self.done = true;
                self.tell(&node, decision, verdict).await;
                return Ok(());
            }
        }
        Err(format!(
            "the taints of node {} changed {TRIES} times while {TAINT} was lifted",
            self.node
        ))
    }

    async fn get(&self) -> Result<Node, String> {
        match tokio::time::timeout(REQUEST, self.nodes.get(&self.node)).await {
            Ok(Ok(node)) => Ok(node),
            Ok(Err(error)) => Err(api_error("reading the taints of", &self.node, &error)),
            Err(_) => Err(self.late("reading the taints of")),
        }
    }

    /// Whether the patch was made; not where a `test` failed.
    async fn patch(&self, patch: Value) -> Result<bool, String> {
        let patch = serde_json::from_value(patch).map_err(|error| error.to_string())?;
        let patch = Patch::<()>::Json(patch);
        let parameters = PatchParams::default();
        let answer = self.nodes.patch(&self.node, &parameters, &patch);
        match tokio::time::timeout(REQUEST, answer).await {
            Ok(Ok(_)) => Ok(true),
            // A failed test is 422, a write in between 409.
            Ok(Err(kube::Error::Api(status))) if status.code == 422 || status.is_conflict() => Ok(false),
            Ok(Err(error)) => Err(api_error("lifting the taint of", &self.node, &error)),
            Err(_) => Err(self.late("lifting the taint of")),
        }
    }

    fn late(&self, what: &str) -> String {
        format!("{what} node {}: no answer within {}s", self.node, REQUEST.as_secs())
    }

    async fn tell(&self, lifted: &Node, decision: Decision, verdict: &Verdict) {
        let (type_, told) = match decision {
            Decision::Overdue => {
                warn!(node = %self.node, reason = verdict.reason, "startup taint lifted from a node that is not proven");
                let minutes = PATIENCE.as_secs() / 60;
                let message = format!(
                    "not proven after {minutes} minutes ({}); the node takes pods all the same",
                    verdict.message
                );
                (EventType::Warning, message)
            }
            Decision::Proven | Decision::Wait => {
                info!(node = %self.node, "startup taint lifted");
                (EventType::Normal, verdict.message.clone())
            }
        };
        let event = Event {
            type_,
            reason: "StartupTaintLifted".to_owned(),
            note: Some(told.chars().take(1_000).collect()),
            action: "LiftTaint".to_owned(),
            secondary: None,
        };
        let reference = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(self.node.clone()),
            uid: lifted.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        match tokio::time::timeout(REQUEST, self.recorder.publish(&event, &reference)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(error = %crate::canary::in_words(&error), "Event was not published"),
            Err(_) => warn!("Event was not published in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(key: &str, effect: &str) -> Taint {
        Taint {
            key: key.to_owned(),
            effect: effect.to_owned(),
            ..Taint::default()
        }
    }

    #[test]
    fn a_proven_node_is_untainted_at_once_and_any_other_after_ten_minutes() {
        let minutes = Duration::from_mins;
        for (proven, running, age, decision) in [
            (true, minutes(0), Some(minutes(0)), Decision::Proven),
            (false, minutes(0), None, Decision::Wait),
            (false, minutes(9), Some(minutes(9)), Decision::Wait),
            (false, minutes(10), None, Decision::Overdue),
            // The agent restarts again and again.
            (false, minutes(0), Some(minutes(10)), Decision::Overdue),
            // The node's clock is behind.
            (false, minutes(10), Some(minutes(0)), Decision::Overdue),
        ] {
            assert_eq!(decide(proven, running, age), decision, "{proven} {running:?} {age:?}");
        }
    }

    #[test]
    fn only_the_own_taint_is_removed_and_only_where_it_still_is() {
        let taints = [
            taint("a", "NoSchedule"),
            taint(TAINT, "NoSchedule"),
            taint("b", "NoExecute"),
            taint(TAINT, "NoExecute"),
        ];
        assert_eq!(
            removal(&taints).unwrap(),
            json!([
                {"op": "test", "path": "/spec/taints/3", "value": {"key": TAINT, "effect": "NoExecute"}},
                {"op": "remove", "path": "/spec/taints/3"},
                {"op": "test", "path": "/spec/taints/1", "value": {"key": TAINT, "effect": "NoSchedule"}},
                {"op": "remove", "path": "/spec/taints/1"},
            ])
        );
        assert_eq!(removal(&taints[..1]), None);
        assert_eq!(removal(&[]), None);
    }
}
