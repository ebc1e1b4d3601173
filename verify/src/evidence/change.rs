//! Who changed an object last, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The newest entry of `metadata.managedFields` that is not about the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastChange {
    /// When.
    pub time: Timestamp,
    /// The field manager: `helm`, `kubectl-rollout`, `argocd-controller`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
}
