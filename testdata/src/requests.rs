//! Every request that an audit sends, with the good answer.

use starform_verify::evidence::Source;

/// A request that an audit sends.
#[derive(Debug)]
pub struct Asked {
    /// What tests call it.
    pub name: &'static str,
    /// The file in `answers/` with its good answer.
    pub file: &'static str,
    /// The beginning of its path and query.
    prefix: &'static str,
    /// What is somewhere in its query.
    query: &'static str,
    body: &'static str,
    /// An answer of the same kind in which nothing is; `None` where it is one object.
    pub empty: Option<&'static str>,
    /// The sources that are read with it.
    pub sources: &'static [Source],
}

macro_rules! asked {
    ($name:literal, $prefix:literal, $query:literal, $file:literal, $empty:expr, $($source:ident),+) => {
        Asked {
            name: $name,
            file: $file,
            prefix: $prefix,
            query: $query,
            body: include_str!(concat!("../answers/", $file)),
            empty: $empty,
            sources: &[$(Source::$source),+],
        }
    };
}

macro_rules! list {
    ($kind:literal) => {
        Some(concat!(
            r#"{"kind":""#,
            $kind,
            r#"","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#
        ))
    };
}

const EMPTY_TABLE: &str = r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1"},
    "columnDefinitions":[{"name":"Name"},{"name":"Ready"},{"name":"Status"},{"name":"Restarts"},{"name":"Age"},
    {"name":"IP"},{"name":"Node"}],"rows":[]}"#;

/// What VictoriaMetrics answers where no series matches, and ClickHouse where no row does.
const NO_ROWS: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[]},"stats":{"seriesFetched":"0"}}"#;
const NO_RESULT: &str = r#"{"meta":[{"name":"table","type":"String"}],"data":[],"rows":0}"#;

/// Every request of an audit.
#[rustfmt::skip]
pub static REQUESTS: [Asked; 78] = [
    asked!("version", "/version", "", "version.json", None, ApiServer),
    asked!("namespace", "/api/v1/namespaces/kube-system", "", "namespace.json", None, Identity),
    asked!("nodes", "/api/v1/nodes?", "", "nodes.json", list!("NodeList"), Nodes),
    asked!("apiservice", "/apis/apiregistration.k8s.io/v1/apiservices/", "", "apiservice.json", None, MetricsApiService),
    asked!("node-metrics", "/apis/metrics.k8s.io/v1beta1/nodes", "", "node-metrics.json", list!("NodeMetricsList"), NodeMetrics),
    asked!("pod-metrics", "/apis/metrics.k8s.io/v1beta1/pods", "", "pod-metrics.json", list!("PodMetricsList"), PodMetrics),
    asked!("autoscalers", "/apis/autoscaling/v2/horizontalpodautoscalers?", "", "autoscalers.json",
        list!("HorizontalPodAutoscalerList"), Autoscalers),
    asked!("services of metrics-server", "/api/v1/services?", "name%3Dmetrics-server", "services-metrics-server.json",
        list!("ServiceList"), MetricsServerServices),
    asked!("services of kube-state-metrics", "/api/v1/services?", "name%3Dkube-state-metrics", "services-kube-state-metrics.json",
        list!("ServiceList"), StateMetricsServices),
    asked!("endpoints of metrics-server", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?", "name%3Dmetrics-server",
        "endpoints-metrics-server.json", list!("EndpointSliceList"), MetricsServerEndpoints),
    asked!("endpoints of kube-state-metrics", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?", "name%3Dkube-state-metrics",
        "endpoints-kube-state-metrics.json", list!("EndpointSliceList"), StateMetricsEndpoints),
    asked!("deployments", "/apis/apps/v1/namespaces/kube-system/deployments?", "", "deployments.json",
        list!("DeploymentList"), MetricsServerWorkloads, StateMetricsWorkloads),
    asked!("statefulsets", "/apis/apps/v1/namespaces/kube-system/statefulsets?", "", "statefulsets.json",
        list!("StatefulSetList"), MetricsServerWorkloads, StateMetricsWorkloads),
    asked!("daemonsets", "/apis/apps/v1/namespaces/kube-system/daemonsets?", "", "daemonsets.json",
        list!("DaemonSetList"), StateMetricsWorkloads),
    asked!("envoys", "/api/v1/pods?", "component%3Dproxy", "envoy-pods.json", list!("PodList"), GatewayProxies),
    asked!("pods", "/api/v1/pods", "", "pods.json", Some(EMPTY_TABLE), Pods),
    asked!("scrape", "/api/v1/namespaces/kube-system/services/kube-state-metrics:http/proxy/metrics?resources=pods", "",
        "metrics.txt", Some("# EOF\n"), StateMetricsScrape),
    asked!("shuttle's status", "/api/v1/namespaces/starform-system/configmaps/shuttle-status", "", "shuttle-status.json", None, ShuttleStatus),
    asked!("shuttle's agent", "/apis/apps/v1/namespaces/starform-system/deployments/shuttle", "", "shuttle-agent.json", None, ShuttleAgent),
    asked!("shuttle's node role", "/apis/apps/v1/namespaces/starform-system/daemonsets/shuttle-node", "", "shuttle-node.json", None, ShuttleNode),
    asked!("shuttle's configmaps", "/api/v1/namespaces/starform-system/configmaps?", "", "shuttle-configmaps.json",
        list!("PartialObjectMetadataList"), ShuttleConfigMaps),
    asked!("clusterrolebindings", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?", "", "clusterrolebindings.json",
        list!("ClusterRoleBindingList"), ShuttleGrants),
    asked!("rolebindings", "/apis/rbac.authorization.k8s.io/v1/rolebindings?", "", "rolebindings.json",
        list!("RoleBindingList"), ShuttleGrants),
    asked!("clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterroles?", "", "clusterroles.json",
        list!("ClusterRoleList"), ShuttleGrants),
    asked!("roles", "/apis/rbac.authorization.k8s.io/v1/roles?", "", "roles.json", list!("RoleList"), ShuttleGrants),
    asked!("services of envoy-gateway", "/api/v1/services?", "name%3Dgateway-helm", "services-envoy-gateway.json",
        list!("ServiceList"), EnvoyGatewayWorkloads),
    asked!("deployments of envoy-gateway", "/apis/apps/v1/namespaces/envoy-gateway-system/deployments?", "",
        "deployments-envoy-gateway.json", list!("DeploymentList"), EnvoyGatewayWorkloads),
    asked!("failed mounts", "/api/v1/namespaces/envoy-gateway-system/events?", "reason%3DFailedMount",
        "events-envoy-gateway.json", list!("EventList"), EnvoyGatewayWorkloads),
    asked!("pending pods of envoy-gateway", "/api/v1/namespaces/envoy-gateway-system/pods?", "status.phase%3DPending",
        "pods-pending-envoy-gateway.json", list!("PartialObjectMetadataList"), EnvoyGatewayWorkloads),
    asked!("gatewayclasses", "/apis/gateway.networking.k8s.io/v1/gatewayclasses?", "", "gatewayclasses.json",
        list!("GatewayClassList"), GatewayClasses),
    asked!("gateways", "/apis/gateway.networking.k8s.io/v1/gateways?", "", "gateways.json", list!("GatewayList"), Gateways),
    asked!("customresourcedefinitions", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?", "", "gateway-crds.json",
        list!("PartialObjectMetadataList"), GatewayCrds),
    asked!("envoy's statistics", "/api/v1/namespaces/envoy-gateway-system/pods/envoy-", ":19001/proxy/stats/prometheus",
        "envoy-stats.txt", None, GatewayProxies),
    asked!("clienttrafficpolicies", "/apis/gateway.envoyproxy.io/v1alpha1/clienttrafficpolicies?", "", "clienttrafficpolicies.json",
        list!("ClientTrafficPolicyList"), GatewayConfiguration),
    asked!("backendtrafficpolicies", "/apis/gateway.envoyproxy.io/v1alpha1/backendtrafficpolicies?", "",
        "backendtrafficpolicies.json", list!("BackendTrafficPolicyList"), GatewayConfiguration),
    asked!("envoyextensionpolicies", "/apis/gateway.envoyproxy.io/v1alpha1/envoyextensionpolicies?", "",
        "envoyextensionpolicies.json", list!("EnvoyExtensionPolicyList"), GatewayConfiguration),
    asked!("securitypolicies", "/apis/gateway.envoyproxy.io/v1alpha1/securitypolicies?", "", "securitypolicies.json",
        list!("SecurityPolicyList"), GatewayConfiguration),
    asked!("helm secrets in envoy-gateway-system", "/api/v1/namespaces/envoy-gateway-system/secrets?", "owner%3Dhelm",
        "helm-in-envoy-gateway-system.json", list!("PartialObjectMetadataList"), HelmReleases),
    asked!("helm secrets in kube-system", "/api/v1/namespaces/kube-system/secrets?", "owner%3Dhelm",
        "helm-in-kube-system.json", list!("PartialObjectMetadataList"), HelmReleases),
    asked!("helm secrets in telemetry", "/api/v1/namespaces/telemetry/secrets?", "owner%3Dhelm",
        "helm-in-telemetry.json", list!("PartialObjectMetadataList"), HelmReleases),
    asked!("helm release envoy-gateway", "/api/v1/namespaces/envoy-gateway-system/secrets?", "v1.envoy-gateway.v1%2C",
        "helm-envoy-gateway.json", list!("SecretList"), HelmReleases),
    asked!("helm release metrics-server", "/api/v1/namespaces/kube-system/secrets?", "v1.metrics-server.v1%2C",
        "helm-metrics-server.json", list!("SecretList"), HelmReleases),
    asked!("helm release kube-state-metrics", "/api/v1/namespaces/kube-system/secrets?", "v1.kube-state-metrics.v1%2C",
        "helm-kube-state-metrics.json", list!("SecretList"), HelmReleases),
    asked!("helm release fluent-bit", "/api/v1/namespaces/telemetry/secrets?", "v1.fluent-bit.v1%2C",
        "helm-fluent-bit.json", list!("SecretList"), HelmReleases),
    asked!("helm release vmagent", "/api/v1/namespaces/telemetry/secrets?", "v1.vmagent.v1%2C",
        "helm-vmagent.json", list!("SecretList"), HelmReleases),
    asked!("helm release k8s-monitoring", "/api/v1/namespaces/telemetry/secrets?", "v1.k8s-monitoring.v1%2C",
        "helm-k8s-monitoring.json", list!("SecretList"), HelmReleases),
    asked!("starbase", "/v1/clusters/testbed/registration", "", "starbase.json", None, Starbase),
    asked!("fluent-bit's daemonsets", "/apis/apps/v1/daemonsets?", "name%3Dfluent-bit", "fluent-bit-daemonsets.json",
        list!("DaemonSetList"), FluentBitWorkloads),
    asked!("fluent-bit's pods", "/api/v1/namespaces/telemetry/pods?", "name%3Dfluent-bit", "fluent-bit-pods.json", list!("PodList"),
        FluentBitWorkloads),
    asked!("fluent-bit's configmap", "/api/v1/namespaces/telemetry/configmaps/fluent-bit", "", "fluent-bit-configmap.json", None,
        FluentBitSettings),
    asked!("vmagent's deployments", "/apis/apps/v1/deployments?", "name%3Dvictoria-metrics-agent", "vmagent-deployments.json",
        list!("DeploymentList"), VmagentWorkloads),
    asked!("vmagent's statefulsets", "/apis/apps/v1/statefulsets?", "name%3Dvictoria-metrics-agent", "vmagent-statefulsets.json",
        list!("StatefulSetList"), VmagentWorkloads),
    asked!("vmagent's pods", "/api/v1/namespaces/telemetry/pods?", "name%3Dvictoria-metrics-agent", "vmagent-pods.json", list!("PodList"),
        VmagentWorkloads),
    asked!("vmagent's scrape configuration", "/api/v1/namespaces/telemetry/configmaps/vmagent-config", "", "vmagent-config.json", None,
        VmagentSettings),
    asked!("vmagent's region", "/api/v1/namespaces/telemetry/configmaps/vmagent-region", "", "vmagent-region.json", None, VmagentSettings),
    asked!("alloy's deployments", "/apis/apps/v1/deployments?", "part-of%3Dalloy", "alloy-deployments.json", list!("DeploymentList"),
        AlloyWorkloads),
    asked!("alloy's statefulsets", "/apis/apps/v1/statefulsets?", "part-of%3Dalloy", "alloy-statefulsets.json",
        list!("StatefulSetList"), AlloyWorkloads),
    asked!("alloy's daemonsets", "/apis/apps/v1/daemonsets?", "part-of%3Dalloy", "alloy-daemonsets.json", list!("DaemonSetList"),
        AlloyWorkloads),
    asked!("alloy's operator", "/apis/apps/v1/deployments?", "name%3Dalloy-operator", "alloy-operator-deployments.json",
        list!("DeploymentList"), AlloyWorkloads),
    asked!("alloy-metrics' pods", "/api/v1/namespaces/telemetry/pods?", "instance%3Dk8s-monitoring-alloy-metrics", "alloy-metrics-pods.json",
        list!("PodList"), AlloyWorkloads),
    asked!("alloy-singleton's pods", "/api/v1/namespaces/telemetry/pods?", "instance%3Dk8s-monitoring-alloy-singleton",
        "alloy-singleton-pods.json", list!("PodList"), AlloyWorkloads),
    asked!("alloy-operator's pods", "/api/v1/namespaces/telemetry/pods?", "name%3Dalloy-operator", "alloy-operator-pods.json",
        list!("PodList"), AlloyWorkloads),
    asked!("alloy-metrics' configmap", "/api/v1/namespaces/telemetry/configmaps/k8s-monitoring-alloy-metrics", "",
        "alloy-metrics-configmap.json", None, AlloySettings),
    asked!("alloy-singleton's configmap", "/api/v1/namespaces/telemetry/configmaps/k8s-monitoring-alloy-singleton", "",
        "alloy-singleton-configmap.json", None, AlloySettings),
    asked!("alloy's definition", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/alloys.collectors.grafana.com", "",
        "alloy-definition.json", None, AlloyResources),
    asked!("alloys", "/apis/collectors.grafana.com/v1alpha1/alloys?", "", "alloys.json", list!("AlloyList"), AlloyResources),
    asked!("store: series", "/api/v1/query?", "exported_pod", "store-series.json", Some(NO_ROWS), MetricsStore),
    asked!("store: join", "/api/v1/query?", "keep_metric_names", "store-join.json", Some(NO_ROWS), MetricsStore),
    asked!("store: jobs", "/api/v1/query?", "starform_region_job_success", "store-jobs.json", Some(NO_ROWS), MetricsStore),
    asked!("store: aggregator", "/api/v1/query?", "vector_buffer_size_bytes", "store-aggregator.json", Some(NO_ROWS), LogAggregator),
    asked!("logs: columns", "/?wait_end_of_query=1&", "system.columns", "logs-columns.json", Some(NO_RESULT), LogStore),
    asked!("logs: lines", "/?wait_end_of_query=1&", "logs.clusters", "logs-lines.json", Some(NO_RESULT), LogStore),
    asked!("logs: dead letters", "/?wait_end_of_query=1&", "logs.dead_letters", "logs-dead-letters.json", Some(NO_RESULT), LogStore),
    asked!("fluent-bit's metrics", "/api/v1/namespaces/telemetry/pods/fluent-bit-", ":2020/proxy/api/v2/metrics/prometheus",
        "fluent-bit-metrics.txt", None, FluentBitMetrics),
    asked!("vmagent's metrics", "/api/v1/namespaces/telemetry/pods/vmagent-0:8429/proxy/metrics", "", "vmagent-metrics.txt", None,
        VmagentMetrics),
    asked!("vmagent's jobs", "/api/v1/namespaces/telemetry/pods/vmagent-0:8429/proxy/config", "", "vmagent-running.yaml", None,
        VmagentMetrics),
    asked!("alloy-metrics' metrics", "/api/v1/namespaces/telemetry/pods/k8s-monitoring-alloy-metrics-0:12345/proxy/metrics", "",
        "alloy-metrics-metrics.txt", None, AlloyMetrics),
    asked!("alloy-singleton's metrics", "/api/v1/namespaces/telemetry/pods/k8s-monitoring-alloy-singleton-", ":12345/proxy/metrics",
        "alloy-singleton-metrics.txt", None, AlloyMetrics),
];

/// Requests that are one part of several of their source: an empty list of one is an answer, and leaves the others.
pub const PARTS: [&str; 11] = [
    "clienttrafficpolicies",
    "backendtrafficpolicies",
    "envoyextensionpolicies",
    "securitypolicies",
    "fluent-bit's pods",
    "vmagent's pods",
    "alloy's deployments",
    "alloy's statefulsets",
    "alloy-metrics' pods",
    "alloy-singleton's pods",
    "alloy-operator's pods",
];

impl Asked {
    /// Whether a path with its query asks for it.
    pub(crate) fn is(&self, target: &str) -> bool {
        target.starts_with(self.prefix)
            && target.contains(self.query)
            // The namespace's path is the beginning of others.
            && (self.name != "namespace" || target == self.prefix)
    }

    /// The path that it asks, without a query.
    pub(crate) fn path(&self) -> &'static str {
        self.prefix.split('?').next().unwrap_or(self.prefix)
    }

    /// Whether a store of the region answers it.
    #[must_use]
    pub fn is_of_store(&self) -> bool {
        self.name.starts_with("store: ") || self.name.starts_with("logs: ")
    }

    /// Its good answer.
    #[must_use]
    pub fn body(&self) -> &'static str {
        self.body
    }

    /// As the server that was recorded wrote it.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self.name {
            "scrape" => "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            "fluent-bit's metrics" => "text/plain; version=0.0.4",
            "envoy's statistics" => "text/plain; charset=UTF-8",
            "vmagent's metrics" | "vmagent's jobs" => "text/plain; charset=utf-8",
            "alloy-metrics' metrics" | "alloy-singleton's metrics" => {
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            }
            _ => "application/json",
        }
    }

    /// Whether it is a page of a collector's, which answers for itself behind the API server's proxy.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.prefix.starts_with("/api/v1/namespaces/telemetry/pods/")
            || self
                .prefix
                .starts_with("/api/v1/namespaces/envoy-gateway-system/pods/envoy-")
    }
}

/// The request of that name.
///
/// # Panics
/// Where there is none: a test misspells it.
#[must_use]
pub fn asked(name: &str) -> &'static Asked {
    let found = REQUESTS.iter().find(|asked| asked.name == name);
    found.unwrap_or_else(|| panic!("no request is called {name:?}"))
}
