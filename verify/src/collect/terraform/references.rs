//! What refers to a cluster, wherever it stands: a region's stores outlive every cluster, so nothing may.

use super::document::{ConfigurationModule, Document, ProviderConfiguration, Resource};
use super::links::{references, without_indexes};
use crate::evidence::ClusterReference;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Resource types that are clusters, or parts of one.
const CLUSTER_TYPES: [&str; 2] = ["digitalocean_kubernetes_cluster", "digitalocean_kubernetes_node_pool"];
/// Providers that need a cluster to talk to.
const CLUSTER_PROVIDERS: [&str; 3] = ["/kubernetes", "/helm", "/kubectl"];
/// How DigitalOcean names a cluster: as a resource of a project, and by the tags that DOKS gives what it makes.
const CLUSTER_URN: &str = "do:kubernetes:";
const CLUSTER_TAG: &str = "k8s:";
/// What reads the state of another configuration.
const REMOTE_STATE: &str = "terraform_remote_state";
/// What is in the name of a firewall's attribute that lists clusters.
const CLUSTER_ATTRIBUTE: &str = "kubernetes_ids";

/// Every reference to a cluster, in order, each once.
pub(super) fn to_clusters(document: &Document, resources: &[&Resource]) -> Vec<ClusterReference> {
    let mut found = BTreeSet::new();
    let mut note = |from: String, to: &str| {
        let to = to.to_owned();
        found.insert(ClusterReference { from, to });
    };
    for resource in resources {
        if CLUSTER_TYPES.contains(&resource.kind.as_str()) {
            note(resource.address.clone(), &resource.kind);
        }
        if CLUSTER_PROVIDERS
            .iter()
            .any(|name| resource.provider_name.ends_with(name))
        {
            note(resource.address.clone(), &resource.provider_name);
        }
        for dependency in resource.depends_on.iter().filter(|name| is_cluster(name)) {
            note(format!("{} depends_on", resource.address), dependency);
        }
        if resource.kind == REMOTE_STATE {
            let outputs = resource.values.get("outputs").and_then(Value::as_object);
            for name in outputs.into_iter().flat_map(|outputs| outputs.keys()) {
                if of_a_cluster(name) {
                    note(
                        format!("{} outputs", resource.address),
                        &format!("{name}, an output of that name"),
                    );
                }
            }
        }
        for (attribute, value) in &resource.values {
            for to in in_value(attribute, value) {
                note(format!("{} {attribute}", resource.address), &to);
            }
        }
    }
    for name in document.variables.keys() {
        if of_a_cluster(name) {
            note(format!("var.{name}"), "a variable of that name");
        }
    }
    if let Some(configuration) = &document.configuration {
        let providers = &configuration.provider_config;
        in_configuration("", &configuration.root_module, providers, &mut note);
    }
    found.into_iter().collect()
}

/// The states of others that the configuration reads, where the document does not tell what is in them. What a state gives
/// is told in the prior state once it was read; names in it are judged there as everywhere.
pub(super) fn unread_states(document: &Document, resources: &[&Resource]) -> Vec<String> {
    let mut states = BTreeSet::new();
    if let Some(configuration) = &document.configuration {
        let mut open = vec![(String::new(), &configuration.root_module)];
        while let Some((place, module)) = open.pop() {
            let found = module.resources.iter().filter(|resource| resource.kind == REMOTE_STATE);
            states.extend(found.map(|resource| format!("{place}{}", resource.address)));
            let calls = module.module_calls.iter();
            open.extend(calls.map(|(name, call)| (format!("{place}module.{name}."), &call.module)));
        }
    }
    let told = |address: &String| {
        let mut read = resources.iter().filter(|resource| resource.kind == REMOTE_STATE);
        read.any(|resource| {
            without_indexes(&resource.address) == *address
                && resource.values.get("outputs").is_some_and(Value::is_object)
        })
    };
    states.into_iter().filter(|address| !told(address)).collect()
}

/// Whether a name that somebody gave says that what it names is a cluster's.
fn of_a_cluster(name: &str) -> bool {
    ["cluster", "kubernetes", "doks"].iter().any(|word| name.contains(word))
}

fn in_configuration(
    place: &str,
    module: &ConfigurationModule,
    providers: &BTreeMap<String, ProviderConfiguration>,
    note: &mut dyn FnMut(String, &str),
) {
    for resource in &module.resources {
        // A data source behind a local is named by no expression that the document tells.
        if CLUSTER_TYPES.contains(&resource.kind.as_str()) {
            note(format!("{place}{}", resource.address), &resource.kind);
        }
        let provider = providers.get(&resource.provider_config_key);
        let provider = provider.map_or("", |provider| provider.full_name.as_str());
        if CLUSTER_PROVIDERS.iter().any(|name| provider.ends_with(name)) {
            note(format!("{place}{}", resource.address), provider);
        }
        // A state of another's is read by where it lies; a key such as `clusters/blue.tfstate` says whose it is.
        if resource.kind == REMOTE_STATE {
            let written = resource.expressions.iter();
            let written =
                written.flat_map(|(attribute, expression)| texts(expression).map(move |text| (attribute, text)));
            for (attribute, _) in written.filter(|(_, text)| of_a_cluster(text)) {
                note(
                    format!("{place}{} {attribute}", resource.address),
                    "a state of that name",
                );
            }
        }
        let expressions = resource.expressions.iter();
        let referred = expressions.flat_map(|(attribute, expression)| {
            references(expression).map(move |reference| (attribute.as_str(), reference))
        });
        let depended = resource.depends_on.iter().map(|name| ("depends_on", name.as_str()));
        for (attribute, reference) in referred.chain(depended).filter(|(_, name)| is_cluster(name)) {
            note(format!("{place}{} {attribute}", resource.address), reference);
        }
    }
    for (name, call) in &module.module_calls {
        for (argument, expression) in &call.expressions {
            for reference in references(expression).filter(|name| is_cluster(name)) {
                note(format!("{place}module.{name} {argument}"), reference);
            }
        }
        in_configuration(&format!("{place}module.{name}."), &call.module, providers, note);
    }
}

/// Every text that is written in an expression as it stands, however deep.
fn texts(expression: &Value) -> impl Iterator<Item = &str> {
    let mut open = vec![expression];
    let mut found = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => open.extend(
                object
                    .iter()
                    .filter(|(key, _)| *key != "references")
                    .map(|(_, value)| value),
            ),
            Value::Array(values) => open.extend(values),
            Value::String(text) => found.push(text.as_str()),
            _ => {}
        }
    }
    found.into_iter()
}

/// Whether a reference is to a cluster: `data.digitalocean_kubernetes_cluster.blue.id`, in whatever module.
fn is_cluster(reference: &str) -> bool {
    reference.split('.').any(|part| CLUSTER_TYPES.contains(&part))
}

/// The clusters that an attribute's value names.
fn in_value(attribute: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(attribute, value)];
    while let Some((key, value)) = open.pop() {
        match value {
            Value::Object(object) => open.extend(object.iter().map(|(key, value)| (key.as_str(), value))),
            Value::Array(values) => open.extend(values.iter().map(|value| (key, value))),
            Value::String(text)
                if text.starts_with(CLUSTER_URN)
                    || (["tags", "source_tags"].contains(&key) && text.starts_with(CLUSTER_TAG))
                    || key.contains(CLUSTER_ATTRIBUTE) =>
            {
                found.push(text.clone());
            }
            _ => {}
        }
    }
    found
}
