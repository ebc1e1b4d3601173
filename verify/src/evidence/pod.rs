//! Pods, and the rows that kube-state-metrics has of them. There are as many of these as the cluster has pods, so they are kept small.

use super::{Observed, Owner, Shared};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// What the API server prints of it: `Running`, `Pending`, `CrashLoopBackOff`, `Completed`, …
    pub status: Shared,
    /// How many of its containers are ready, as the API server prints it.
    pub ready: u32,
    /// How many containers it has, those that initialize it left out.
    pub containers: u32,
    /// How often its containers were started again.
    pub restarts: u32,
    /// Its present start: when the last of the containers that run was started. `None` where none runs, or where that is not
    /// known.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub started: Option<Timestamp>,
    /// The node it is bound to.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub node: Option<Shared>,
    /// Its `RuntimeClass`: what a sandboxed runtime is asked for by. `None` where it names none, or where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<Shared>,
    /// What controls it; `None` where nothing does, or where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The images of its containers: kept of pods in the namespaces where the contract accepts its components.
    #[serde(default, skip_serializing_if = "<[Shared]>::is_empty")]
    pub images: Box<[Shared]>,
    /// How a container of it ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_termination: Option<Box<Termination>>,
    /// What a container of it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Box<WaitingContainer>>,
    /// The values of the contract's labels, by position in [`super::Evidence::label_keys`].
    pub labels: Box<[Option<Shared>]>,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// The container.
    pub container: Shared,
    /// `OOMKilled`, `Error`, `Completed`, …; empty where the kubelet gives none.
    pub reason: Shared,
    /// Its exit code.
    pub exit_code: i32,
    /// When; `None` where the kubelet does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

/// A container that does not run yet, or not again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingContainer {
    /// The container.
    pub container: Shared,
    /// Why: `ImagePullBackOff`, `CrashLoopBackOff`, …
    pub reason: Shared,
}

/// One row of `kube_pod_labels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
#[serde(rename_all = "camelCase")]
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
#[serde(rename_all = "camelCase")]
pub struct PodLabelRows {
    /// The rows, sorted by namespace, pod and UID.
    pub rows: Vec<PodRow>,
    /// Rows that could not be read: a duplicate label name, a broken escape. Such a row is not in `rows`.
    pub row_errors: u64,
    /// The first few of them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_row_errors: Vec<String>,
    /// Columns such as `label_starform_io_app_conflict1` of the contract's labels, sorted: two keys of one pod collide.
    pub conflicts: Vec<String>,
    /// The first few pods whose rows have such a column, as `namespace/pod`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflict_pods: Vec<String>,
    /// How long the answer took to begin, in milliseconds, where that was longer than the contract's `scrapeTimeout`. `None` where
    /// it was not, and in evidence from when no scrape was waited for longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ms: Option<u64>,
}

// === impl Pod ===

impl Pod {
    /// Whether it runs: none of its containers waits or has ended, and it is not being deleted.
    #[must_use]
    pub fn is_running(&self) -> bool {
        &*self.status == "Running" && !self.deleting
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
