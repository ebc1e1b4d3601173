//! Alloy custom resources.

use super::super::last_change::LastChange;
use super::super::workload::{Placement, WorkloadKind};
use serde::{Deserialize, Serialize};

/// An Alloy resource (`alloys.collectors.grafana.com/v1alpha1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    pub credentials_in_clear: Vec<String>,
    /// Which nodes its workload's pods may be on (`spec.controller`); `None` where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
}

/// A condition that the operator gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyCondition {
    /// `Initialized`, `Deployed`, `ReleaseFailed`, `Irreconcilable`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
}

/// What a workload of Alloy is configured with, as far as it says where credentials come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloySettings {
    /// Namespace.
    pub namespace: String,
    /// Name of the workload.
    pub workload: String,
    /// The ConfigMaps that its pods mount or take variables from, sorted by name.
    pub config_maps: Vec<AlloyConfigMap>,
    /// The variables of its container that hold a credential in clear, or that a credential is taken from and that stand in
    /// clear. Never what it is.
    pub variables_in_clear: Vec<String>,
    /// The longest interval that it scrapes in, in milliseconds; `None` where it scrapes nothing, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_interval_ms: Option<u64>,
    /// Why its configuration could not be read, where it is in no ConfigMap.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub unread: Option<String>,
    /// What it collects and where it sends that; `None` where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipelines: Option<AlloyPipelines>,
}

/// What a configuration collects and where it sends that, by its blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyPipelines {
    /// The components that collect: `prometheus.scrape "kubelet"`, in the texts' order.
    pub sources: Vec<String>,
    /// The components that send, in the texts' order.
    pub destinations: Vec<AlloyDestination>,
    /// The blocks that bring in what stands elsewhere: `import.git "a"`.
    pub imports: Vec<String>,
    /// The components of which it is not known whether they collect or send.
    pub unknown: Vec<String>,
}

/// A component that sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyDestination {
    /// `prometheus.remote_write "grafana_cloud_metrics"`.
    pub component: String,
    /// One for each endpoint: scheme, host and port. `None` where a reference brings it.
    pub addresses: Vec<Option<String>>,
}

/// A ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyConfigMap {
    /// Name.
    pub name: String,
    /// Its texts, sorted by key.
    pub texts: Vec<AlloyText>,
    /// The last change of it, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}

/// A text in a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyText {
    /// Its key.
    pub key: String,
    /// The credentials in it, in the text's order.
    pub credentials: Vec<AlloyCredential>,
    /// Why what follows them could not be read.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub unread: Option<String>,
}

/// Where a credential stands, and how. Never what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlloyCredential {
    /// The blocks with their labels, and the attribute: `prometheus.remote_write "a" > endpoint > basic_auth > password`.
    pub path: String,
    /// Whether it stands there itself.
    pub kind: CredentialKind,
}

/// How a credential is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// It stands there in clear, or a part of it.
    Literal,
    /// What stands there names where it comes from.
    Reference,
}
