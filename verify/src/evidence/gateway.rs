//! Envoy Gateway as it stands in the cluster.

use serde::{Deserialize, Serialize};

/// The controller, and the Gateway API's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {}

// === impl Gateway ===

impl Gateway {
    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        Self {}
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self::not_collected()
    }
}
