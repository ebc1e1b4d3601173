//! Does all the I/O and decides nothing.
//!
//! One collector a [`Source`], all at once; one that is found through another starts as soon as that is there. Which module
//! reads which source says `requests` in [`rbac`]. Every request is a GET with a timeout of its own that covers its body, and
//! no request that fails is repeated, but in JSON where protobuf is refused, and a list in pages from its beginning, once, where
//! it took so long that its token expired: a metrics-server that is down answers 503, and waiting for it is the caller's choice
//! (`--wait`), not the client's.
//! Whatever happens to one source is evidence about that source and what is found through it, and nothing else.

mod access;
mod answer;
mod apiserver;
mod apiservice;
mod authorities;
mod autoscalers;
mod certificates;
mod component;
mod condition;
mod connect;
mod connection;
mod diagnosis;
mod endpoints;
mod environment;
mod external;
mod flags;
mod gateway;
mod get;
mod identity;
mod intern;
mod items;
mod kubeconfig;
mod last_change;
mod list;
mod metrics;
mod nodes;
mod obstacle;
mod pods;
mod protobuf;
mod proxy;
pub mod rbac;
mod region;
mod releases;
mod request;
mod rule_options;
mod run;
mod scrape;
mod second_look;
mod shuttle;
mod starbase;
mod state_metrics;
mod status;
mod stores;
mod targets;
mod telemetry;
mod terraform;
mod workloads;

use crate::contract::{Contract, StepId};
use crate::evidence::{
    self, ApiServer, ApiService, Component, Evidence, NodeMetrics, NodeMetricsAgain, Observed, Pod, Scrape, SecondLook,
    Service, Shows, Shuttle, Source,
};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub use self::connect::{ConnectError, ConnectOptions, install_crypto_provider};
pub use self::connection::{Connection, panic_is_told};
pub use self::diagnosis::trouble;
pub use self::starbase::{Starbase, StarbaseOptions};
pub use self::stores::Stores;
pub use self::targets::Targets;
pub use self::telemetry::EarlierPages;
pub use self::terraform::TerraformDocument;

use self::access::Cluster;
use self::component::Kind;
use self::region::Region;
use self::run::Run;
use self::second_look::Doubts;

/// What to collect, and how long it may take.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sources, with all through which they are found (as `Selection::sources` gives them). Others stay unknown.
    pub sources: BTreeSet<Source>,
    /// The steps whose Helm releases are read (as `Selection::releases` gives them), where these are a source.
    pub releases: BTreeSet<StepId>,
    /// Bounds the whole collection. What has not been read by then is unknown; the evidence is whole all the same.
    pub timeout: Duration,
    /// Bounds each request, its body included; of a list every 500 items, whether they come in pages or not.
    pub request_timeout: Duration,
    /// Where later collections remember the metrics pages of earlier ones: what one reading leaves open is then compared with an
    /// earlier reading, and nothing is waited for. `None` reads again after a while.
    pub earlier: Option<Arc<EarlierPages>>,
    /// Ends the collection at once. What has been read by then is evidence; the rest is unknown.
    pub stop: CancellationToken,
}

/// What a collection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The first request of a source is being sent.
    Started(Source),
    /// What was read of a source leaves something open: it is read again, at the most for so long.
    Waiting(Source, Duration),
    /// A source was read: `seen`, `absent` or `unknown`.
    Finished(Source, &'static str),
}

/// Collects the evidence that a plan asks for of these targets. Never fails: what could not be seen is evidence too. Ends within
/// `plan.timeout`.
///
/// Needs the permissions that [`rbac::rules`] lists for the plan's sources; where one is missing, what it is for is
/// unknown and names it.
pub async fn collect(
    targets: &Targets,
    contract: &Contract,
    plan: &Plan,
    progress: impl Fn(Progress) + Send + Sync,
) -> Evidence {
    // On the heap, and with it a fifth of this future's size.
    let mut evidence = Box::new(Evidence::empty(
        targets.target(),
        contract.digest.clone(),
        contract.label_keys(),
        Timestamp::now(),
    ));
    let run = Run::new(plan, &progress);
    let region = Region::of(targets, contract, plan.request_timeout);
    if let Some(connection) = &targets.cluster {
        let cluster = connection.cluster(contract, plan.request_timeout);
        Box::pin(of_cluster(
            &run,
            (&cluster, connection),
            targets.starbase.as_ref(),
            region,
            &mut evidence,
        ))
        .await;
    } else {
        evidence.region = region::collect(&run, region, &evidence.shuttle.status).await;
    }
    evidence.timings = run.timings();
    *evidence
}

/// metrics-server, and what it has of nodes.
struct MetricsServer {
    api_service: Observed<ApiService>,
    component: Component,
    node_metrics: Observed<Vec<NodeMetrics>>,
    node_metrics_again: Option<Observed<NodeMetricsAgain>>,
}

/// Pods, and what kube-state-metrics has of them.
struct PodsAndRows {
    pods: Observed<Vec<Pod>>,
    api_server: Observed<ApiServer>,
    component: Component,
    scrapes: Observed<Vec<Scrape>>,
    second_look: Option<Observed<SecondLook>>,
}

/// Reads the cluster, and the region about it.
async fn of_cluster<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    (cluster, connection): (&Cluster<'_>, &Connection),
    starbase: Option<&Starbase>,
    region: Region<'_>,
    evidence: &mut Evidence,
) {
    let metrics_server_seen;
    let rows_seen;
    // What takes longest is asked for first.
    (
        rows_seen,
        metrics_server_seen,
        evidence.pod_metrics,
        evidence.api_server_certificate,
        evidence.credentials,
        evidence.identity,
        evidence.nodes,
        evidence.autoscalers,
        (evidence.shuttle, evidence.region),
        evidence.gateway,
        evidence.telemetry,
        evidence.releases,
    ) = tokio::join!(
        Box::pin(pods_and_rows(run, cluster)),
        Box::pin(metrics_server_and_nodes(run, cluster)),
        run.source(Source::PodMetrics, run::plain(metrics::pods(cluster))),
        run.beside(Source::ApiServer, connection.certificate(cluster.request_timeout)),
        run.beside(Source::ApiServer, ready(connection.credentials())),
        run.source(Source::Identity, run::plain(identity::collect(cluster))),
        run.source(Source::Nodes, run::plain(nodes::collect(cluster))),
        run.source(Source::Autoscalers, run::plain(autoscalers::collect(cluster))),
        Box::pin(shuttle_and_region(run, cluster, starbase, region)),
        Box::pin(gateway::collect(run, cluster)),
        Box::pin(telemetry::collect(run, cluster)),
        run.source(
            Source::HelmReleases,
            run::plain(releases::collect(cluster, run.releases()))
        ),
    );
    evidence.metrics_api_service = metrics_server_seen.api_service;
    evidence.metrics_server = metrics_server_seen.component;
    evidence.node_metrics = metrics_server_seen.node_metrics;
    evidence.node_metrics_again = metrics_server_seen.node_metrics_again;
    evidence.pods = rows_seen.pods;
    evidence.api_server = rows_seen.api_server;
    evidence.kube_state_metrics = rows_seen.component;
    evidence.scrapes = rows_seen.scrapes;
    evidence.second_look = rows_seen.second_look;
}

/// Pods and rows, and a second look at what only one of them has.
async fn pods_and_rows<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> PodsAndRows {
    let (pods, (component, scrapes), api_server) = tokio::join!(
        run.source(Source::Pods, run::plain(pods::collect(cluster))),
        Box::pin(state_metrics(run, cluster)),
        run.clocked(run.source(Source::ApiServer, run::plain(apiserver::collect(cluster)))),
    );
    let now = run.clock().await;
    let lag = cluster.contract.thresholds.state_metrics_lag;
    let second_look = match Doubts::of(&pods, &scrapes, now, lag) {
        None => None,
        Some(doubts) => {
            let rows_of = |uids| state_metrics::rows_of(cluster, &component, uids);
            let look = second_look::collect(cluster, doubts, run.remaining(), rows_of);
            Some(run.more_of(Source::StateMetricsScrape, look).await)
        }
    };
    PodsAndRows {
        pods,
        api_server,
        component,
        scrapes,
        second_look,
    }
}

/// metrics-server, and NodeMetrics: once more where several of its pods are ready.
async fn metrics_server_and_nodes<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
) -> MetricsServer {
    let ((api_service, component), node_metrics) = tokio::join!(
        Box::pin(metrics_server(run, cluster)),
        run.source(Source::NodeMetrics, run::plain(metrics::nodes(cluster))),
    );
    let node_metrics_again = match &node_metrics {
        Observed::Seen(first) if component.ready_behind(&api_service) > 1 => {
            let again = run::plain(metrics::nodes_again(cluster, first));
            Some(run.more_of(Source::NodeMetrics, again).await)
        }
        _ => None,
    };
    MetricsServer {
        api_service,
        component,
        node_metrics,
        node_metrics_again,
    }
}

/// The APIService, and what is found through it.
async fn metrics_server<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
) -> (Observed<ApiService>, Component) {
    let (api_service, listed) = tokio::join!(
        run.source(Source::MetricsApiService, run::plain(apiservice::collect(cluster))),
        run.open(
            Source::MetricsServerServices,
            component::services(cluster, Kind::MetricsServer)
        ),
    );
    let services = run
        .close(listed, |services| {
            component::with_referenced(cluster, services, &api_service)
        })
        .await;
    let sources = (Source::MetricsServerEndpoints, Source::MetricsServerWorkloads);
    let component = found_through(run, cluster, Kind::MetricsServer, sources, services).await;
    (api_service, component)
}

/// The Services, and what is found through them.
async fn state_metrics<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
) -> (Component, Observed<Vec<Scrape>>) {
    let kind = Kind::StateMetrics;
    let services = component::services(cluster, kind);
    let services = run.source(Source::StateMetricsServices, run::plain(services)).await;
    let sources = (Source::StateMetricsEndpoints, Source::StateMetricsWorkloads);
    let component = found_through(run, cluster, kind, sources, services).await;
    let scrapes = state_metrics::collect(cluster, &component);
    let scrapes = run.source(Source::StateMetricsScrape, scrapes).await;
    (component, scrapes)
}

/// A component by its Services: their endpoints and the workloads behind them.
async fn found_through<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    kind: Kind,
    (endpoints, workloads): (Source, Source),
    services: Observed<Vec<Service>>,
) -> Component {
    let (endpoints, observed) = tokio::join!(
        run.source(endpoints, endpoints::collect(cluster, kind, &services)),
        run.source(workloads, workloads::collect(cluster, &run.workloads, kind, &services)),
    );
    let leads_to_none = match (&services, &observed) {
        (Observed::Seen(_), Observed::Absent) => true,
        // One for custom resources alone is none of pods.
        (Observed::Seen(_), Observed::Seen(found)) => {
            !found.is_empty() && found.iter().all(|one| Shows::of(one) == Shows::CustomResources)
        }
        _ => false,
    };
    let unfound = if kind == Kind::StateMetrics && leads_to_none {
        let unfound = async { Observed::Seen(workloads::unfound(cluster, &run.workloads, kind).await) };
        match run.more_of(workloads, unfound).await {
            Observed::Seen(unfound) => unfound,
            Observed::Absent | Observed::Unknown(_) => Vec::new(),
        }
    } else {
        Vec::new()
    };
    Component {
        services,
        endpoints,
        workloads: observed,
        unfound,
    }
}

/// Shuttle, and then the stores of the region: its status says which cluster they are asked about.
async fn shuttle_and_region<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    starbase: Option<&Starbase>,
    region: Region<'_>,
) -> (Shuttle, evidence::Region) {
    let shuttle = shuttle::collect(run, cluster, starbase).await;
    let region = region::collect(run, region, &shuttle.status).await;
    (shuttle, region)
}
