//! The bodies of the registration API, as `manifests/starbase/openapi.yaml` has them.

use crate::lifecycle::Phase;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `PUT …/registration`: what is registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationRequest {
    /// UID of the namespace kube-system.
    pub uid: String,
    /// The region.
    pub region: String,
    /// Who registers it.
    pub agent: Agent,
    /// What is installed.
    pub kubernetes: Kubernetes,
    /// Digest of the contract that the agent judges by.
    pub contract: String,
    /// Where the lifecycle stands.
    pub phase: Phase,
    /// Why, in words; at most [`REASON_BOUND`] bytes.
    pub reason: String,
    /// The last report, at most 64 KiB; `null` before the first.
    pub report: Option<serde_json::Value>,
}

/// `PUT …/heartbeat`: how the cluster does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatRequest {
    /// UID of the namespace kube-system.
    pub uid: String,
    /// Where the lifecycle stands.
    pub phase: Phase,
    /// Why, in words.
    pub reason: String,
    /// The last report, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<serde_json::Value>,
}

/// The agent's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// Its version.
    pub version: String,
    /// Which of them: the pod's name.
    pub instance: String,
}

/// Kubernetes, as far as Starbase is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kubernetes {
    /// Its version; `null` where it could not be read.
    pub version: Option<String>,
}

/// The answer to `PUT …/registration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationGranted {
    /// The cluster's ID, as in the path.
    pub cluster_id: String,
    /// The UID, as in the request.
    pub uid: String,
    /// What Starbase now thinks of the cluster.
    pub state: State,
    /// Which registration this is: every later request carries it.
    pub generation: u64,
    /// How often a heartbeat is wanted.
    pub heartbeat_interval_seconds: u64,
    /// After how long without one the cluster counts as lost.
    pub grace_seconds: u64,
}

/// The answer to `PUT …/heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAccepted {
    /// The registration's, as in `If-Match`.
    pub generation: u64,
    /// How long until the next is wanted.
    pub heartbeat_interval_seconds: u64,
}

/// The answer to `GET …/registration`: what Starbase thinks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationStatus {
    /// The cluster's ID.
    pub cluster_id: String,
    /// UID of the cluster that is registered under it.
    pub uid: String,
    /// What Starbase thinks of it.
    pub state: State,
    /// Which registration this is.
    pub generation: u64,
    /// The region.
    pub region: String,
    /// The agent that registered it.
    pub agent: Agent,
    /// Its Kubernetes.
    pub kubernetes: Kubernetes,
    /// Digest of the contract that the agent judges by.
    pub contract: String,
    /// What the agent last said of its lifecycle.
    pub phase: Phase,
    /// Why, in words.
    pub reason: String,
    /// When this generation was granted, by Starbase's clock.
    pub registered: Timestamp,
    /// When Starbase received the last heartbeat; `null` before the first of this generation.
    pub last_heartbeat: Option<Timestamp>,
    /// How often a heartbeat is wanted.
    pub heartbeat_interval_seconds: u64,
    /// After how long without one the cluster counts as lost.
    pub grace_seconds: u64,
    /// Starbase's clock at the answer: ages are measured by it.
    pub now: Timestamp,
}

/// What Starbase thinks of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Registered, heard of, and well.
    Active,
    /// Registered, heard of, and not well.
    Degraded,
    /// Registered, and not heard of for longer than the grace.
    Lost,
    /// The registration was ended.
    Ended,
}

/// Any answer that is no success: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which kind of problem, as a URI.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status once more.
    pub status: u16,
    /// What happened here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// 409: the UID of the cluster that has the ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_uid: Option<String>,
    /// 412: the generation that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

/// How many bytes a reason has at most.
pub const REASON_BOUND: usize = 2_048;
/// How many bytes a report has at most, as JSON.
pub const REPORT_BOUND: usize = 64 * 1_024;
/// The media type of a success.
pub const JSON: &str = "application/json";
/// The media type of everything else.
pub const PROBLEM: &str = "application/problem+json";

// === impl State ===

impl State {
    /// As Starbase writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
            Self::Ended => "ended",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
