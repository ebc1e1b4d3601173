//! Whether it flows: the collectors' own metrics pages.
//!
//! Outside the cluster a page is read through the API server's proxy, inside at the pod's address in plain HTTP, with no
//! credential at all. Only pods of workloads in accepted namespaces are asked: a tenant's own must not steer the verdict.
//! A page that leaves nothing open is read once. Where one does, its pod is asked again after the contract's `flowWindow`, and
//! until it is told, at the most for as long as the program's own rhythm.

use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::get::{Accept, Get};
use crate::collect::obstacle::unknown;
use crate::collect::rule_options::RuleOptions;
use crate::collect::run::Run;
use crate::contract::Contract;
use crate::evidence::{Metrics, MetricsPage, Observed, Reason, Source, Telemetry, TelemetryComponent, TelemetryPod};
use crate::flow::{self, Doubt, Program, alloy};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use tokio::sync::Semaphore;

mod again;
mod earlier;
mod jobs;
mod page;

pub use self::earlier::EarlierPages;

/// How many pods of a program are asked at once: a cluster has up to 512 nodes, and a Fluent Bit on each.
const AT_ONCE: usize = 16;

/// A pod that is asked.
struct Target<'a> {
    namespace: &'a str,
    pod: &'a TelemetryPod,
    /// What its configuration says of its rhythm, as far as it lies in ConfigMaps.
    scrape_interval_ms: Option<u64>,
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
        let intervals = intervals(program, &installed);
        run.source(program.source(), pages(run, cluster, program, component, intervals))
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

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    let Some(program) = Program::ALL.into_iter().find(|program| program.source() == source) else {
        return Vec::new();
    };
    let terms = program.terms(contract);
    options.pod_pages(&terms.namespaces, &terms.path)
}

/// How often each workload scrapes, where its ConfigMaps tell it: Alloy's.
fn intervals(program: Program, installed: &Telemetry) -> BTreeMap<(String, String), u64> {
    let settings = match (program, &installed.alloy_settings) {
        (Program::Alloy, Observed::Seen(settings)) => settings.as_slice(),
        _ => &[],
    };
    let known = settings.iter().filter_map(|settings| {
        let workload = (settings.namespace.clone(), settings.workload.clone());
        Some((workload, settings.scrape_interval_ms?))
    });
    known.collect()
}

async fn pages<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    component: &TelemetryComponent,
    intervals: BTreeMap<(String, String), u64>,
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
            let (namespace, name) = (&workload.workload.namespace, &workload.workload.name);
            let scrape_interval_ms = intervals.get(&(namespace.clone(), name.clone())).copied();
            workload.pods.iter().map(move |pod| Target {
                namespace,
                pod,
                scrape_interval_ms,
            })
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

/// A pod's page, and its second reading where the first leaves something open. Each pod for itself: one that hangs takes no
/// time from the others.
async fn page<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    at_once: &Semaphore,
) -> MetricsPage {
    let page = {
        let _turn = at_once.acquire().await;
        first(run, cluster, program, target).await
    };
    match run.earlier() {
        Some(earlier) => earlier.compared(run, cluster, program, target, page).await,
        None => again::read(run, cluster, program, target, at_once, page).await,
    }
}

async fn first<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
) -> MetricsPage {
    let first = metrics(run, cluster, program, target).await;
    let mut page = MetricsPage {
        namespace: target.namespace.to_owned(),
        pod: target.pod.name.clone(),
        node: target.pod.node.clone(),
        first,
        again: None,
        jobs: None,
        scrape_interval_ms: target.scrape_interval_ms,
    };
    match (program, &page.first) {
        (Program::Vmagent, Observed::Seen(_)) => {
            let running = jobs::read(cluster, program, target).await;
            if let Observed::Seen(running) = &running {
                page.scrape_interval_ms = Some(running.scrape_interval_ms);
            }
            page.jobs = Some(match running {
                Observed::Seen(running) => Observed::Seen(running.jobs),
                Observed::Absent => Observed::Absent,
                Observed::Unknown(unknown) => Observed::Unknown(unknown),
            });
        }
        (Program::Alloy, Observed::Seen(metrics)) => {
            page.scrape_interval_ms = alloy::scrape_interval(metrics).or(page.scrape_interval_ms);
        }
        _ => {}
    }
    page
}

/// What the first reading of a page leaves open.
async fn doubt<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    first: &Metrics,
) -> Doubt {
    let passed = run.elapsed_ms().saturating_sub(first.read_ms);
    let now = run.clock().await;
    let read = now.and_then(|now| now.checked_sub(SignedDuration::from_millis(passed)).ok());
    let thresholds = &cluster.contract.thresholds;
    let agrees = flow::agrees(program, first, target.pod.started, read, thresholds);
    Doubt::of(program, first, agrees)
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
    let pod = (target.namespace, target.pod.name.as_str());
    cluster.pod_page(pod, target.pod.address.as_deref(), terms.port, page, accept)
}
