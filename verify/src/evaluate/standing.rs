//! What stands in the cluster of what a Helm release installs, and whose it is.

use super::installed::Installed;
use super::subject::Subject;
use super::telemetry::{alloy, fluent_bit, vmagent};
use crate::contract::Release;
use crate::evidence::{Keeper, Observed, TelemetryWorkload, Workload};

/// What stands in one namespace of what a release installs.
pub(super) enum Standing<'a> {
    /// Nothing of it.
    Nothing,
    /// The contract's release; else what else stands there, if it is all of one owner.
    Of(Owner<'a>, Vec<&'a Workload>),
    /// What several have made, the contract's release not among them.
    OfSeveral(Vec<&'a Workload>),
}

/// Whose a workload is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// A repository's: what applies it is named.
    Repository(&'a Keeper),
    /// A Helm release's.
    Release { name: &'a str, namespace: &'a str },
    /// Something else has made it, by hand or by `kubectl apply`.
    NoRelease,
}

// === impl Owner ===

impl<'a> Owner<'a> {
    /// Whose a workload is.
    pub(super) fn of(workload: &'a Workload) -> Self {
        match (&workload.keeper, release_of(workload)) {
            (Some(keeper), _) => Self::Repository(keeper),
            (None, Some((name, namespace))) => Self::Release { name, namespace },
            (None, None) => Self::NoRelease,
        }
    }
}

/// What stands in a namespace of what a release installs, as far as it was seen.
pub(super) fn standing<'a>(subject: Subject<'a>, release: &Release, namespace: &str) -> Standing<'a> {
    let mut workloads = workloads(subject, release);
    workloads.retain(|workload| workload.namespace == namespace);
    let is_own = |workload: &&Workload| release_of(workload) == Some((release.name.as_str(), namespace));
    let own: Vec<&Workload> = workloads.iter().copied().filter(is_own).collect();
    if let Some(first) = own.first() {
        return Standing::Of(Owner::of(first), own);
    }
    let Some(first) = workloads.first() else {
        return Standing::Nothing;
    };
    let owner = Owner::of(first);
    if workloads.iter().all(|workload| Owner::of(workload) == owner) {
        Standing::Of(owner, workloads)
    } else {
        Standing::OfSeveral(workloads)
    }
}

/// The Helm release that made it in the release's own namespace, where it is another than the contract's: its name and
/// namespace.
pub(super) fn other_release<'a>(subject: Subject<'a>, release: &Release) -> Option<(&'a str, &'a str)> {
    match standing(subject, release, &release.namespace) {
        Standing::Of(Owner::Release { name, namespace }, _) => {
            Some((name, namespace)).filter(|other| *other != (release.name.as_str(), release.namespace.as_str()))
        }
        _ => None,
    }
}

/// The Helm release that the annotations name, and its namespace.
fn release_of(workload: &Workload) -> Option<(&str, &str)> {
    let name = workload.release.as_deref()?;
    let namespace = workload.release_namespace.as_deref();
    Some((name, namespace.unwrap_or(&workload.namespace)))
}

/// The workloads of the component that a release installs.
fn workloads<'a>(subject: Subject<'a>, release: &Release) -> Vec<&'a Workload> {
    let components = &subject.contract.components;
    let name = &release.name;
    let mut workloads: Vec<&Workload> = Vec::new();
    if *name == components.metrics_server.release {
        workloads.extend(Installed::metrics_server(subject).workloads().unwrap_or_default());
    }
    if *name == components.kube_state_metrics.release {
        workloads.extend(Installed::kube_state_metrics(subject).workloads().unwrap_or_default());
        workloads.extend(&subject.evidence.kube_state_metrics.unfound);
    }
    if *name == components.envoy_gateway.controller.release
        && let Observed::Seen(controller) = &subject.evidence.gateway.controller
    {
        workloads.extend(controller.workloads.iter().map(|workload| &workload.workload));
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
        let of_release = |found: &&TelemetryWorkload| found.operator == collector.terms.operator.is_some();
        let found = collector.workloads().unwrap_or_default().into_iter();
        workloads.extend(found.filter(of_release).map(|found| &found.workload));
    }
    workloads
}
