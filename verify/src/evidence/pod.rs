//! Pods, and the rows that kube-state-metrics has of them. There are as many of these as the cluster has pods, so they are kept small.

use super::{Observed, Shared};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pod: metadata, and the columns that the API server prints of it.
///
/// The API server's `Table` form gives phase, readiness and node without the pod's spec and status, a tenth of the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pod {
    /// Namespace.
    pub namespace: Shared,
    /// Name.
    pub name: Box<str>,
    /// UID.
    pub uid: Box<str>,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it is being deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleting: bool,
    /// The printed column `Status`: `Running`, `Pending`, `CrashLoopBackOff`, `Completed`, …
    pub status: Shared,
    /// Ready containers of the printed column `Ready`.
    pub ready: u32,
    /// All containers of the printed column `Ready`.
    pub containers: u32,
    /// The printed column `Restarts`: `0`, `3 (2m ago)`.
    pub restarts: Shared,
    /// The node it is bound to.
    pub node: Option<Shared>,
    /// The values of the contract's labels, by position in [`super::Evidence::label_keys`].
    pub labels: Box<[Option<Shared>]>,
}

/// One row of `kube_pod_labels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodRow {
    /// Label `namespace`.
    pub namespace: Shared,
    /// Label `pod`.
    pub pod: Box<str>,
    /// Label `uid`.
    pub uid: Box<str>,
    /// The values of the contract's label columns, by position in [`super::Evidence::label_keys`].
    pub labels: Box<[Option<Shared>]>,
}

/// The scrape of one target: a shard, or the one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scrape {
    /// Namespace of the Service.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// The pod, where one shard was addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// What came back.
    pub rows: Observed<PodLabelRows>,
}

/// `kube_pod_labels` of one target, read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodLabelRows {
    /// The rows, sorted by namespace, pod and UID.
    pub rows: Vec<PodRow>,
    /// Rows that could not be read: a duplicate label name, a broken escape. Such a row is not in `rows`.
    pub row_errors: u64,
    /// The first few of them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_row_errors: Vec<String>,
    /// Columns such as `label_starform_io_app_conflict1` of the contract's labels, sorted: two keys of one pod collide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// The first few pods whose rows have such a column, as `namespace/pod`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflict_pods: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
