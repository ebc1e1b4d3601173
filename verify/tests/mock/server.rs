//! An API server of canned answers, recorded from a real one, over plain HTTP on loopback. Any request of an audit can be
//! made to fail in any way that a real one does.
//!
//! A test includes it with `#[path = "mock/server.rs"] mod mock;`.

#![allow(dead_code, reason = "each test uses its own part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    missing_docs,
    reason = "it is part of tests; clippy knows only those functions that are tests themselves"
)]
#![allow(unreachable_pub, reason = "it is a module of every test that includes it")]

use starform_verify::collect::{
    Connection, Plan, Starbase, StarbaseOptions, Stores, TerraformDocument, install_crypto_provider,
};
use starform_verify::evidence::{Source, Target, Vantage};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request that an audit sends.
#[derive(Debug)]
pub struct Asked {
    /// What tests call it.
    pub name: &'static str,
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

/// How a request is answered instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this status, and a `Status` as the API server writes it.
    Status(u16),
    /// With this status, and a line of text that is no `Status`.
    Plain(u16),
    /// 200, and `{}`.
    EmptyObject,
    /// 200, and the empty list; for one object, an empty list where the object should be.
    EmptyList,
    /// 200, and the beginning of the body; then the connection breaks.
    Cut,
    /// 200, and the beginning of the body, as if that were all.
    Short,
    /// 200, and bytes.
    Garbage,
    /// 200, and the right body under another content type.
    ContentType,
    /// 200, and a captive portal's page.
    Portal,
    /// A redirection to a login.
    Redirect,
    /// Never.
    Hang,
    /// 200 and half of the body; then never more.
    HangInBody,
    /// The connection is closed at once.
    Close,
    /// What comes is no HTTP.
    NotHttp,
}

/// Every fault there is.
pub const FAULTS: [Fault; 24] = [
    Fault::Status(400),
    Fault::Status(401),
    Fault::Status(403),
    Fault::Status(404),
    Fault::Status(410),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Plain(401),
    Fault::Plain(403),
    Fault::Plain(404),
    Fault::Plain(502),
    Fault::EmptyObject,
    Fault::EmptyList,
    Fault::Cut,
    Fault::Short,
    Fault::Garbage,
    Fault::ContentType,
    Fault::Portal,
    Fault::Redirect,
    Fault::Hang,
    Fault::HangInBody,
    Fault::Close,
    Fault::NotHttp,
];

macro_rules! asked {
    ($name:literal, $prefix:literal, $query:literal, $file:literal, $empty:expr, $($source:ident),+) => {
        Asked {
            name: $name,
            prefix: $prefix,
            query: $query,
            body: include_str!(concat!("answers/", $file)),
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

const REFERENCED: &str = "/api/v1/namespaces/kube-system/services?fieldSelector=metadata.name%3Dmetrics-server&";
/// Where a release may stand that is not found in the contract's own namespace.
const OTHER_SECRETS: [&str; 2] = [
    "/api/v1/namespaces/default/secrets?",
    "/api/v1/namespaces/metrics-server/secrets?",
];
const EMPTY_METADATA: &str =
    r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#;
const EMPTY_SERVICES: &str = r#"{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[]}"#;

/// What VictoriaMetrics answers where no series matches, and ClickHouse where no row does.
const NO_ROWS: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[]},"stats":{"seriesFetched":"0"}}"#;
const NO_RESULT: &str = r#"{"meta":[{"name":"table","type":"String"}],"data":[],"rows":0}"#;

/// Every request of an audit.
#[rustfmt::skip]
pub static REQUESTS: [Asked; 71] = [
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
    asked!("pods", "/api/v1/pods?", "", "pods.json", Some(EMPTY_TABLE), Pods),
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
pub const PARTS: [&str; 7] = [
    "fluent-bit's pods",
    "vmagent's pods",
    "alloy's deployments",
    "alloy's statefulsets",
    "alloy-metrics' pods",
    "alloy-singleton's pods",
    "alloy-operator's pods",
];

/// The token that Starbase is shown. No evidence, no log and no report may have it.
pub const TOKEN: &str = "minted-for-the-mock";
/// The passwords of the stores. The same holds for them.
pub const PASSWORDS: [&str; 2] = ["reads-metrics-of-the-mock", "reads-logs-of-the-mock"];

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub struct Mock {
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    faults: BTreeMap<&'static str, Fault>,
    /// Other bodies for requests, by name: status, content type, body.
    bodies: BTreeMap<&'static str, Vec<(u16, &'static str, String)>>,
    /// The requests that came, in order.
    log: Vec<String>,
}

impl Mock {
    /// Starts one that answers everything well.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mock = Self {
            address: listener.local_addr().unwrap(),
            inner: Arc::default(),
        };
        let accepting = mock.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mock = accepting.clone();
                tokio::spawn(async move {
                    let _ = mock.serve(stream).await;
                });
            }
        });
        mock
    }

    /// Answers the request of that name so.
    pub fn fault(&self, name: &'static str, fault: Fault) {
        self.inner.lock().unwrap().faults.insert(name, fault);
    }

    /// Answers the request of that name with these, one after the other, and then with the last of them.
    pub fn answer(&self, name: &'static str, answers: Vec<(u16, &'static str, String)>) {
        self.inner.lock().unwrap().bodies.insert(name, answers);
    }

    /// Answers everything well again, and forgets what came.
    pub fn mend(&self) {
        *self.inner.lock().unwrap() = Inner::default();
    }

    /// The requests that came, with their headers.
    pub fn log(&self) -> Vec<String> {
        self.inner.lock().unwrap().log.clone()
    }

    /// A connection to it from outside the cluster.
    pub fn connection(&self) -> Connection {
        self.connection_from(Vantage::Outside)
    }

    /// A connection to it, where nobody asks for Starbase and the region.
    pub fn without_starbase(&self) -> Connection {
        self.cluster(Vantage::Outside)
    }

    /// A connection to it.
    pub fn connection_from(&self, vantage: Vantage) -> Connection {
        let connection = self.cluster(vantage).with_starbase(self.starbase());
        connection.with_stores(self.stores("")).with_terraform(terraform())
    }

    /// It is the region's stores too. `more` is what else stands in the stores file.
    pub fn stores(&self, more: &str) -> Stores {
        let directory = tempfile::tempdir().unwrap();
        for (file, password) in ["victoriametrics-password", "clickhouse-password"]
            .iter()
            .zip(PASSWORDS)
        {
            std::fs::write(directory.path().join(file), format!("{password}\n")).unwrap();
        }
        let url = format!("http://{}", self.address);
        let text =
            format!("region: nyc3\ncredentials: .\nmetrics: {{url: \"{url}\"}}\nlogs: {{url: \"{url}\"}}\n{more}");
        let file = directory.path().join("stores.yaml");
        std::fs::write(&file, text).unwrap();
        install_crypto_provider();
        Stores::read(&file, Duration::from_secs(4)).unwrap()
    }

    fn cluster(&self, vantage: Vantage) -> Connection {
        install_crypto_provider();
        let mut config = kube::Config::new(format!("http://{}", self.address).parse().unwrap());
        config.default_retry = false;
        // Plain HTTP needs no root, and kube would read the machine's.
        config.root_cert = Some(Vec::new());
        let client = kube::Client::try_from(config).unwrap();
        let context = Some("mock".to_owned());
        let target = Target {
            context,
            context_named: false,
            kubeconfig: None,
            vantage,
        };
        Connection::from_client(client, target)
    }

    /// It is Starbase too.
    fn starbase(&self) -> Starbase {
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), format!("{TOKEN}\n")).unwrap();
        let options = StarbaseOptions {
            url: format!("http://{}", self.address).parse().unwrap(),
            token_file: token.path().to_owned(),
            authority_file: None,
            request_timeout: Duration::from_secs(4),
        };
        Starbase::connect(&options).unwrap()
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0; 1024];
            match stream.read(&mut byte).await? {
                0 => return Ok(()),
                read => head.extend_from_slice(&byte[..read]),
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.inner.lock().unwrap().log.push(head.clone());
        // The namespace's path is the beginning of others.
        let asked = REQUESTS.iter().find(|asked| {
            target.starts_with(asked.prefix)
                && target.contains(asked.query)
                && (asked.name != "namespace" || target == asked.prefix)
        });
        // Sent only where metrics-server's Service is not found by its labels.
        if target.starts_with(REFERENCED) {
            let other = self.inner.lock().unwrap().bodies.get("referenced service").cloned();
            let body = other.map_or(EMPTY_SERVICES.to_owned(), |answers| answers[0].2.clone());
            return respond(&mut stream, 200, "application/json", &body).await;
        }
        if OTHER_SECRETS.iter().any(|path| target.starts_with(path)) {
            return respond(&mut stream, 200, "application/json", EMPTY_METADATA).await;
        }
        let Some(asked) = asked else {
            return respond(&mut stream, 404, "text/plain", "404 page not found\n").await;
        };
        let (fault, body) = {
            let mut inner = self.inner.lock().unwrap();
            let body = inner.bodies.get_mut(asked.name).map(|answers| {
                if answers.len() > 1 {
                    answers.remove(0)
                } else {
                    answers[0].clone()
                }
            });
            (inner.faults.get(asked.name).copied(), body)
        };
        if let Some((status, content_type, body)) = body {
            return respond(&mut stream, status, content_type, &body).await;
        }
        match fault {
            None => respond(&mut stream, 200, asked.content_type(), asked.body).await,
            Some(fault) => fault.respond(asked, &mut stream).await,
        }
    }
}

/// A plan of the region, of a minute ago, with a snapshot of last night for each store.
pub fn terraform() -> TerraformDocument {
    // One moment for all: what else differs between two audits is what a test is about.
    static NOW: LazyLock<jiff::Timestamp> = LazyLock::new(jiff::Timestamp::now);
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/terraform/plan-refresh-only.json"
    );
    let mut plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let now = *NOW;
    plan["timestamp"] = (now - jiff::SignedDuration::from_mins(1)).to_string().into();
    let resources = plan["prior_state"]["values"]["root_module"]["resources"].as_array_mut();
    for resource in resources.unwrap() {
        if resource["type"] == "digitalocean_volume_snapshot" {
            resource["values"]["created_at"] = (now - jiff::SignedDuration::from_hours(10)).to_string().into();
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), plan.to_string()).unwrap();
    TerraformDocument::read(file.path()).unwrap()
}

impl Asked {
    /// Whether a store of the region answers it.
    pub fn is_of_store(&self) -> bool {
        self.name.starts_with("store: ") || self.name.starts_with("logs: ")
    }

    /// Its good answer.
    pub fn body(&self) -> &'static str {
        self.body
    }

    pub fn content_type(&self) -> &'static str {
        match self.name {
            "scrape" => "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            "fluent-bit's metrics" => "text/plain; version=0.0.4",
            "vmagent's metrics" | "vmagent's jobs" => "text/plain; charset=utf-8",
            "alloy-metrics' metrics" | "alloy-singleton's metrics" => {
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            }
            _ => "application/json",
        }
    }

    /// Whether it is a page of a collector's, which answers for itself behind the API server's proxy.
    pub fn is_page(&self) -> bool {
        self.prefix.starts_with("/api/v1/namespaces/telemetry/pods/")
    }
}

impl Fault {
    async fn respond(self, asked: &Asked, stream: &mut TcpStream) -> std::io::Result<()> {
        let json = "application/json";
        let own = asked.content_type();
        let half = &asked.body[..asked.body.len() / 2];
        match self {
            Self::Status(code) if asked.name == "starbase" => {
                respond(stream, code, "application/problem+json", &problem(code)).await
            }
            Self::Status(code) if asked.name.starts_with("store: ") => {
                let body = format!(r#"{{"status":"error","errorType":"{code}","error":"the mock says {code}"}}"#);
                respond(stream, code, json, &body).await
            }
            Self::Status(code) if asked.name.starts_with("logs: ") => {
                let body = format!("Code: {code}. DB::Exception: the mock says {code}. (MOCK) (version 26.3.1.896)\n");
                respond(stream, code, "text/plain; charset=UTF-8", &body).await
            }
            Self::Status(code) => respond(stream, code, json, &status(code)).await,
            Self::Plain(code) => respond(stream, code, "text/plain; charset=utf-8", "404 page not found\n").await,
            Self::EmptyObject => respond(stream, 200, own, "{}").await,
            Self::EmptyList => {
                let empty = asked.empty.unwrap_or(r#"{"kind":"List","apiVersion":"v1","items":[]}"#);
                respond(stream, 200, own, empty).await
            }
            Self::Cut => {
                let head = head(200, own, asked.body.len());
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(half.as_bytes()).await
            }
            Self::Short => respond(stream, 200, own, half).await,
            Self::Garbage => respond(stream, 200, own, "\u{1}\u{2}}{]garbage\"\\").await,
            Self::ContentType => respond(stream, 200, "application/octet-stream", asked.body).await,
            Self::Portal => {
                respond(
                    stream,
                    200,
                    "text/html",
                    "<html><body>Log in to the café's network</body></html>",
                )
                .await
            }
            Self::Redirect => {
                let answer = "HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).await
            }
            Self::Hang => {
                tokio::time::sleep(Duration::from_mins(10)).await;
                Ok(())
            }
            Self::HangInBody => {
                let head = head(200, own, asked.body.len());
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(half.as_bytes()).await?;
                tokio::time::sleep(Duration::from_mins(10)).await;
                Ok(())
            }
            Self::Close => Ok(()),
            Self::NotHttp => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await,
        }
    }
}

/// The request of that name.
pub fn asked(name: &str) -> &'static Asked {
    REQUESTS.iter().find(|asked| asked.name == name).unwrap()
}

/// A plan for everything, short enough for tests.
pub fn plan() -> Plan {
    Plan {
        sources: Source::ALL.into_iter().collect(),
        timeout: Duration::from_mins(1),
        request_timeout: Duration::from_secs(4),
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

/// A refusal as the API server writes it.
pub fn status(code: u16) -> String {
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"the mock says {code}","reason":"{reason}","code":{code}}}"#
    )
}

/// A refusal as Starbase writes it.
pub fn problem(code: u16) -> String {
    format!(
        r#"{{"type":"https://starform.io/problems/mock","title":"Refused","status":{code},"detail":"the mock says {code}"}}"#
    )
}

async fn respond(stream: &mut TcpStream, code: u16, content_type: &str, body: &str) -> std::io::Result<()> {
    let head = head(code, content_type, body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

fn head(code: u16, content_type: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {code} Mock\r\ndate: Sun, 22 Nov 2026 15:02:50 GMT\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}
