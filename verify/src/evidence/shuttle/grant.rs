//! What RBAC grants Shuttle's accounts.

use serde::{Deserialize, Serialize};

/// A binding that grants one of the accounts a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The ServiceAccount.
    pub account: String,
    /// The group through which it is bound; `None` where the binding names the account itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Namespace of the RoleBinding, to which the grant is limited; `None` for a ClusterRoleBinding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the binding.
    pub binding: String,
    /// `ClusterRole` or `Role`.
    pub role_kind: String,
    /// Name of the role.
    pub role: String,
    /// Its rules; `None` where there is no such role.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub rules: Option<Vec<PolicyRule>>,
}

/// A rule of a role: each verb on each resource of each group, or on each path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// Verbs.
    pub verbs: Vec<String>,
    /// API groups.
    pub groups: Vec<String>,
    /// Plural resources.
    pub resources: Vec<String>,
    /// Object names; empty for all.
    pub names: Vec<String>,
    /// Paths that are no resources.
    pub urls: Vec<String>,
}
