//! A collector's workloads and their pods.

use super::collector::{Collector, Listed};
use super::pods;
use crate::collect::access::Cluster;
use crate::collect::flags::Syntax;
use crate::collect::get::Get;
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::{Lists, Raw};
use crate::contract::{Contract, TelemetryTerms};
use crate::evidence::{TelemetryWorkload, Workload};
use futures::future::try_join_all;
use std::sync::Arc;

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// In accepted namespaces, sorted.
    pub(super) accepted: Vec<(TelemetryWorkload, Arc<Raw>)>,
    /// In others, as `namespace/name`, sorted.
    pub(super) elsewhere: Vec<String>,
}

/// Lists them. Needs `list` of the kinds of workload that the collector is installed as, and `list pods`, both in the
/// whole cluster: where a collector stands that should not is found by its labels.
pub(super) async fn collect(cluster: &Cluster<'_>, lists: &Lists, collector: Collector) -> Result<Found, Obstacle> {
    let listed = collector.lists(cluster.contract);
    let listed = listed.iter().map(|listed| list(cluster, lists, collector, listed));
    let mut found = Found::default();
    for list in try_join_all(listed).await? {
        found.accepted.extend(list.accepted);
        found.elsewhere.extend(list.elsewhere);
    }
    let key = |workload: &Workload| (workload.namespace.clone(), workload.name.clone(), workload.kind);
    (found.accepted).sort_by_cached_key(|(found, _)| key(&found.workload));
    found.elsewhere.sort_unstable();
    Ok(found)
}

/// The requests that it sends.
pub(super) fn requests(collector: Collector, contract: &Contract) -> Vec<Get> {
    let mut requests: Vec<Get> = collector.lists(contract).iter().map(Listed::request).collect();
    requests.push(pods::request());
    requests
}

async fn list(
    cluster: &Cluster<'_>,
    lists: &Lists,
    collector: Collector,
    listed: &Listed<'_>,
) -> Result<Found, Obstacle> {
    let raws = lists.read(cluster, listed.kind, &listed.request(), |_| true).await?;
    let terms = collector.terms(cluster.contract);
    let (accepted, elsewhere): (Vec<Arc<Raw>>, Vec<Arc<Raw>>) =
        (raws.into_iter()).partition(|raw| terms.namespaces.contains(&raw.metadata.namespace));
    let accepted = try_join_all(accepted.into_iter().map(|raw| async move {
        let pods = pods::collect(cluster, listed.kind, &raw, listed.container).await?;
        let workload = TelemetryWorkload {
            workload: workload(&raw, listed, terms),
            operator: listed.operator,
            pods: pods.live,
            leftovers: pods.leftovers,
        };
        Ok::<_, Obstacle>((workload, raw))
    }))
    .await?;
    let name = |raw: Arc<Raw>| format!("{}/{}", raw.metadata.namespace, raw.metadata.name);
    Ok(Found {
        accepted,
        elsewhere: elsewhere.into_iter().map(name).collect(),
    })
}

/// As evidence has it. Of an operator no flag is named.
fn workload(raw: &Raw, listed: &Listed<'_>, terms: &TelemetryTerms) -> Workload {
    let container = raw.container(listed.container);
    let flags = (container.filter(|_| !listed.operator))
        .map(|container| raw.flags(container, &terms.flags, Syntax::OneDash))
        .unwrap_or_default();
    raw.workload(listed.kind, container, flags)
}
