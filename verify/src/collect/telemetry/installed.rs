//! What is installed: workloads, their pods, and what they are configured to do.

use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, observed};
use crate::collect::rule_options::RuleOptions;
use crate::collect::run::{self, Run};
use crate::collect::workloads::Raw;
use crate::contract::{Contract, TelemetryTerms};
use crate::evidence::{Observed, Source, Telemetry, TelemetryComponent, TelemetryWorkload};
use std::sync::Arc;

mod alloy;
mod alloys;
mod collector;
mod config_map;
mod credentials;
mod fluent_bit;
mod mounts;
mod pods;
mod vmagent;
mod workloads;

use self::collector::Collector;
use self::workloads::Found;

/// Reads all but the metrics pages, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> Telemetry {
    let fluent_bit = async {
        let found = workloads(run, cluster, Collector::FluentBit).await;
        let settings = fluent_bit::collect(cluster, &found);
        let settings = run.source(Source::FluentBitSettings, settings).await;
        (component(found), settings)
    };
    let vmagent = async {
        let found = workloads(run, cluster, Collector::Vmagent).await;
        let settings = run
            .source(Source::VmagentSettings, vmagent::collect(cluster, &found))
            .await;
        (component(found), settings)
    };
    let alloy = async {
        let found = workloads(run, cluster, Collector::Alloy).await;
        let settings = run.source(Source::AlloySettings, alloy::collect(cluster, &found)).await;
        (component(found), settings)
    };
    let ((fluent_bit, fluent_bit_settings), (vmagent, vmagent_settings), (alloy, alloy_settings), alloys) = tokio::join!(
        Box::pin(fluent_bit),
        Box::pin(vmagent),
        Box::pin(alloy),
        run.source(Source::AlloyResources, run::plain(alloys::collect(cluster))),
    );
    Telemetry {
        fluent_bit,
        vmagent,
        alloy,
        fluent_bit_settings,
        vmagent_settings,
        alloys,
        alloy_settings,
    }
}

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    match source {
        Source::FluentBitWorkloads => workloads::requests(Collector::FluentBit, contract),
        Source::VmagentWorkloads => workloads::requests(Collector::Vmagent, contract),
        Source::AlloyWorkloads => workloads::requests(Collector::Alloy, contract),
        Source::FluentBitSettings => fluent_bit::requests(contract, options),
        Source::VmagentSettings => vmagent::requests(contract, options),
        Source::AlloySettings => alloy::requests(contract, options),
        Source::AlloyResources => alloys::requests(),
        _ => Vec::new(),
    }
}

async fn workloads<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    collector: Collector,
) -> Observed<Found> {
    let read = run::plain(workloads::collect(cluster, &run.workloads, collector));
    run.source(collector.source(), read).await
}

/// The configuration of what was found; absent where there is nothing, as where a ConfigMap is not there.
async fn settings<'f, T, F: Future<Output = Result<Vec<T>, Obstacle>>>(
    found: &'f Observed<Found>,
    what: &str,
    read: impl FnOnce(&'f [(TelemetryWorkload, Arc<Raw>)]) -> F,
) -> Observed<Vec<T>> {
    if let Some(behind) = found.behind(what) {
        return behind;
    }
    match found {
        Observed::Seen(found) if !found.accepted.is_empty() => observed(read(&found.accepted).await),
        _ => Observed::Absent,
    }
}

/// The ConfigMaps that the release makes of a collector's configuration, in the contract's own namespace, and on request in
/// all that it accepts.
fn config_maps(terms: &TelemetryTerms, options: RuleOptions<'_>) -> Vec<Get> {
    let count = if options.accepted_namespaces { usize::MAX } else { 1 };
    let namespaces = terms.namespaces.iter().take(count);
    let of = |namespace: &String| -> Vec<Get> {
        let names = terms.config_maps.iter();
        names.map(|name| config_map::request(namespace, name)).collect()
    };
    namespaces.flat_map(of).collect()
}

fn component(found: Observed<Found>) -> TelemetryComponent {
    let (workloads, elsewhere) = match found {
        Observed::Seen(found) => {
            let workloads = found.accepted.into_iter().map(|(workload, _)| workload).collect();
            (Observed::Seen(workloads), found.elsewhere)
        }
        Observed::Absent => (Observed::Absent, Vec::new()),
        Observed::Unknown(unknown) => (Observed::Unknown(unknown), Vec::new()),
    };
    TelemetryComponent {
        workloads,
        elsewhere,
        ..TelemetryComponent::not_collected()
    }
}
