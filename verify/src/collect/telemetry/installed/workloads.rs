//! A collector's workloads and their pods.

use super::collector::{Collector, Listed};
use super::pods;
use super::raw::Raw;
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::contract::Contract;
use crate::evidence::TelemetryWorkload;
use futures::future::try_join_all;

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// In accepted namespaces, sorted.
    pub(super) accepted: Vec<(TelemetryWorkload, Raw)>,
    /// In others, as `namespace/name`, sorted.
    pub(super) elsewhere: Vec<String>,
}

/// Lists them. Needs `list` of the kinds of workload that the collector is installed as, and `list pods`, both in the
/// whole cluster: where a collector stands that should not is found by its labels.
pub(super) async fn collect(cluster: &Cluster<'_>, collector: Collector) -> Result<Found, Obstacle> {
    let lists = collector.lists(cluster.contract);
    let lists = try_join_all(lists.iter().map(|listed| list(cluster, collector, listed))).await?;
    let mut found = Found::default();
    for list in lists {
        found.accepted.extend(list.accepted);
        found.elsewhere.extend(list.elsewhere);
    }
    let key = |workload: &TelemetryWorkload| (workload.namespace.clone(), workload.name.clone(), workload.kind);
    found.accepted.sort_by_cached_key(|(workload, _)| key(workload));
    found.elsewhere.sort_unstable();
    Ok(found)
}

/// The requests that it sends.
pub(super) fn requests(collector: Collector, contract: &Contract) -> Vec<Get> {
    let mut requests: Vec<Get> = collector.lists(contract).iter().map(Listed::request).collect();
    requests.push(pods::request());
    requests
}

async fn list(cluster: &Cluster<'_>, collector: Collector, listed: &Listed<'_>) -> Result<Found, Obstacle> {
    let new = || Collected::new(|json| serde_json::from_slice::<Raw>(json).map(Some));
    let shape = Shape::objects(listed.list());
    let raws = cluster.list(&listed.request(), shape, new).await?.items;
    let terms = collector.terms(cluster.contract);
    let (accepted, elsewhere): (Vec<Raw>, Vec<Raw>) =
        (raws.into_iter()).partition(|raw| terms.namespaces.contains(&raw.metadata.namespace));
    let accepted = try_join_all(accepted.into_iter().map(|raw| async move {
        let mut workload = raw.workload(listed, terms);
        workload.pods = pods::collect(cluster, listed.kind, &raw).await?;
        Ok::<_, Obstacle>((workload, raw))
    }))
    .await?;
    let name = |raw: Raw| format!("{}/{}", raw.metadata.namespace, raw.metadata.name);
    Ok(Found {
        accepted,
        elsewhere: elsewhere.into_iter().map(name).collect(),
    })
}
