//! What stands in the cluster of what a Helm release installs.

use super::installed::Installed;
use super::subject::Subject;
use super::telemetry::{alloy, fluent_bit, vmagent};
use crate::contract::Release;
use crate::evidence::{Observed, Workload};

/// The workloads in a namespace that a release installs, as far as they were seen.
pub(super) fn standing<'a>(subject: Subject<'a>, release: &Release, namespace: &str) -> Vec<&'a Workload> {
    let components = &subject.contract.components;
    let name = &release.name;
    let mut standing: Vec<&Workload> = Vec::new();
    if *name == components.metrics_server.release {
        standing.extend(Installed::metrics_server(subject).workloads().unwrap_or_default());
    }
    if *name == components.kube_state_metrics.release {
        standing.extend(Installed::kube_state_metrics(subject).workloads().unwrap_or_default());
    }
    if *name == components.envoy_gateway.controller.release
        && let Observed::Seen(controller) = &subject.evidence.gateway.controller
    {
        standing.extend(controller.workloads.iter().map(|workload| &workload.workload));
    }
    for collector in [
        fluent_bit::installed(subject),
        vmagent::installed(subject),
        alloy::installed(subject),
    ] {
        if *name != collector.terms.release {
            continue;
        }
        // What Alloy's operator has made is of releases of its own.
        let of_release =
            |found: &&crate::evidence::TelemetryWorkload| found.operator == collector.terms.operator.is_some();
        let workloads = collector.workloads().unwrap_or_default().into_iter();
        standing.extend(workloads.filter(of_release).map(|found| &found.workload));
    }
    standing.retain(|workload| workload.namespace == namespace);
    standing
}

/// The name of the Helm release that made it in the release's own namespace, where it is another than the contract's and
/// nothing of it is the contract's.
pub(super) fn other_name<'a>(subject: Subject<'a>, release: &Release) -> Option<&'a str> {
    let standing = standing(subject, release, &release.namespace);
    let names: Option<Vec<&str>> = standing.iter().map(|workload| workload.release.as_deref()).collect();
    let names = names?;
    let is_kept = standing.iter().any(|workload| workload.keeper.is_some());
    names
        .first()
        .copied()
        .filter(|_| !is_kept && !names.contains(&release.name.as_str()))
}
