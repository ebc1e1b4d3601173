//! What Fluent Bit is configured to do.

use super::super::last_change::LastChange;
use super::MountedVolume;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The configuration of one workload: of the ConfigMap that its pods mount, what checks read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FluentBitSettings {
    /// Namespace.
    pub namespace: String,
    /// The workload.
    pub workload: String,
    /// The ConfigMap that holds its main file.
    pub config_map: String,
    /// The last change of that ConfigMap, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
    /// The section `SERVICE`.
    pub service: BTreeMap<String, String>,
    /// The sections `INPUT`, in order.
    pub inputs: Vec<FluentBitPlugin>,
    /// The sections `FILTER`, and processors, in order.
    pub filters: Vec<FluentBitPlugin>,
    /// The sections `OUTPUT`, in order.
    pub outputs: Vec<FluentBitPlugin>,
    /// Files that it includes and that were not read: then what is missing here may be set all the same.
    pub unread: Vec<String>,
    /// Where a credential stands in clear: section and key, or variable. Never what it is.
    pub credentials_in_clear: Vec<String>,
    /// What its container has mounted.
    pub mounts: Vec<MountedVolume>,
    /// The path that its readiness probe asks for.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub readiness: Option<String>,
}

/// One plugin of the pipeline. Keys are lower-case; only those that checks read are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FluentBitPlugin {
    /// `Name`: `tail`, `http`, …
    pub name: String,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
    /// Of what a filter puts on every record: the labels that every record has to have, with their values.
    pub labels: BTreeMap<String, String>,
    /// Of these labels those that it takes off records, or may.
    pub removes: Vec<String>,
}
