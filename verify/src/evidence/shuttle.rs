//! What Shuttle says of itself: the content of the ConfigMap `shuttle-status`. The agent writes this type and the auditor
//! reads it, so that they cannot differ on a field.

mod grant;
mod starbase;
mod workload;

use super::Observed;
use super::certificate::Certificate;
use crate::step::StepId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::grant::{Grant, PolicyRule};
pub use self::starbase::{StarbaseRead, StarbaseRegistration};
pub use self::workload::{ContainerNames, ShuttleWorkload};

/// The `apiVersion` of a status; a reader refuses any other.
pub const STATUS_VERSION: &str = "shuttle.starform.io/v1";
/// The ConfigMap, in the namespace that the contract names for Shuttle.
pub const STATUS_CONFIG_MAP: &str = "shuttle-status";
/// Its one key.
pub const STATUS_KEY: &str = "status.json";
/// How many names a list in a status holds at most: a ConfigMap ends at 1 MiB.
pub const STATUS_NAMES: usize = 50;

/// What the leader of `shuttle agent` says. All times are by its own clock; when it was written is told by the API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShuttleStatus {
    /// Always [`STATUS_VERSION`].
    pub api_version: String,
    /// Version of the agent.
    pub version: String,
    /// The pod that wrote it: the leader.
    pub pod: String,
    /// The parameter `cluster-id`.
    pub cluster_id: String,
    /// The parameter `region`.
    pub region: String,
    /// UID of the namespace kube-system, as the agent read it; empty until it has.
    pub uid: String,
    /// Where the lifecycle stands.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// The registration that Starbase granted this UID; `None` before the first, and after it ended.
    pub registration: Option<Registration>,
    /// What the gating checks came to; `None` before the first verification.
    pub verdict: Option<GateVerdict>,
    /// Whether labels flow from a pod to its row.
    pub canary: Canary,
    /// Whether the kubelets' container metrics join those rows.
    pub join: Join,
    /// Which nodes prove themselves.
    pub nodes: NodesProven,
    /// When this was written.
    pub written: Timestamp,
}

/// Where the lifecycle stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nothing is known yet.
    #[default]
    Starting,
    /// A gating check does not pass, or could not be seen.
    Verifying,
    /// Every gating check passes; another replica leads.
    Standby,
    /// Every gating check passes; Starbase has not accepted yet.
    Registering,
    /// Registered, and every gating check passes.
    Active,
    /// Registered, and the gate is lost: a gating check fails, or could not be seen for too long.
    Degraded,
    /// Starbase refuses this cluster's identity or token.
    Rejected,
    /// The process ends.
    Stopping,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The generation that Starbase gave it: what fences two leaders.
    pub generation: u64,
    /// When it was granted.
    pub granted: Timestamp,
    /// When Starbase last accepted a heartbeat.
    pub heartbeat_accepted: Option<Timestamp>,
    /// How often Starbase wants one, in seconds.
    pub heartbeat_interval_seconds: u64,
}

/// What the gating checks came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateVerdict {
    /// Whether all of them were seen, and none failed.
    pub passes: bool,
    /// The answer in one line.
    pub answer: String,
    /// Code of the first that does not pass.
    pub first_broken: Option<String>,
    /// Its step.
    pub first_broken_step: Option<StepId>,
    /// When they were judged.
    pub judged: Timestamp,
}

/// A pod of the agent's own that carries the contract's labels: labels flow when they come back on its row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// Its name.
    pub pod: String,
    /// Its UID: a row of an earlier pod of that name proves nothing.
    pub uid: String,
    /// When the API server took the labels; `None` where it has not yet.
    pub labelled: Option<Timestamp>,
    /// Whether its row was seen, under its UID.
    pub row: bool,
    /// The contract's keys that the row does not show with the value that the pod carries.
    pub missing: Vec<String>,
    /// From the labels to the row, in milliseconds.
    pub lag_ms: Option<u64>,
    /// How old its PodMetrics were, in milliseconds, by the API server's clock; `None` where it has none.
    pub metrics_age_ms: Option<u64>,
    /// How old they may be, in milliseconds.
    pub metrics_age_limit_ms: u64,
    /// When this was observed; `None` before the first time.
    pub observed: Option<Timestamp>,
}

/// cAdvisor's container metrics, read from every kubelet in turn and joined with `kube_pod_labels` on (namespace, pod).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// Whether every Ready node has been read at least once.
    pub complete: bool,
    /// The nodes whose metrics were read and joined, by name. All of them: the auditor compares them with the nodes.
    pub joined: Vec<String>,
    /// The nodes whose kubelet could not be read, or whose pods do not join; at most [`STATUS_NAMES`].
    pub failed: Vec<NodeJoin>,
    /// How many nodes `failed` would have without its bound.
    pub failed_nodes: u32,
    /// How many pods were read on all nodes, in the last pass over each.
    pub pods: u32,
    /// When the oldest of these nodes was read.
    pub oldest: Option<Timestamp>,
}

/// A node whose container metrics do not join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeJoin {
    /// The node.
    pub node: String,
    /// What was tried and what came back, or which pods have no row.
    pub problem: String,
}

/// What the nodes' own agents say: the node condition `StarformTelemetryReady`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodesProven {
    /// How many say so of themselves.
    pub proven: u32,
    /// Of how many Ready nodes.
    pub of: u32,
    /// Those that do not; at most [`STATUS_NAMES`].
    pub unproven: Vec<String>,
}

/// What was read of Shuttle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shuttle {
    /// The ConfigMap `shuttle-status`. Inside, the agent puts its own here, so that both judge by the same function.
    #[serde(default)]
    pub status: Observed<StatusRead>,
    /// The Deployment of `shuttle agent`.
    #[serde(default)]
    pub agent: Observed<ShuttleWorkload>,
    /// The DaemonSet of `shuttle node`.
    #[serde(default)]
    pub node: Observed<ShuttleWorkload>,
    /// The names of the ConfigMaps in its namespace, sorted.
    #[serde(default)]
    pub config_maps: Observed<Vec<String>>,
    /// What its accounts may do, one entry a binding and account.
    #[serde(default)]
    pub grants: Observed<Vec<Grant>>,
    /// What Starbase says of the registration.
    #[serde(default)]
    pub starbase: Observed<StarbaseRead>,
    /// The certificate that Starbase showed, where it was asked. Absent where it speaks no TLS.
    #[serde(default)]
    pub starbase_certificate: Observed<Certificate>,
}

/// A status, and when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusRead {
    /// What it says.
    pub status: ShuttleStatus,
    /// When the API server last stored it, by its own clock (`metadata.managedFields`); the agent's own is of this moment.
    pub stored: Option<Timestamp>,
}

// === impl Phase ===

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 8] = [
        Self::Starting,
        Self::Verifying,
        Self::Standby,
        Self::Registering,
        Self::Active,
        Self::Degraded,
        Self::Rejected,
        Self::Stopping,
    ];

    /// As logs, metrics and pages write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Verifying => "verifying",
            Self::Standby => "standby",
            Self::Registering => "registering",
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::Rejected => "rejected",
            Self::Stopping => "stopping",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Shuttle ===

impl Shuttle {
    /// Nothing was tried.
    #[must_use]
    pub(crate) fn not_collected() -> Self {
        Self {
            status: Observed::not_collected(),
            agent: Observed::not_collected(),
            node: Observed::not_collected(),
            config_maps: Observed::not_collected(),
            grants: Observed::not_collected(),
            starbase: Observed::not_collected(),
            starbase_certificate: Observed::not_collected(),
        }
    }
}

impl Default for Shuttle {
    /// What evidence that was recorded before Shuttle was audited holds of it.
    fn default() -> Self {
        Self::not_collected()
    }
}
