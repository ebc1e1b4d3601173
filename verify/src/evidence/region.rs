//! The regional stores, as they answer and as Terraform knows them.

mod log_aggregator;
mod log_store;
mod metrics_store;
mod terraform;

use super::Observed;
use super::certificate::Certificate;
use serde::{Deserialize, Serialize};

pub use self::log_aggregator::{Buffer, ComponentEvents, LogAggregator};
pub use self::log_store::{DeadLetters, LogLines, LogStore};
pub use self::metrics_store::{
    ClusterSeries, JobReport, KubeletSeries, MetricsStore, RecordedJoin, RecordedSeries, RegionJobs, RegionRows,
    RegionSample, SnapshotReport,
};
pub use self::terraform::{
    Attachment, ClusterReference, Droplet, Firewall, InboundRule, Link, PlannedChange, RuleSource, Tag, Terraform,
    TerraformCheck, TerraformKind, TerraformResources, Volume, VolumeSnapshot, Vpc,
};

/// What was seen of the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// VictoriaMetrics, asked about the cluster.
    #[serde(default)]
    pub metrics_store: Observed<Asked<MetricsStore>>,
    /// The certificate that VictoriaMetrics showed, where it was asked. Absent where it speaks no TLS.
    #[serde(default)]
    pub metrics_store_certificate: Observed<Certificate>,
    /// ClickHouse, asked about the cluster.
    #[serde(default)]
    pub log_store: Observed<Asked<LogStore>>,
    /// The certificate that ClickHouse showed, where it was asked. Absent where it speaks no TLS.
    #[serde(default)]
    pub log_store_certificate: Observed<Certificate>,
    /// Vector, by what VictoriaMetrics has scraped of it.
    #[serde(default)]
    pub log_aggregator: Observed<Asked<LogAggregator>>,
    /// What Terraform says of the region.
    #[serde(default)]
    pub terraform: Observed<Asked<Terraform>>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked<T> {
    /// The audit was not told to ask.
    NotAsked,
    /// It was asked, and answered.
    Answered(T),
}

/// The cluster that a store was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreCluster {
    /// Its ID: the label `cluster` of series, the column `starform_cluster_id` of lines.
    pub id: String,
    /// The region that its Shuttle was told; `None` for a cluster that the stores file names.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub region: Option<String>,
    /// The stores file says that it was taken down: what it sent must still be there, and nothing new is expected.
    pub ended: bool,
}

/// Which store was asked, and about what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreQuestion {
    /// Its address; the stores file takes none with a user, a password or a query in it.
    pub url: String,
    /// The region whose store it is.
    pub region: String,
    /// The cluster.
    pub cluster: StoreCluster,
}

// === impl Region ===

impl Region {
    /// Nothing was tried.
    #[must_use]
    pub(crate) fn not_collected() -> Self {
        Self {
            metrics_store: Observed::not_collected(),
            metrics_store_certificate: Observed::not_collected(),
            log_store: Observed::not_collected(),
            log_store_certificate: Observed::not_collected(),
            log_aggregator: Observed::not_collected(),
            terraform: Observed::not_collected(),
        }
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::not_collected()
    }
}
