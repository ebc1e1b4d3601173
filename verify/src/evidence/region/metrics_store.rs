//! What the region's VictoriaMetrics answered. All ages are by its own clock, in milliseconds; negative in its future.

use super::StoreQuestion;
use serde::{Deserialize, Serialize};

/// The store of metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsStore {
    /// Which store, and about which cluster.
    pub asked: StoreQuestion,
    /// What it holds of the cluster.
    pub series: ClusterSeries,
    /// What vmalert has recorded of it.
    pub join: RecordedJoin,
    /// What the region's own jobs report.
    pub jobs: RegionJobs,
}

/// What the cluster has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSeries {
    /// The newest sample of `up` under each label `region`; none older than the contract's `history`.
    pub newest: Vec<RegionSample>,
    /// Rows of `kube_pod_labels` under each label `region`.
    pub pod_rows: Vec<RegionRows>,
    /// Rows of `kube_pod_labels` with a label `exported_pod`.
    pub renamed_rows: u64,
    /// Values of the label for the cluster's ID on `kube_pod_labels` that are another cluster's.
    pub foreign_ids: Vec<String>,
    /// Container metrics by the kubelet that they came from.
    pub kubelets: Vec<KubeletSeries>,
}

/// A sample's age under one label `region`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionSample {
    /// The label; empty where there is none.
    pub region: String,
    /// How old.
    pub age_ms: i64,
}

/// How many rows there are under one label `region`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionRows {
    /// The label; empty where there is none.
    pub region: String,
    /// How many.
    pub rows: u64,
}

/// The container metrics of one kubelet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletSeries {
    /// The label `node`; empty where there is none.
    pub node: String,
    /// The label `instance`: `ADDRESS:PORT` of the scrape.
    pub instance: String,
    /// Series of `container_memory_working_set_bytes`.
    pub series: u64,
}

/// The join of container metrics with `kube_pod_labels`, as vmalert's rules record it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedJoin {
    /// The recorded series that have rows, or had one within the hour.
    pub series: Vec<RecordedSeries>,
    /// Pods that have had both inputs of the join for five minutes.
    pub joinable_pods: u64,
    /// Those of them that no row was recorded for.
    pub unjoined_pods: u64,
}

/// One recorded series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSeries {
    /// Its name.
    pub name: String,
    /// Rows that are current.
    pub rows: u64,
    /// Those that carry every label that the contract names for it.
    pub labelled: u64,
    /// How old the newest sample is.
    pub age_ms: i64,
}

/// What the region's jobs have reported, of the last fourteen days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionJobs {
    /// The newest snapshot of each volume, as DigitalOcean lists it.
    pub snapshots: Vec<SnapshotReport>,
    /// How each job ended.
    pub jobs: Vec<JobReport>,
}

/// The newest snapshot of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotReport {
    /// `clickhouse-fra1`.
    pub volume: String,
    /// How old.
    pub age_ms: i64,
}

/// A job on a droplet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// The droplet's name in the contract.
    pub droplet: String,
    /// The job.
    pub job: String,
    /// Whether its last run succeeded; `None` where no run was reported.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub succeeded: Option<bool>,
    /// How long ago it last succeeded; `None` where it never has.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub success_age_ms: Option<i64>,
}
