//! Whether it flows: the collectors' own metrics pages.
//!
//! Outside the cluster a page is read through the API server's proxy, inside at the pod's address in plain HTTP, with no
//! credential at all. Only pods of workloads in accepted namespaces are asked: a tenant's own must not steer the verdict.
//! A page that leaves no question is read once; where one does, its pod is asked again after the contract's `flowWindow`.

use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::get::{Accept, Get};
use crate::collect::obstacle::unknown;
use crate::collect::rule_options::RuleOptions;
use crate::collect::run::Run;
use crate::contract::Contract;
use crate::evidence::{
    Metrics, MetricsPage, Observed, Reason, Source, Telemetry, TelemetryComponent, TelemetryPod, Vantage,
};
use crate::flow::Program;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use std::time::Duration;
use tokio::sync::Semaphore;

mod jobs;
mod page;

/// How many pods of a program are asked at once: a cluster has up to 512 nodes, and a Fluent Bit on each.
const AT_ONCE: usize = 16;
/// What the second reading itself may take at the least; with less time left the first ones are all there is.
const MARGIN: Duration = Duration::from_secs(2);

/// A pod that is asked.
struct Target<'a> {
    namespace: &'a str,
    pod: &'a TelemetryPod,
}

/// Adds the metrics pages of the pods that were found, as far as they are planned. Needs `get pods/proxy` in the
/// namespaces where they stand; inside the cluster it needs nothing.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    mut installed: Telemetry,
) -> Telemetry {
    let pages = |program: Program| {
        let component = program.component(&installed);
        run.source(program.source(), pages(run, cluster, program, component))
    };
    let (fluent_bit, vmagent, alloy) = tokio::join!(
        pages(Program::FluentBit),
        pages(Program::Vmagent),
        pages(Program::Alloy),
    );
    installed.fluent_bit.metrics = fluent_bit;
    installed.vmagent.metrics = vmagent;
    installed.alloy.metrics = alloy;
    installed
}

/// The requests that a source sends. Pods have names that are not known beforehand, so that the permission is for every
/// pod of the namespace.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions) -> Vec<Get> {
    let Some(program) = Program::ALL.into_iter().find(|program| program.source() == source) else {
        return Vec::new();
    };
    if options.vantage == Vantage::Inside {
        return Vec::new();
    }
    let terms = program.terms(contract);
    let count = if options.accepted_namespaces { usize::MAX } else { 1 };
    let any_pod = |namespace: &String| {
        let mut get = Get::proxied_pod(namespace, "", &terms.path, Accept::Exposition);
        if let Some(access) = &mut get.access {
            access.name = None;
        }
        get
    };
    terms.namespaces.iter().take(count).map(any_pod).collect()
}

async fn pages<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    component: &TelemetryComponent,
) -> Observed<Vec<MetricsPage>> {
    if let Some(behind) = component.workloads.behind(&format!("workloads of {}", program.name())) {
        return behind;
    }
    let Observed::Seen(workloads) = &component.workloads else {
        return Observed::Absent;
    };
    let mut targets: Vec<Target<'_>> = (workloads.iter())
        .filter(|workload| !workload.operator)
        .flat_map(|workload| {
            let namespace = &workload.workload.namespace;
            workload.pods.iter().map(move |pod| Target { namespace, pod })
        })
        .collect();
    targets.sort_by_key(|target| (target.namespace, &target.pod.name));
    let at_once = Semaphore::new(AT_ONCE);
    // Made and boxed beforehand: as closures of a stream, futures that borrow are not `Send` for every lifetime to the
    // compiler (rust-lang/rust#102211), and the agent's task has to be.
    let pages: Vec<BoxFuture<'_, MetricsPage>> = (targets.iter())
        .map(|target| page(run, cluster, program, target, &at_once).boxed())
        .collect();
    Observed::Seen(join_all(pages).await)
}

/// A pod's page, and its second reading where the first leaves a question. Each pod for itself: one that hangs takes no
/// time from the others.
async fn page<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    at_once: &Semaphore,
) -> MetricsPage {
    let mut page = {
        let _turn = at_once.acquire().await;
        first(run, cluster, program, target).await
    };
    if let Observed::Seen(metrics) = &page.first
        && program.leaves_a_question(metrics)
    {
        page.again = Some(again(run, cluster, program, target, at_once).await);
    }
    page
}

async fn first<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
) -> MetricsPage {
    let first = metrics(run, cluster, program, target).await;
    let jobs = match (program, &first) {
        (Program::Vmagent, Observed::Seen(_)) => Some(jobs::read(cluster, program, target).await),
        _ => None,
    };
    MetricsPage {
        namespace: target.namespace.to_owned(),
        pod: target.pod.name.clone(),
        node: target.pod.node.clone(),
        first,
        again: None,
        jobs,
    }
}

/// Reads again, after a while, what left a question.
async fn again<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    at_once: &Semaphore,
) -> Observed<Metrics> {
    let window = Duration::try_from(cluster.contract.thresholds.flow_window).unwrap_or_default();
    if run.remaining() < window.saturating_add(MARGIN) {
        let get = request(cluster, program, target, &program.terms(cluster.contract).path);
        let why = "there was no time left to read it again";
        let get = get.unwrap_or_else(|why| why.0);
        return Observed::Unknown(unknown(&get, Reason::TimedOut, why));
    }
    tokio::time::sleep(window).await;
    let _turn = at_once.acquire().await;
    metrics(run, cluster, program, target).await
}

async fn metrics<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
) -> Observed<Metrics> {
    match request(cluster, program, target, &program.terms(cluster.contract).path) {
        Ok(get) => match page::read(cluster, program, &get).await {
            Observed::Seen(samples) => Observed::Seen(Metrics {
                read_ms: run.elapsed_ms(),
                samples,
            }),
            Observed::Absent => Observed::Absent,
            Observed::Unknown(unknown) => Observed::Unknown(unknown),
        },
        Err(why) => Observed::Unknown(unknown(&why.0, Reason::Unreachable, why.1)),
    }
}

/// The request for a page of a pod; `Err` is why it cannot be sent, with the one that would reach the pod from outside.
fn request(
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    page: &str,
) -> Result<Get, Box<(Get, &'static str)>> {
    let terms = program.terms(cluster.contract);
    let accept = if page == terms.path {
        Accept::Exposition
    } else {
        Accept::Text
    };
    let name = format!("{}:{}", target.pod.name, terms.port);
    let proxied = Get::proxied_pod(target.namespace, &name, page, accept);
    match (cluster.vantage, &target.pod.address) {
        (Vantage::Outside, _) => Ok(proxied),
        (Vantage::Inside, Some(address)) => Ok(Get::direct(address, terms.port, page, accept)),
        (Vantage::Inside, None) => Err(Box::new((proxied, "the pod has no address yet"))),
    }
}
