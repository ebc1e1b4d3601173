//! Step 4: Alloy, its operator, and what the operator makes of the Alloy resources.

use super::collector::Collector;
use super::every_node::{Placed, ReadyNodes};
use crate::evaluate::fix::{Advice, fix, names, object};
use crate::evaluate::installed::{Installed, service_object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{AlloyResource, Service, Source, TelemetryWorkload, WorkloadKind};
use crate::report::{ObjectReference, Verdict};

/// Alloy as it stands.
pub(in crate::evaluate) fn installed(subject: Subject<'_>) -> Collector<'_> {
    Collector {
        subject,
        component: &subject.evidence.telemetry.alloy,
        terms: &subject.contract.components.alloy,
        name: "Alloy",
        kinds: "Deployment, StatefulSet or DaemonSet",
        source: Source::AlloyWorkloads,
    }
}

/// SF441.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    let operator = Collector {
        name: "Alloy's operator",
        ..installed(subject)
    };
    operator.stands(|workload| workload.operator)
}

/// SF442.
pub(in crate::evaluate) fn operator_runs(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let mut operators = collector.workloads()?;
    operators.retain(|workload| workload.operator);
    if operators.is_empty() {
        return Ok(Outcome::not_applicable("Alloy has no operator"));
    }
    Ok(collector.complete(&operators, |_| false))
}

/// SF443.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    Ok(collector.version(&collector.workloads()?))
}

/// SF444.
pub(in crate::evaluate) fn reconciled(subject: Subject<'_>) -> Judge {
    let resources = resources(subject)?;
    for resource in &resources {
        let is = |kind: &str, status: &str| {
            let mut conditions = resource.conditions.iter();
            conditions.find(|condition| condition.kind == kind && condition.status == status)
        };
        let bad = is("Irreconcilable", "True").or_else(|| is("ReleaseFailed", "True"));
        let observed = match bad {
            Some(bad) if bad.reason.is_empty() => format!("Alloy {} is {}", resource.name, bad.kind),
            Some(bad) => format!("Alloy {} is {}: {}", resource.name, bad.kind, bad.reason),
            None if is("Deployed", "True").is_some() => continue,
            None => format!("Alloy {} has not been deployed by the operator", resource.name),
        };
        return Ok(Outcome::fail(observed)
            .expected("the condition Deployed, and neither ReleaseFailed nor Irreconcilable")
            .objects([resource_object(resource)])
            .fix(look_at(subject, resource)));
    }
    Ok(Outcome::pass(names(resources.iter().map(|resource| &resource.name))))
}

/// SF445.
pub(in crate::evaluate) fn workloads_run(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let resources = resources(subject)?;
    ReadyNodes::of(subject)?;
    let none = || Outcome::fail("the operator has made no workload");
    let workloads = collector.component.workloads.or_else(none)?;
    let mut made: Vec<(&TelemetryWorkload, &AlloyResource)> = Vec::new();
    for resource in &resources {
        let is_its = |found: &&TelemetryWorkload| {
            let workload = &found.workload;
            !found.operator && (&workload.namespace, &workload.name) == (&resource.namespace, &resource.name)
        };
        let Some(found) = workloads.iter().find(is_its) else {
            return Ok(Outcome::fail(format!(
                "Alloy {} has no {}: the operator has made none",
                resource.name, resource.kind
            ))
            .expected("a workload of its name: Helm neither makes it nor waits for it")
            .objects([resource_object(resource)])
            .fix(look_at(subject, resource)));
        };
        let workload = &found.workload;
        if workload.kind != resource.kind {
            return Ok(Outcome::fail(format!(
                "Alloy {} asks for a {}, and its workload is a {}",
                resource.name, resource.kind, workload.kind
            ))
            .expected("what the resource asks for")
            .objects([resource_object(resource), workload_object(workload)])
            .fix(look_at(subject, resource)));
        }
        made.push((found, resource));
    }
    let is_on_nodes = |found: &TelemetryWorkload| found.workload.kind == WorkloadKind::DaemonSet;
    let others = made.iter().map(|(found, _)| *found);
    let others: Vec<&TelemetryWorkload> = others.filter(|found| !is_on_nodes(found)).collect();
    // Each reads a part: the singleton the events, a clustered pod its share of the targets until the others take over.
    let complete = collector.complete(&others, |_| false);
    if !matches!(complete.verdict, Verdict::Pass | Verdict::Warn) {
        return Ok(complete);
    }
    // A warning is told where no DaemonSet has worse.
    let mut warned = (complete.verdict == Verdict::Warn).then(|| complete.clone());
    let restarted = complete
        .observed
        .split_once("; ")
        .map_or(String::new(), |(_, told)| format!("; {told}"));
    let mut idle = String::new();
    for (found, resource) in made.iter().filter(|(found, _)| is_on_nodes(found)) {
        let asked = resource.placement.as_ref();
        let outcome = collector.on_every_node(&[Placed { found, asked }])?;
        match outcome.verdict {
            Verdict::Pass => {}
            Verdict::Warn => warned = warned.or(Some(outcome)),
            // For the nodes of another system, say: as long as there is none it has nothing to do.
            Verdict::NotApplicable => idle = format!("{idle}; {}", outcome.observed),
            _ => return Ok(outcome),
        }
    }
    if let Some(warned) = warned {
        return Ok(warned);
    }
    let made = names(made.iter().map(|(found, _)| &found.workload.name));
    Ok(Outcome::pass(format!("{made}{restarted}{idle}")))
}

/// SF446.
pub(in crate::evaluate) fn one_state_metrics(subject: Subject<'_>) -> Judge {
    let none = || Outcome::not_applicable("there is no kube-state-metrics");
    let services = subject.evidence.kube_state_metrics.services.or_else(none)?;
    let mut distinct: Vec<&Service> = Vec::new();
    let members = Installed::kube_state_metrics(subject).members();
    for service in services {
        // What stands beside it where the contract accepts it, SF320 tells: the same once more, or one of something else.
        if service.accepted && members.as_ref().is_some_and(|own| !own.has(service)) {
            continue;
        }
        // Two Services of one installation select the same pods.
        let same = |other: &&Service| other.namespace == service.namespace && other.selector == service.selector;
        if !distinct.iter().any(same) {
            distinct.push(service);
        }
    }
    let at = |service: &&Service| format!("{}/{}", service.namespace, service.name);
    let is_own = |service: &Service| service.accepted && members.as_ref().is_none_or(|own| own.has(service));
    match distinct.as_slice() {
        [] => Ok(none()),
        [one] => Ok(Outcome::pass(at(one))),
        several => {
            let terms = &subject.contract.components.alloy;
            let ours = |service: &&&Service| terms.namespaces.contains(&service.namespace);
            let observed = format!(
                "{} kube-state-metrics: {}",
                several.len(),
                names(several.iter().map(at))
            );
            let outcome = if several.iter().any(|service| ours(&service)) {
                Outcome::fail(observed)
            } else {
                Outcome::warn(observed)
            };
            let advice = if several.iter().any(|service| ours(&service)) {
                installed(subject).upgrade(None, "install k8s-monitoring with the contract's values")
            } else {
                // Whose it is, its labels tell; it is not for the contract's releases to take it away.
                let others = several.iter().filter(|service| !is_own(service));
                fix(
                    "keep the one that the contract installs; the other goes, by whoever owns it",
                    others.map(|service| {
                        let Service { namespace, name, .. } = service;
                        subject.kubectl(["--namespace", namespace, "get", "service", name, "--show-labels"])
                    }),
                )
            };
            Ok(outcome
                .expected("one in the cluster: k8s-monitoring's own is off, and matches the one of step 3")
                .objects(several.iter().map(|service| service_object(service)))
                .fix(advice)
                .lasting())
        }
    }
}

/// The Alloy resources in accepted namespaces, at least one.
fn resources(subject: Subject<'_>) -> Result<Vec<&AlloyResource>, Box<Outcome>> {
    let collector = installed(subject);
    let install = || collector.upgrade(None, "install k8s-monitoring: its chart brings the definition");
    let resources = subject.evidence.telemetry.alloys.or_else(|| {
        Outcome::fail("the API server does not know the kind Alloy")
            .expected("the CustomResourceDefinition alloys.collectors.grafana.com")
            .fix(install())
            .lasting()
    })?;
    let accepted: Vec<&AlloyResource> = (resources.iter())
        .filter(|resource| collector.terms.namespaces.contains(&resource.namespace))
        .collect();
    if accepted.is_empty() {
        let place = collector.terms.namespaces.join(" or ");
        return Outcome::fail(format!("no Alloy resource in namespace {place}"))
            .expected("one for each collector that the values name")
            .fix(install())
            .lasting()
            .early();
    }
    Ok(accepted)
}

fn look_at(subject: Subject<'_>, resource: &AlloyResource) -> Advice {
    let namespace = resource.namespace.as_str();
    let alloy = format!("alloy/{}", resource.name);
    let operator = subject.contract.components.alloy.operator.as_ref();
    let selector = operator.map(|operator| operator.selector.as_str()).unwrap_or_default();
    fix(
        "see what the operator says of it",
        [
            subject.kubectl(["--namespace", namespace, "describe", &alloy]),
            subject.kubectl(["--namespace", namespace, "logs", "--selector", selector, "--tail", "50"]),
        ],
    )
}

pub(in crate::evaluate) fn resource_object(resource: &AlloyResource) -> ObjectReference {
    object("Alloy", &resource.namespace, &resource.name)
}
