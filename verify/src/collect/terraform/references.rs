//! What refers to a cluster, wherever it stands: a region's stores outlive every cluster, so nothing may.

use super::document::{ConfigurationModule, Document, Resource};
use super::links::references;
use crate::evidence::ClusterReference;
use serde_json::Value;
use std::collections::BTreeSet;

/// Resource types that are clusters, or parts of one.
const CLUSTER_TYPES: [&str; 2] = ["digitalocean_kubernetes_cluster", "digitalocean_kubernetes_node_pool"];
/// Providers that need a cluster to talk to.
const CLUSTER_PROVIDERS: [&str; 3] = ["/kubernetes", "/helm", "/kubectl"];
/// How DigitalOcean names a cluster: as a resource of a project, and by the tags that DOKS gives what it makes.
const CLUSTER_URN: &str = "do:kubernetes:";
const CLUSTER_TAG: &str = "k8s:";
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
        for (attribute, value) in &resource.values {
            for to in in_value(attribute, value) {
                note(format!("{} {attribute}", resource.address), &to);
            }
        }
    }
    for name in document.variables.keys() {
        if ["cluster", "kubernetes", "doks"].iter().any(|word| name.contains(word)) {
            note(format!("var.{name}"), "a variable of that name");
        }
    }
    if let Some(configuration) = &document.configuration {
        in_configuration("", &configuration.root_module, &mut note);
    }
    found.into_iter().collect()
}

fn in_configuration(place: &str, module: &ConfigurationModule, note: &mut dyn FnMut(String, &str)) {
    for resource in &module.resources {
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
        in_configuration(&format!("{place}module.{name}."), &call.module, note);
    }
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
                    || (key == "tags" && text.starts_with(CLUSTER_TAG))
                    || key.contains(CLUSTER_ATTRIBUTE) =>
            {
                found.push(text.clone());
            }
            _ => {}
        }
    }
    found
}
