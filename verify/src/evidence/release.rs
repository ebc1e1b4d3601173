//! A Helm release, by allow-list.

use super::observed::Observed;
use crate::scalar::Scalar;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A release that the contract names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmRelease {
    /// Its name.
    pub name: String,
    /// What Helm keeps of it. Absent where no namespace that the contract accepts for it has a revision.
    #[serde(default)]
    pub history: Observed<HelmHistory>,
}

/// The revisions of a release, from the metadata of their Secrets; and the newest one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmHistory {
    /// Namespace.
    pub namespace: String,
    /// The newest revision.
    pub revision: u32,
    /// Its Secret.
    pub secret: String,
    /// Its status, in Helm's words: `deployed`, `failed`, `pending-upgrade`, …
    pub status: String,
    /// When Helm last wrote it, by the API server's clock.
    pub stored: Option<Timestamp>,
    /// The newest revision before it that was deployed once, and can be rolled back to.
    pub earlier: Option<u32>,
    /// What is in the newest revision.
    #[serde(default)]
    pub content: Observed<HelmContent>,
}

/// A revision: chart, times, and the values that the contract names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmContent {
    /// Name of the chart.
    pub chart: String,
    /// Version of the chart.
    pub version: String,
    /// Version of the program that the chart installs by default.
    pub app_version: Option<String>,
    /// When its first revision was deployed, by the clock of whoever ran Helm.
    pub first_deployed: Option<Timestamp>,
    /// When this one was, by such a clock.
    pub last_deployed: Option<Timestamp>,
    /// The values, one entry a path that the contract names.
    pub values: Vec<HelmValue>,
    /// The object on which it failed because a field of it cannot be changed, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_change: Option<ImmutableObject>,
}

/// An object of a release, of which something cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImmutableObject {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// What stands at one path of the values that were given to Helm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmValue {
    /// The path, as the contract writes it.
    pub path: Vec<String>,
    /// Every place that it leads to: several where it has a `*`, never none.
    pub readings: Vec<ValueReading>,
    /// The words that the contract names for this path, and whether they stand in what it leads to.
    pub words: BTreeMap<String, bool>,
}

/// One place of the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueReading {
    /// The place: `remoteWrite[0].queues`.
    pub at: String,
    /// What stands there.
    pub value: ValueSeen,
}

/// What stands at a place, as far as the contract compares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueSeen {
    /// Nothing: the chart's default holds.
    Missing,
    /// `null`: it takes the chart's default away.
    Null,
    /// A value that the contract compares with one of its own.
    Scalar(Scalar),
    /// A value that the contract does not compare: only that it is there is known.
    Hidden,
    /// An empty text, list or map.
    Empty,
    /// A list that is not empty.
    List,
    /// A map that is not empty.
    Map,
}
