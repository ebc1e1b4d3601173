//! A Helm release, by allow-list.

use serde::{Deserialize, Serialize};

/// What Helm keeps of a release: chart, versions, status, times, and the values that the contract names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HelmRelease {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}
