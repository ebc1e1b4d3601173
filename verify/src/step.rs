//! The steps of the install contract.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The steps there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// DOKS cluster.
    #[serde(rename = "1")]
    One,
    /// Envoy Gateway.
    #[serde(rename = "2")]
    Two,
    /// metrics-server and kube-state-metrics.
    #[serde(rename = "3")]
    Three,
    /// The collectors.
    #[serde(rename = "4")]
    Four,
    /// Shuttle.
    #[serde(rename = "5")]
    Five,
    /// Registration.
    #[serde(rename = "6")]
    Six,
    /// The regional stores.
    Region,
}

// === impl StepId ===

impl StepId {
    /// Every step in order.
    pub const ALL: [Self; 7] = [
        Self::One,
        Self::Two,
        Self::Three,
        Self::Four,
        Self::Five,
        Self::Six,
        Self::Region,
    ];

    /// As the command line and the contract write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
            Self::Three => "3",
            Self::Four => "4",
            Self::Five => "5",
            Self::Six => "6",
            Self::Region => "region",
        }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
