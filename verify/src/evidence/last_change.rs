//! The last change of an object that is known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last change of an object, as its field managers tell it (`metadata.managedFields`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastChange {
    /// When, by the API server's clock.
    pub time: Timestamp,
    /// Who made it: `helm`, `kubectl-client-side-apply`, `argocd-controller`.
    pub manager: String,
    /// How: `Apply` or `Update`.
    pub operation: String,
}
