//! The collectors of step 4: what is installed, what it is configured to do, and whether it flows.

mod alloy;
mod fluent_bit;
mod vmagent;
mod volume;

use super::observed::Observed;
use super::pod::Termination;
use super::workload::Workload;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use self::alloy::{
    AlloyCondition, AlloyConfigMap, AlloyCredential, AlloyDestination, AlloyPipelines, AlloyResource, AlloySettings,
    AlloyText, CredentialKind,
};
pub use self::fluent_bit::{FluentBitPlugin, FluentBitSettings};
pub use self::vmagent::{Hidden, KeepRule, RemoteWrite, ScrapeConfig, ScrapeJob, VmagentSettings};
pub use self::volume::{MountedVolume, VolumeKind};

/// The labels that every series and every record has, so that a store of many clusters can tell them apart.
pub(crate) const CLUSTER_LABELS: [&str; 2] = ["cluster", "region"];

/// Fluent Bit, vmagent and Alloy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
    /// Fluent Bit.
    #[serde(default)]
    pub fluent_bit: TelemetryComponent,
    /// vmagent.
    #[serde(default)]
    pub vmagent: TelemetryComponent,
    /// Alloy: its operator, and what the operator made of the Alloy resources.
    #[serde(default)]
    pub alloy: TelemetryComponent,
    /// What each of Fluent Bit's workloads is configured to do.
    #[serde(default)]
    pub fluent_bit_settings: Observed<Vec<FluentBitSettings>>,
    /// What each of vmagent's workloads is configured to do.
    #[serde(default)]
    pub vmagent_settings: Observed<Vec<VmagentSettings>>,
    /// The Alloy resources in the whole cluster, sorted; absent where the API server does not know the kind.
    #[serde(default)]
    pub alloys: Observed<Vec<AlloyResource>>,
    /// What each of Alloy's workloads is configured with. Evidence that was recorded before this was read lacks it: unknown.
    #[serde(default)]
    pub alloy_settings: Observed<Vec<AlloySettings>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryComponent {
    /// Its workloads in accepted namespaces, sorted.
    #[serde(default)]
    pub workloads: Observed<Vec<TelemetryWorkload>>,
    /// Its workloads in namespaces that the contract does not accept, as `namespace/name`, sorted: reported, never read.
    pub elsewhere: Vec<String>,
    /// The metrics pages of their pods, one entry a pod that should answer, sorted.
    #[serde(default)]
    pub metrics: Observed<Vec<MetricsPage>>,
}

/// A workload of a collector, with its pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryWorkload {
    /// The workload.
    pub workload: Workload,
    /// Whether it is the operator that makes the collector's workloads, and collects nothing itself.
    pub operator: bool,
    /// Its pods that are not being deleted and have not ended, sorted by name.
    pub pods: Vec<TelemetryPod>,
    /// Its pods that have ended and that nothing starts again: a node has rejected, evicted or lost them. Others replace
    /// them; sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<LeftoverPod>,
}

/// A pod that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftoverPod {
    /// Name; its namespace is the workload's.
    pub name: String,
    /// The node that it was bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why, in one word: `Evicted`, `NodeAffinity`, `OutOfcpu`; where the pod does not say, how it ended.
    pub reason: String,
}

/// A pod of a collector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryPod {
    /// Name; its namespace is the workload's.
    pub name: String,
    /// The node it is bound to.
    pub node: Option<String>,
    /// `status.podIP`.
    pub address: Option<String>,
    /// Whether its condition `Ready` is `True`.
    pub ready: bool,
    /// When it was created.
    pub created: Timestamp,
    /// How often its containers were started again.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub restarts: Option<u32>,
    /// How a container of it ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_termination: Option<Termination>,
    /// When its collector's container was started last; `None` while it does not run, or where that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
}

/// The metrics page of one pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsPage {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The node it is bound to.
    pub node: Option<String>,
    /// What the page said.
    pub first: Observed<Metrics>,
    /// What it said later: read again only where one reading cannot tell a full queue from one that fills, or a page that
    /// lives from one that was left behind.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub again: Option<Observed<Metrics>>,
    /// The scrape jobs that the running program says it has (vmagent's `/config`); `None` of programs that scrape nothing
    /// that a check asks about.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub jobs: Option<Observed<Vec<RunningJob>>>,
    /// How long its configuration lets pass between two scrapes of one target at the most, in milliseconds: what the running
    /// program says, else what its ConfigMaps do. `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_interval_ms: Option<u64>,
}

/// A scrape job as the running program has it, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningJob {
    /// `job_name`.
    pub name: String,
    /// `honor_labels`: whether a scraped label wins over the target's own of that name.
    pub honor_labels: bool,
    /// Whether it reads cAdvisor's page, by its path; `None` where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_cadvisor: Option<bool>,
}

/// The samples of a page that checks read, by an allow-list of names and labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// When the page had been read, in milliseconds since the collection began; below zero of an earlier one.
    pub read_ms: i64,
    /// The samples, in the page's order.
    pub samples: Vec<MetricsSample>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSample {
    /// Name of the metric.
    pub name: String,
    /// The labels that checks read.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

// === impl Telemetry ===

impl Telemetry {
    /// Nothing was tried.
    #[must_use]
    pub(crate) fn not_collected() -> Self {
        Self {
            fluent_bit: TelemetryComponent::not_collected(),
            vmagent: TelemetryComponent::not_collected(),
            alloy: TelemetryComponent::not_collected(),
            fluent_bit_settings: Observed::not_collected(),
            vmagent_settings: Observed::not_collected(),
            alloys: Observed::not_collected(),
            alloy_settings: Observed::not_collected(),
        }
    }
}

// === impl MetricsPage ===

impl MetricsPage {
    /// What it said last.
    pub(crate) fn latest(&self) -> Option<&Metrics> {
        match (&self.again, &self.first) {
            (Some(Observed::Seen(metrics)), _) | (_, Observed::Seen(metrics)) => Some(metrics),
            _ => None,
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::not_collected()
    }
}

// === impl TelemetryComponent ===

impl Default for TelemetryComponent {
    fn default() -> Self {
        Self::not_collected()
    }
}

impl TelemetryComponent {
    /// Nothing was tried.
    #[must_use]
    pub(crate) fn not_collected() -> Self {
        Self {
            workloads: Observed::not_collected(),
            elsewhere: Vec::new(),
            metrics: Observed::not_collected(),
        }
    }
}
