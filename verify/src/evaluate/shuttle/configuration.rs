//! Step 5: Shuttle carries no telemetry configuration. Relabelling, rules and stores stand in the Helm values of steps 3
//! and 4, so that what Shuttle is given is the same in every cluster.

use super::status::install;
use crate::contract::ShuttleRole;
use crate::evaluate::fix::{Advice, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{ContainerNames, ShuttleWorkload};
use crate::report::ObjectReference;

/// SF508.
pub(in crate::evaluate) fn none(subject: Subject<'_>) -> Judge {
    let shuttle = &subject.contract.components.shuttle;
    let seen = &subject.evidence.shuttle;
    // That one is missing is told by SF501 and SF502.
    let missing = || Outcome::not_applicable("Shuttle is not installed");
    let agent = seen.agent.or_else(missing)?;
    let node = seen.node.or_else(missing)?;
    let found_maps =
        (seen.config_maps).or_else(|| Outcome::undetermined("the API server says that it has no ConfigMaps"))?;
    if found_maps.is_empty() {
        return Ok(Outcome::undetermined(format!(
            "namespace {} has no ConfigMap, not even the one that Kubernetes puts into each",
            shuttle.namespace
        )));
    }
    let mut found: Vec<String> = Vec::new();
    let mut objects: Vec<ObjectReference> = Vec::new();
    for map in found_maps.iter().filter(|map| !shuttle.config_maps.contains(map)) {
        found.push(format!("ConfigMap {map}"));
        objects.push(object("ConfigMap", &shuttle.namespace, map));
    }
    for (given, role) in [(agent, &shuttle.agent), (node, &shuttle.node)] {
        let workload = &given.workload;
        let extra = beyond(given, role);
        if !extra.is_empty() {
            objects.push(workload_object(workload));
        }
        found.extend(
            extra
                .into_iter()
                .map(|extra| format!("{extra} in {} {}", workload.kind, workload.name)),
        );
    }
    if found.is_empty() {
        return Ok(Outcome::pass("only what the contract names"));
    }
    Ok(Outcome::fail(format!("the contract does not name {}", names(&found)))
        .expected("the same manifests in every cluster; configuration of telemetry stands in the Helm values")
        .objects(objects)
        .fix(Advice {
            summary: "take it away, and apply the manifests as they are".to_owned(),
            ..install(subject)
        })
        .lasting())
}

/// What a workload is given that the contract does not name for its role.
fn beyond(workload: &ShuttleWorkload, role: &ShuttleRole) -> Vec<String> {
    let extra = |what: &'static str, found: &[String], named: &[String]| -> Vec<String> {
        let mut extra: Vec<String> = (found.iter())
            .filter(|name| !named.contains(name))
            .map(|name| format!("{what} {name}"))
            .collect();
        extra.dedup();
        extra
    };
    let mut found = extra("volume", &workload.volumes, &role.volumes);
    if workload.service_account != role.service_account {
        found.push(format!("ServiceAccount {}", workload.service_account));
    }
    for container in &workload.containers {
        let ContainerNames {
            name,
            arguments: _,
            other_arguments,
            flags,
            environment,
            environment_from,
        } = container;
        if !role.containers.contains(name) {
            found.push(format!("container {name}"));
        }
        found.extend(extra("flag", flags, &role.flags));
        found.extend(extra("variable", environment, &role.environment));
        found.extend(environment_from.iter().map(|from| format!("variables from {from}")));
        if *other_arguments > 0 {
            found.push(format!(
                "{other_arguments} more words on the command line of container {name}"
            ));
        }
    }
    found
}
