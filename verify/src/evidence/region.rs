//! The regional stores, as they answer and as Terraform knows them.

use serde::{Deserialize, Serialize};

/// What was seen of the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {}

// === impl Region ===

impl Region {
    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        Self {}
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::not_collected()
    }
}
