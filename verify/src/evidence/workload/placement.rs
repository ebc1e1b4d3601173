//! Which nodes a workload's pods may be on.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a pod's specification says of the nodes that it may be on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// `nodeSelector`: labels that a node has to have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// The required node affinity: one of these terms has to match. Without any, every node does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<NodeTerm>,
    /// The taints that it tolerates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// The operating system that it is for: `spec.os.name`, or the label `kubernetes.io/os` of the node selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
}

/// A term of a node affinity: all of it has to match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerm {
    /// What a node's labels have to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<NodeRequirement>,
    /// What its fields have to be: `metadata.name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<NodeRequirement>,
}

/// What one label or field of a node has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRequirement {
    /// The label, or the field.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub operator: String,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// The key of the taints that it tolerates; `None` for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Equal`, which is the default, or `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The value that it compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The effect that it tolerates; `None` for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// For how long it tolerates `NoExecute`; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
}
