//! The sources that evidence comes from, one collector each.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A source of evidence. Each has one collector, one timeout, and one declaration of the RBAC rules it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `GET /version`, and the `Date` it came with.
    ApiServer,
    /// The namespace `kube-system`.
    Identity,
    /// Nodes.
    Nodes,
    /// The APIService of the metrics API.
    MetricsApiService,
    /// NodeMetrics.
    NodeMetrics,
    /// PodMetrics.
    PodMetrics,
    /// HorizontalPodAutoscalers.
    Autoscalers,
    /// metrics-server's Services.
    MetricsServerServices,
    /// metrics-server's EndpointSlices.
    MetricsServerEndpoints,
    /// metrics-server's Deployments and StatefulSets.
    MetricsServerWorkloads,
    /// kube-state-metrics' Services.
    StateMetricsServices,
    /// kube-state-metrics' EndpointSlices.
    StateMetricsEndpoints,
    /// kube-state-metrics' Deployments and StatefulSets.
    StateMetricsWorkloads,
    /// Pods.
    Pods,
    /// The scrape of kube-state-metrics.
    StateMetricsScrape,
    /// Shuttle's status: the ConfigMap `shuttle-status`.
    ShuttleStatus,
    /// Shuttle's agent: a Deployment.
    ShuttleAgent,
    /// Shuttle's node role: a DaemonSet.
    ShuttleNode,
    /// The names of the ConfigMaps in Shuttle's namespace.
    ShuttleConfigMaps,
    /// What RBAC grants Shuttle's accounts.
    ShuttleGrants,
    /// What Starbase says of the cluster's registration.
    Starbase,
}

/// When a source was read, in milliseconds since the collection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Timing {
    /// Its first request was sent.
    pub started_ms: u64,
    /// Its last answer was read.
    pub ended_ms: u64,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 21] = [
        Self::ApiServer,
        Self::Identity,
        Self::Nodes,
        Self::MetricsApiService,
        Self::NodeMetrics,
        Self::PodMetrics,
        Self::Autoscalers,
        Self::MetricsServerServices,
        Self::MetricsServerEndpoints,
        Self::MetricsServerWorkloads,
        Self::StateMetricsServices,
        Self::StateMetricsEndpoints,
        Self::StateMetricsWorkloads,
        Self::Pods,
        Self::StateMetricsScrape,
        Self::ShuttleStatus,
        Self::ShuttleAgent,
        Self::ShuttleNode,
        Self::ShuttleConfigMaps,
        Self::ShuttleGrants,
        Self::Starbase,
    ];

    /// The sources through which this one is found: where one of them is unknown, so is this.
    #[must_use]
    pub fn found_through(self) -> &'static [Self] {
        match self {
            // The metrics API is found by its APIService, then its Service.
            Self::MetricsServerServices => &[Self::MetricsApiService],
            Self::MetricsServerEndpoints | Self::MetricsServerWorkloads => &[Self::MetricsServerServices],
            Self::StateMetricsEndpoints | Self::StateMetricsWorkloads => &[Self::StateMetricsServices],
            // Shards are told from replicas by the workload's flags, and each shard is one endpoint.
            Self::StateMetricsScrape => &[Self::StateMetricsEndpoints, Self::StateMetricsWorkloads],
            // The status says under which ID the cluster is registered.
            Self::Starbase => &[Self::ShuttleStatus],
            _ => &[],
        }
    }
}

impl fmt::Display for Source {
    /// What it is called in progress and messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiServer => "API server",
            Self::Identity => "namespace kube-system",
            Self::Nodes => "nodes",
            Self::MetricsApiService => "APIService of the metrics API",
            Self::NodeMetrics => "NodeMetrics",
            Self::PodMetrics => "PodMetrics",
            Self::Autoscalers => "HorizontalPodAutoscalers",
            Self::MetricsServerServices => "Services of metrics-server",
            Self::MetricsServerEndpoints => "EndpointSlices of metrics-server",
            Self::MetricsServerWorkloads => "workloads of metrics-server",
            Self::StateMetricsServices => "Services of kube-state-metrics",
            Self::StateMetricsEndpoints => "EndpointSlices of kube-state-metrics",
            Self::StateMetricsWorkloads => "workloads of kube-state-metrics",
            Self::Pods => "pods",
            Self::StateMetricsScrape => "scrape of kube-state-metrics",
            Self::ShuttleStatus => "ConfigMap shuttle-status",
            Self::ShuttleAgent => "Deployment of Shuttle's agent",
            Self::ShuttleNode => "DaemonSet of Shuttle's node role",
            Self::ShuttleConfigMaps => "ConfigMaps in Shuttle's namespace",
            Self::ShuttleGrants => "permissions of Shuttle's accounts",
            Self::Starbase => "Starbase",
        })
    }
}
