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
    /// Envoy Gateway's controller: Deployments.
    EnvoyGatewayWorkloads,
    /// GatewayClasses.
    GatewayClasses,
    /// Gateways.
    Gateways,
    /// The CustomResourceDefinitions of the Gateway API and of Envoy Gateway, by their metadata.
    GatewayCrds,
    /// Fluent Bit's DaemonSets and their pods.
    FluentBitWorkloads,
    /// What Fluent Bit is configured to do, from its live ConfigMap.
    FluentBitSettings,
    /// The metrics pages of Fluent Bit's pods.
    FluentBitMetrics,
    /// vmagent's StatefulSets and Deployments and their pods.
    VmagentWorkloads,
    /// What vmagent is configured to do, from its live objects.
    VmagentSettings,
    /// The metrics pages and targets of vmagent's pods.
    VmagentMetrics,
    /// Alloy custom resources.
    AlloyResources,
    /// Alloy's operator and the workloads that it made, and their pods.
    AlloyWorkloads,
    /// Where Alloy's credentials come from, by the ConfigMaps that its pods have.
    AlloySettings,
    /// The metrics pages of Alloy's pods.
    AlloyMetrics,
    /// Helm's release Secrets.
    HelmReleases,
    /// The region's VictoriaMetrics.
    MetricsStore,
    /// The region's ClickHouse.
    LogStore,
    /// The region's Vector.
    LogAggregator,
    /// What Terraform says of the region.
    Terraform,
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
    pub const ALL: [Self; 40] = [
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
        Self::EnvoyGatewayWorkloads,
        Self::GatewayClasses,
        Self::Gateways,
        Self::GatewayCrds,
        Self::FluentBitWorkloads,
        Self::FluentBitSettings,
        Self::FluentBitMetrics,
        Self::VmagentWorkloads,
        Self::VmagentSettings,
        Self::VmagentMetrics,
        Self::AlloyResources,
        Self::AlloyWorkloads,
        Self::AlloySettings,
        Self::AlloyMetrics,
        Self::HelmReleases,
        Self::MetricsStore,
        Self::LogStore,
        Self::LogAggregator,
        Self::Terraform,
    ];

    /// Whether it is read without an API server: a region outlives its clusters.
    #[must_use]
    pub fn is_of_region(self) -> bool {
        matches!(
            self,
            Self::MetricsStore | Self::LogStore | Self::LogAggregator | Self::Terraform
        )
    }

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
            // The status says under which ID the cluster is registered, and sends what it sends.
            Self::Starbase | Self::MetricsStore | Self::LogStore => &[Self::ShuttleStatus],
            // A pod's page is asked of the pods that the workload has; what is configured stands in what its pods mount.
            Self::FluentBitSettings | Self::FluentBitMetrics => &[Self::FluentBitWorkloads],
            Self::VmagentSettings | Self::VmagentMetrics => &[Self::VmagentWorkloads],
            Self::AlloySettings | Self::AlloyMetrics => &[Self::AlloyWorkloads],
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
            Self::EnvoyGatewayWorkloads => "Deployments of Envoy Gateway",
            Self::GatewayClasses => "GatewayClasses",
            Self::Gateways => "Gateways",
            Self::GatewayCrds => "CustomResourceDefinitions of the Gateway API",
            Self::FluentBitWorkloads => "DaemonSets of Fluent Bit",
            Self::FluentBitSettings => "configuration of Fluent Bit",
            Self::FluentBitMetrics => "metrics of Fluent Bit",
            Self::VmagentWorkloads => "workloads of vmagent",
            Self::VmagentSettings => "configuration of vmagent",
            Self::VmagentMetrics => "metrics of vmagent",
            Self::AlloyResources => "Alloy resources",
            Self::AlloyWorkloads => "workloads of Alloy",
            Self::AlloySettings => "configuration of Alloy",
            Self::AlloyMetrics => "metrics of Alloy",
            Self::HelmReleases => "Helm releases",
            Self::MetricsStore => "VictoriaMetrics of the region",
            Self::LogStore => "ClickHouse of the region",
            Self::LogAggregator => "Vector of the region",
            Self::Terraform => "Terraform of the region",
        })
    }
}
