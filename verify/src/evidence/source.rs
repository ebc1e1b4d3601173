//! The sources that evidence comes from, one collector each.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Makes [`Source`], and what is known of each without asking a cluster. The rest follows by exhaustive matches: the requests
/// and with them the permissions (`collect/rbac.rs`).
macro_rules! sources {
    ($(#[doc = $doc:literal] $name:ident: $text:literal, of $place:ident, through [$($through:ident),*];)+) => {
        /// A source of evidence. Each has one collector, one timeout, and one declaration of the RBAC rules it needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Source {
            $(#[doc = $doc] $name,)+
        }

        impl Source {
            /// Every source. One that is found through others stands behind them.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// What has to answer for it to be read.
            fn place(self) -> Place {
                match self {
                    $(Self::$name => Place::$place,)+
                }
            }

            /// The sources through which this one is found: where one of them is unknown, so is this.
            #[must_use]
            pub fn found_through(self) -> &'static [Self] {
                match self {
                    $(Self::$name => &[$(Self::$through),*],)+
                }
            }
        }

        impl fmt::Display for Source {
            /// What it is called in progress and messages.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)+
                })
            }
        }
    };
}

/// What has to answer for a source to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The cluster's API server.
    Cluster,
    /// The control plane, about a cluster.
    Starbase,
    /// A store of the region, or a document about it.
    Region,
}

#[rustfmt::skip]
sources! {
    /// `GET /version`, and the `Date` it came with.
    ApiServer: "API server", of Cluster, through [];
    /// The namespace `kube-system`.
    Identity: "namespace kube-system", of Cluster, through [];
    /// Nodes.
    Nodes: "nodes", of Cluster, through [];
    /// The APIService of the metrics API.
    MetricsApiService: "APIService of the metrics API", of Cluster, through [];
    /// NodeMetrics.
    NodeMetrics: "NodeMetrics", of Cluster, through [];
    /// PodMetrics.
    PodMetrics: "PodMetrics", of Cluster, through [];
    /// HorizontalPodAutoscalers.
    Autoscalers: "HorizontalPodAutoscalers", of Cluster, through [];
    // The metrics API is found by its APIService, then its Service.
    /// metrics-server's Services.
    MetricsServerServices: "Services of metrics-server", of Cluster, through [MetricsApiService];
    /// metrics-server's EndpointSlices.
    MetricsServerEndpoints: "EndpointSlices of metrics-server", of Cluster, through [MetricsServerServices];
    /// metrics-server's Deployments and StatefulSets.
    MetricsServerWorkloads: "workloads of metrics-server", of Cluster, through [MetricsServerServices];
    /// kube-state-metrics' Services.
    StateMetricsServices: "Services of kube-state-metrics", of Cluster, through [];
    /// kube-state-metrics' EndpointSlices.
    StateMetricsEndpoints: "EndpointSlices of kube-state-metrics", of Cluster, through [StateMetricsServices];
    /// kube-state-metrics' Deployments, StatefulSets and DaemonSets.
    StateMetricsWorkloads: "workloads of kube-state-metrics", of Cluster, through [StateMetricsServices];
    /// Pods.
    Pods: "pods", of Cluster, through [];
    // Shards are told from replicas by the workload's flags, and each shard is one endpoint.
    /// The scrape of kube-state-metrics.
    StateMetricsScrape: "scrape of kube-state-metrics", of Cluster, through [StateMetricsEndpoints, StateMetricsWorkloads];
    /// Shuttle's status: the ConfigMap `shuttle-status`.
    ShuttleStatus: "ConfigMap shuttle-status", of Cluster, through [];
    /// Shuttle's agent: a Deployment.
    ShuttleAgent: "Deployment of Shuttle's agent", of Cluster, through [];
    /// Shuttle's node role: a DaemonSet.
    ShuttleNode: "DaemonSet of Shuttle's node role", of Cluster, through [];
    /// The names of the ConfigMaps in Shuttle's namespace.
    ShuttleConfigMaps: "ConfigMaps in Shuttle's namespace", of Cluster, through [];
    /// What RBAC grants Shuttle's accounts.
    ShuttleGrants: "permissions of Shuttle's accounts", of Cluster, through [];
    // The status says under which ID the cluster is registered, and sends what it sends.
    /// What Starbase says of the cluster's registration.
    Starbase: "Starbase", of Starbase, through [ShuttleStatus];
    /// Envoy Gateway's controller: Deployments.
    EnvoyGatewayWorkloads: "Deployments of Envoy Gateway", of Cluster, through [];
    /// GatewayClasses.
    GatewayClasses: "GatewayClasses", of Cluster, through [];
    /// Gateways.
    Gateways: "Gateways", of Cluster, through [];
    /// The CustomResourceDefinitions of the Gateway API and of Envoy Gateway, by their metadata.
    GatewayCrds: "CustomResourceDefinitions of the Gateway API", of Cluster, through [];
    /// The Envoys that the controller has made, and what they say of their configuration.
    GatewayProxies: "Envoys of Gateways", of Cluster, through [Gateways];
    /// The routes and policies that Envoys' configuration is made of.
    GatewayConfiguration: "routes and policies of Gateways", of Cluster, through [Gateways];
    /// Fluent Bit's DaemonSets and their pods.
    FluentBitWorkloads: "DaemonSets of Fluent Bit", of Cluster, through [];
    // What is configured stands in what a workload's pods mount, and a page is asked of each of its pods.
    /// What Fluent Bit is configured to do, from its live ConfigMap.
    FluentBitSettings: "configuration of Fluent Bit", of Cluster, through [FluentBitWorkloads];
    /// The metrics pages of Fluent Bit's pods.
    FluentBitMetrics: "metrics of Fluent Bit", of Cluster, through [FluentBitWorkloads];
    /// vmagent's StatefulSets and Deployments and their pods.
    VmagentWorkloads: "workloads of vmagent", of Cluster, through [];
    /// What vmagent is configured to do, from its live objects.
    VmagentSettings: "configuration of vmagent", of Cluster, through [VmagentWorkloads];
    /// The metrics pages and targets of vmagent's pods.
    VmagentMetrics: "metrics of vmagent", of Cluster, through [VmagentWorkloads];
    /// Alloy custom resources.
    AlloyResources: "Alloy resources", of Cluster, through [];
    /// Alloy's operator and the workloads that it made, and their pods.
    AlloyWorkloads: "workloads of Alloy", of Cluster, through [];
    /// Where Alloy's credentials come from, by the ConfigMaps that its pods have.
    AlloySettings: "configuration of Alloy", of Cluster, through [AlloyWorkloads];
    /// The metrics pages of Alloy's pods.
    AlloyMetrics: "metrics of Alloy", of Cluster, through [AlloyWorkloads];
    /// Helm's release Secrets.
    HelmReleases: "Helm releases", of Cluster, through [];
    /// The region's VictoriaMetrics.
    MetricsStore: "VictoriaMetrics of the region", of Region, through [ShuttleStatus];
    /// The region's ClickHouse.
    LogStore: "ClickHouse of the region", of Region, through [ShuttleStatus];
    /// The region's Vector.
    LogAggregator: "Vector of the region", of Region, through [];
    /// What Terraform says of the region.
    Terraform: "Terraform of the region", of Region, through [];
}

/// When a source was read, in milliseconds since the collection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Its first request was sent.
    pub started_ms: u64,
    /// Its last answer was read.
    pub ended_ms: u64,
}

impl Source {
    /// Whether it is read without an API server: a region outlives its clusters.
    #[must_use]
    pub fn is_of_region(self) -> bool {
        self.place() == Place::Region
    }

    /// Whether Starbase answers for it.
    #[must_use]
    pub(crate) fn is_of_starbase(self) -> bool {
        self.place() == Place::Starbase
    }

    /// Whether the cluster's API server answers for it.
    #[must_use]
    pub(crate) fn is_of_api_server(self) -> bool {
        self.place() == Place::Cluster
    }
}
