//! Alloy custom resources.

use super::super::component::WorkloadKind;
use serde::{Deserialize, Serialize};

/// An Alloy resource (`alloys.collectors.grafana.com/v1alpha1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlloyResource {
    /// Namespace.
    pub namespace: String,
    /// Name; that of the workload which the operator makes of it.
    pub name: String,
    /// The kind of workload that it asks for (`spec.controller.type`).
    pub kind: WorkloadKind,
    /// `status.conditions`, by type, status and reason. Their messages quote what they are about: values among it.
    pub conditions: Vec<AlloyCondition>,
    /// The variables of its containers that hold a credential in clear. Never what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials_in_clear: Vec<String>,
}

/// A condition that the operator gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlloyCondition {
    /// `Initialized`, `Deployed`, `ReleaseFailed`, `Irreconcilable`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
