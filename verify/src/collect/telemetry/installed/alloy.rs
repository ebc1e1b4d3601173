//! Where Alloy's credentials come from: the ConfigMaps that its pods mount, and the variables of its container.

use super::config_map::{self, ConfigMap};
use super::workloads::Found;
use crate::collect::access::Cluster;
use crate::collect::environment::Variable;
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::rule_options::RuleOptions;
use crate::collect::workloads::{Container, Raw};
use crate::contract::Contract;
use crate::evidence::{
    AlloyConfigMap, AlloyCredential, AlloyPipelines, AlloySettings, AlloyText, CredentialKind, Observed, Reason,
};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

mod credentials;
mod interval;
mod names;
mod pipelines;
mod place;
mod syntax;
mod token;
mod url;
mod value;

use self::place::Place;
use self::syntax::Statement;

/// What every private key in PEM begins with (RFC 7468).
const PRIVATE_KEY: &str = "PRIVATE KEY-----";
/// How many variables may stand one behind the other.
const DEPTH: usize = 8;

/// The ConfigMaps that a workload has, by name.
type ConfigMaps = BTreeMap<String, ConfigMap>;

/// Reads the configuration of every workload but the operator's. Needs `get` of the ConfigMaps that its pods mount and take
/// all their variables from: one request each.
pub(super) async fn collect(cluster: &Cluster<'_>, found: &Observed<Found>) -> Observed<Vec<AlloySettings>> {
    super::settings(found, "workloads of Alloy", |found| async move {
        let collectors = found.iter().filter(|(workload, _)| !workload.operator);
        try_join_all(collectors.map(|(_, raw)| read(cluster, raw))).await
    })
    .await
}

pub(super) fn requests(contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    super::config_maps(&contract.components.alloy, options)
}

async fn read(cluster: &Cluster<'_>, raw: &Raw) -> Result<AlloySettings, Obstacle> {
    let (namespace, workload) = (&raw.metadata.namespace, &raw.metadata.name);
    let container = raw
        .container(&cluster.contract.components.alloy.container)
        .ok_or_else(|| {
            let get = Get::namespaced("apps", "v1", "statefulsets", namespace, workload);
            unknown(&get, Reason::Malformed, "it has no container")
        })?;
    let wanted = raw.config_maps(container);
    let maps = try_join_all(wanted.into_iter().map(|(name, optional)| async move {
        match config_map::read(cluster, namespace, name).await {
            Err(Obstacle::Absent) if optional => Ok(None),
            read => read.map(|map| Some((name.to_owned(), map))),
        }
    }));
    let maps: ConfigMaps = maps.await?.into_iter().flatten().collect();
    let mut settings = judge(raw, container, &maps);
    settings.namespace.clone_from(namespace);
    settings.workload.clone_from(workload);
    Ok(settings)
}

/// What the ConfigMaps and the container come to.
fn judge(raw: &Raw, container: &Container, maps: &ConfigMaps) -> AlloySettings {
    let place = Place::of(raw, container);
    let texts = || {
        maps.iter()
            .flat_map(|(name, map)| map.texts().map(move |(key, text)| (name, key, text)))
    };
    let bodies: Vec<_> = texts().map(|(_, _, text)| syntax::read(text)).collect();
    let statements: Vec<_> = bodies.iter().map(|(statements, _)| statements.as_slice()).collect();
    let declared = credentials::declared(&statements);
    let mut variables = BTreeSet::new();
    let mut read_pipelines = AlloyPipelines::default();
    let mut read: BTreeMap<&String, Vec<AlloyText>> = maps.keys().map(|name| (name, Vec::new())).collect();
    for ((name, key, text), (statements, problem)) in texts().zip(&bodies) {
        let is_configuration = place.is(name, key) || place::is_configuration(key);
        let has_blocks = statements.iter().any(Statement::is_block);
        // A line such as `key=value` of another file can be read as Alloy's too; only blocks tell that it is meant.
        let judged = if is_configuration || (problem.is_none() && has_blocks) {
            let mut found = credentials::find(statements, &declared);
            variables.append(&mut found.variables);
            pipelines::find(statements, &mut read_pipelines);
            let problem = problem.filter(|_| is_configuration).or(found.problem);
            AlloyText {
                key: key.to_owned(),
                credentials: found.credentials,
                unread: problem.map(|problem| format!("line {}: {}", problem.line, problem.what)),
            }
        } else {
            AlloyText {
                key: key.to_owned(),
                credentials: other(key, text),
                unread: None,
            }
        };
        read.entry(name).or_default().push(judged);
    }
    // Modules may be imported from there.
    for (name, map) in maps {
        let binary = map.binary_keys().filter(|key| place::is_configuration(key));
        let unread = binary.map(|key| AlloyText {
            key: key.to_owned(),
            unread: Some("it stands in binaryData".to_owned()),
            ..AlloyText::default()
        });
        read.entry(name).or_default().extend(unread);
    }
    let config_maps = read.into_iter().map(|(name, texts)| AlloyConfigMap {
        name: name.clone(),
        texts,
        last_change: maps.get(name).and_then(ConfigMap::last_change),
    });
    AlloySettings {
        config_maps: config_maps.collect(),
        variables_in_clear: variables_in_clear(container, &variables, maps),
        scrape_interval_ms: interval::longest(&statements),
        unread: place.unread(maps),
        pipelines: Some(read_pipelines),
        ..AlloySettings::default()
    }
}

/// The credentials in a text that is no configuration of Alloy's: a file that its configuration may name.
fn other(key: &str, text: &str) -> Vec<AlloyCredential> {
    let literal = |path: String| AlloyCredential {
        path,
        kind: CredentialKind::Literal,
    };
    if names::is_credential(key) && !text.trim().is_empty() {
        return vec![literal(String::new())];
    }
    if text.contains(PRIVATE_KEY) {
        return vec![literal("a private key".to_owned())];
    }
    let mut found = match serde_saphyr::from_str::<serde_json::Value>(text) {
        Ok(document) if !document.is_string() => super::credentials::in_clear("", &document),
        _ => Vec::new(),
    };
    if found.is_empty() && url::has_credential(text) {
        found.push("a URL".to_owned());
    }
    let found = found.iter().map(|place| place.trim_start_matches(": "));
    found.map(|place| literal(place.to_owned())).collect()
}

/// The variables that hold a credential in clear: by their names, or because a credential is taken from them.
fn variables_in_clear(container: &Container, taken: &BTreeSet<String>, maps: &ConfigMaps) -> Vec<String> {
    let own = container.env.iter().flatten();
    let from_map = own
        .filter(|variable| variable.is_of_config_map() && names::is_credential(&variable.name))
        .map(|variable| format!("variable {}", variable.name));
    let all = container.env_from.iter().flatten().filter_map(|from| {
        let map = maps.get(&from.config_map_ref.as_ref()?.name)?;
        Some(
            map.texts()
                .map(move |(key, text)| (format!("{}{key}", from.prefix), text)),
        )
    });
    let all: BTreeMap<String, &str> = all.flatten().collect();
    let named =
        |(name, text): &(&String, &&str)| (names::is_credential(name) && !text.is_empty()) || url::has_credential(text);
    let from_all = all.iter().filter(named).map(|(name, _)| format!("variable {name}"));
    let is_clear = |name: &&String| {
        is_in_clear(container, name, DEPTH) || (container.variable(name).is_none() && all.contains_key(*name))
    };
    let taken = taken.iter().filter(is_clear).map(|name| format!("variable {name}"));
    let found: BTreeSet<String> = container
        .variables_in_clear()
        .chain(from_map)
        .chain(from_all)
        .chain(taken)
        .collect();
    found.into_iter().collect()
}

/// Whether a variable's value stands in the object, or in a ConfigMap.
fn is_in_clear(container: &Container, name: &str, depth: usize) -> bool {
    let Some(variable) = container.variable(name) else {
        return false;
    };
    let mut rest = variable.value.as_deref().unwrap_or_default();
    // `$(NAME)` is another variable's value.
    while let Some((other, after)) = (rest.strip_prefix("$(")).and_then(|text| text.split_once(')')) {
        if depth == 0 || is_in_clear(container, other, depth - 1) {
            return true;
        }
        rest = after;
    }
    !rest.is_empty() || variable.is_of_config_map()
}

// === impl Container ===

impl Container {
    fn variable(&self, name: &str) -> Option<&Variable> {
        // "the last one wins" where a name is given twice (the kubelet's `makeEnvironmentVariables`).
        self.env.iter().flatten().rfind(|variable| variable.name == name)
    }
}

#[cfg(test)]
mod tests;
