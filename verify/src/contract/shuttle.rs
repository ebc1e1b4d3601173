//! What the contract says of Shuttle.

use super::LabelKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where Shuttle stands and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShuttleTerms {
    /// Its namespace.
    pub namespace: String,
    /// The ConfigMaps that may stand in it.
    pub config_maps: Vec<String>,
    /// The condition that `shuttle node` gives its node.
    pub node_condition: String,
    /// The label key, one of `labels`, that holds the cluster's ID.
    pub cluster_id_label: LabelKey,
    /// The label key, one of `labels`, that holds the region.
    pub region_label: LabelKey,
    /// `shuttle agent`, a Deployment.
    pub agent: ShuttleRole,
    /// `shuttle node`, a DaemonSet.
    pub node: ShuttleRole,
    /// What Kubernetes grants every account.
    #[serde(default)]
    pub every_account: Vec<Permission>,
}

/// One role of Shuttle: its workload, its account, and all names that its pods may have in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShuttleRole {
    /// Name of its workload.
    pub workload: String,
    /// Name of its ServiceAccount.
    pub service_account: String,
    /// Names of its containers.
    pub containers: Vec<String>,
    /// Arguments that are no flags.
    pub arguments: Vec<String>,
    /// Flags, without their values.
    pub flags: Vec<String>,
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Names of volumes.
    pub volumes: Vec<String>,
    /// What its account may do beside what the collectors need.
    pub permissions: Vec<Permission>,
}

/// What an account may do at most: as RBAC states it, for one resource, without wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permission {
    /// The namespace that it is limited to; everywhere where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// API group; empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Plural resource, with subresource where there is one: `nodes/status`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Verbs.
    pub verbs: Vec<String>,
    /// Object names; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Paths that are no resources, instead of a resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

// === impl Permission ===

impl Permission {
    /// Everything in it that a wildcard could stand for.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let lists = self.verbs.iter().chain(&self.names).chain(&self.urls);
        lists
            .map(String::as_str)
            .chain([self.group.as_str(), self.resource.as_str()])
    }
}
