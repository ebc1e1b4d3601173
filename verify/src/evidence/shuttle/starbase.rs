//! What Starbase says of the cluster's registration.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StarbaseRead {
    /// The audit was not told to ask.
    NotAsked,
    /// It was asked, and answered.
    Answered(StarbaseRegistration),
}

/// A registration as Starbase has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StarbaseRegistration {
    /// The cluster's ID.
    pub cluster_id: String,
    /// UID of its namespace kube-system.
    pub uid: String,
    /// The region.
    pub region: String,
    /// What Starbase thinks of it: `active`, `degraded`, `lost`, `ended`.
    pub state: String,
    /// The generation that fences two leaders.
    pub generation: u64,
    /// When Starbase last received a heartbeat, by its own clock.
    pub last_heartbeat: Option<Timestamp>,
}
