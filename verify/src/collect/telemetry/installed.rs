//! What is installed: workloads, their pods, and what they are configured to do.

use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::rbac::RuleOptions;
use crate::collect::run::{self, Run};
use crate::contract::Contract;
use crate::evidence::{Observed, Source, Telemetry, TelemetryComponent};

mod arguments;
mod collector;
mod pods;
mod raw;
mod workloads;

use self::collector::Collector;
use self::workloads::Found;

/// Reads all but the metrics pages, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> Telemetry {
    let (fluent_bit, vmagent, alloy) = tokio::join!(
        workloads(run, cluster, Collector::FluentBit),
        workloads(run, cluster, Collector::Vmagent),
        workloads(run, cluster, Collector::Alloy),
    );
    Telemetry {
        fluent_bit: component(fluent_bit),
        vmagent: component(vmagent),
        alloy: component(alloy),
    }
}

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, _options: RuleOptions) -> Vec<Get> {
    match source {
        Source::FluentBitWorkloads => workloads::requests(Collector::FluentBit, contract),
        Source::VmagentWorkloads => workloads::requests(Collector::Vmagent, contract),
        Source::AlloyWorkloads => workloads::requests(Collector::Alloy, contract),
        _ => Vec::new(),
    }
}

async fn workloads<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    collector: Collector,
) -> Observed<Found> {
    let read = run::plain(workloads::collect(cluster, collector));
    run.source(collector.source(), read).await
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
