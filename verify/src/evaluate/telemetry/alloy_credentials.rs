//! Step 4: whether Alloy's credentials come from Secrets only.

use super::alloy::{installed, resource_object};
use super::collector::in_clear;
use crate::evaluate::fix::object;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{AlloyConfigMap, AlloyResource, AlloySettings, AlloyText, CredentialKind, Observed};
use crate::report::ObjectReference;

/// SF447. One in clear is told though another place could not be read; that none is, only when all could.
pub(in crate::evaluate) fn none_in_clear(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let telemetry = &subject.evidence.telemetry;
    let accepted = |resource: &&AlloyResource| collector.terms.namespaces.contains(&resource.namespace);
    let resources = seen(&telemetry.alloys).into_iter().flatten();
    let settings = seen(&telemetry.alloy_settings).into_iter().flatten();
    let in_resources =
        (resources.filter(accepted)).map(|resource| (resource_object(resource), resource.credentials_in_clear.clone()));
    let in_settings = settings.flat_map(places);
    if let Some((place, found)) = in_resources.chain(in_settings).find(|(_, found)| !found.is_empty()) {
        return Ok(in_clear(collector, place, &found));
    }

    let none = || Outcome::not_applicable("there is no Alloy resource");
    let resources = telemetry.alloys.or_else(none)?;
    let resources: Vec<&AlloyResource> = resources.iter().filter(accepted).collect();
    if resources.is_empty() {
        return Ok(none());
    }
    let settings = telemetry.alloy_settings.or_else(|| {
        Outcome::undetermined(
            "Alloy has no workload, or one whose ConfigMaps do not exist: what it is configured with is not known",
        )
        .objects(resources.iter().map(|resource| resource_object(resource)))
    })?;
    for resource in &resources {
        let is_its = |settings: &&AlloySettings| {
            (&settings.namespace, &settings.workload) == (&resource.namespace, &resource.name)
        };
        if !settings.iter().any(|settings| is_its(&settings)) {
            return Ok(Outcome::undetermined(format!(
                "Alloy {} has no workload: which ConfigMaps it has is not known",
                resource.name
            ))
            .objects([resource_object(resource)]));
        }
    }
    let runs_nowhere = |settings: &AlloySettings| {
        let workloads = seen(&collector.component.workloads).into_iter().flatten();
        let mut its = workloads.filter(|found| {
            (&found.workload.namespace, &found.workload.name) == (&settings.namespace, &settings.workload)
        });
        its.any(|found| found.workload.desired == 0 && found.pods.is_empty())
    };
    // One for nodes that are not there: nothing runs with a configuration that is in no ConfigMap.
    let mut run = settings
        .iter()
        .filter(|settings| settings.unread.is_none() || !runs_nowhere(settings));
    if let Some((place, unread)) = run.find_map(unread) {
        return Ok(Outcome::undetermined(unread)
            .expected("a configuration that can be read to its end")
            .objects([place])
            .lasting());
    }
    Ok(Outcome::pass("none in clear"))
}

fn seen<T>(observed: &Observed<T>) -> Option<&T> {
    match observed {
        Observed::Seen(value) => Some(value),
        Observed::Absent | Observed::Unknown(_) => None,
    }
}

/// Where a workload's credentials may stand in clear, each with those that do.
fn places(settings: &AlloySettings) -> Vec<(ObjectReference, Vec<String>)> {
    let of_map = |map: &AlloyConfigMap| {
        let found = map.texts.iter().flat_map(in_text).collect();
        (object("ConfigMap", &settings.namespace, &map.name), found)
    };
    let own = (
        object("Alloy", &settings.namespace, &settings.workload),
        settings.variables_in_clear.clone(),
    );
    settings.config_maps.iter().map(of_map).chain([own]).collect()
}

fn in_text(text: &AlloyText) -> Vec<String> {
    let literals = text
        .credentials
        .iter()
        .filter(|found| found.kind == CredentialKind::Literal);
    let told = literals.map(|found| match found.path.as_str() {
        "" => text.key.clone(),
        path => format!("{}: {path}", text.key),
    });
    told.collect()
}

/// What of a workload's configuration could not be read, and why.
fn unread(settings: &AlloySettings) -> Option<(ObjectReference, String)> {
    let workload = &settings.workload;
    if let Some(why) = &settings.unread {
        let place = object("Alloy", &settings.namespace, workload);
        return Some((
            place,
            format!("the configuration of {workload} could not be read: {why}"),
        ));
    }
    settings.config_maps.iter().find_map(|map| {
        let text = map.texts.iter().find(|text| text.unread.is_some())?;
        let why = text.unread.as_deref().unwrap_or_default();
        let place = object("ConfigMap", &settings.namespace, &map.name);
        Some((
            place,
            format!("{} of ConfigMap {} could not be read: {why}", text.key, map.name),
        ))
    })
}
