//! What Fluent Bit is configured to do: the file that its command line names, in the ConfigMap that its pods mount.

use super::config_map::{self, ConfigMap};
use super::credentials;
use super::workloads::Found;
use crate::collect::access::Cluster;
use crate::collect::flags::{self, Syntax};
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::rule_options::RuleOptions;
use crate::collect::workloads::{Container, Raw};
use crate::contract::Contract;
use crate::evidence::{CLUSTER_LABELS, FluentBitPlugin, FluentBitSettings, Observed, Reason};
use futures::future::try_join_all;
use std::collections::BTreeMap;

mod classic;
mod document;
mod removed;
mod yaml;

use self::document::{Document, Kind, Section};

/// What the image starts it with (`dockerfiles/Dockerfile` of Fluent Bit: `-c /fluent-bit/etc/fluent-bit.conf`).
const DEFAULT_FILE: &str = "/fluent-bit/etc/fluent-bit.conf";

/// How many files of the ConfigMap are read at most, includes among them.
const FILES: usize = 64;

/// The settings that evidence holds, by section. None of them can be a credential.
const SERVICE: [&str; 8] = [
    "storage.path",
    "storage.type",
    "storage.inherit",
    "storage.backlog.mem_limit",
    "storage.max_chunks_up",
    "storage.metrics",
    "health_check",
    "http_server",
];
const INPUT: [&str; 11] = [
    "tag",
    "tag_prefix",
    "tag_key",
    "tag_from_uri",
    "path",
    "db",
    "database_file",
    "storage.type",
    "mem_buf_limit",
    "skip_long_lines",
    "alias",
];
const FILTER: [&str; 3] = ["match", "match_regex", "condition"];
/// The flags that add a plugin from the command line (`src/fluent-bit.c`).
const PLUGIN_FLAGS: [&str; 8] = ["--i", "--input", "--F", "--filter", "--o", "--output", "--p", "--prop"];
const OUTPUT: [&str; 14] = [
    "match",
    "match_regex",
    "alias",
    "host",
    "port",
    "format",
    "compress",
    "retry_limit",
    "storage.total_limit_size",
    "tls",
    "tls.verify",
    "tls.verify_hostname",
    "tls.ca_file",
    "retain_metadata_in_forward_mode",
];

/// Reads the configuration of every workload. Needs `get` of the ConfigMap that its pods mount.
pub(super) async fn collect(cluster: &Cluster<'_>, found: &Observed<Found>) -> Observed<Vec<FluentBitSettings>> {
    super::settings(found, "DaemonSets of Fluent Bit", |found| async move {
        try_join_all(found.iter().map(|(_, raw)| read(cluster, raw))).await
    })
    .await
}

pub(super) fn requests(contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    super::config_maps(&contract.components.fluent_bit, options)
}

async fn read(cluster: &Cluster<'_>, raw: &Raw) -> Result<FluentBitSettings, Obstacle> {
    let container = raw.container(&cluster.contract.components.fluent_bit.container);
    let (namespace, workload) = (&raw.metadata.namespace, &raw.metadata.name);
    let nothing = |problem: &str| {
        let get = Get::namespaced("apps", "v1", "daemonsets", namespace, workload);
        Obstacle::from(unknown(&get, Reason::Malformed, problem))
    };
    let container = container.ok_or_else(|| nothing("it has no container"))?;
    let path = path(raw, container).map_err(|why| nothing(&why))?;
    let file = (raw.file(container, &path))
        .ok_or_else(|| nothing("its configuration is in no ConfigMap that its pods mount"))?;
    let map = config_map::read(cluster, namespace, &file.config_map).await?;
    let malformed = |problem: &str| {
        let get = config_map::request(namespace, &file.config_map);
        Obstacle::from(unknown(&get, Reason::Malformed, problem))
    };
    if map.get(&file.key).is_none() {
        return Err(malformed("it has no key of the file that Fluent Bit is started with"));
    }
    let mut document = document(&map, &file.key).map_err(|problem| malformed(&problem))?;
    let arguments = raw.arguments(container);
    let adds = |flag: &str| PLUGIN_FLAGS.contains(&flag);
    if flags::given(&arguments, Syntax::OneDash).any(|given| given.flag.as_deref().is_some_and(adds)) {
        document.unread.push("its command line".to_owned());
    }
    let variables = container.env.iter().flatten();
    let variables = variables.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)));
    // What the configuration sets itself comes later.
    document.variables.splice(0..0, variables);
    let mut settings = settings(document);
    settings.namespace.clone_from(namespace);
    settings.workload.clone_from(workload);
    settings.config_map = file.config_map;
    settings.last_change = map.last_change();
    settings.credentials_in_clear.extend(container.variables_in_clear());
    settings.mounts = raw.mounts(container);
    settings.readiness = (container.readiness_probe.as_ref())
        .and_then(|probe| probe.http_get.as_ref())
        .map(|get| get.path.clone());
    Ok(settings)
}

/// The file that it is started with. `Err` is why that is not known.
fn path(raw: &Raw, container: &Container) -> Result<String, String> {
    let arguments = raw.arguments(container);
    let names_it = |flag: &str| flag == "--config" || flag == "--c";
    let named = flags::given(&arguments, Syntax::OneDash).find(|given| given.flag.as_deref().is_none_or(names_it));
    match named {
        None => Ok(DEFAULT_FILE.to_owned()),
        Some(given) => match given.unread {
            None => Ok(given.value.to_owned()),
            Some(why) => Err(format!("which file it is started with is not known: {why}")),
        },
    }
}

/// Reads a file and what it includes, each once.
fn document(map: &ConfigMap, main: &str) -> Result<Document, String> {
    let mut read: Vec<String> = Vec::new();
    let mut open = vec![main.to_owned()];
    let mut whole = Document::default();
    while let Some(key) = open.pop() {
        if read.contains(&key) {
            continue;
        }
        let Some(text) = map.get(&key).filter(|_| read.len() < FILES) else {
            whole.unread.push(key);
            continue;
        };
        let is_yaml = [".yaml", ".yml"].iter().any(|end| key.ends_with(end));
        let mut part = if is_yaml {
            yaml::parse(text).map_err(|()| format!("{key} is no YAML"))?
        } else {
            classic::parse(text)
        };
        read.push(key);
        for include in part.includes.drain(..) {
            let name = include.rsplit('/').next().unwrap_or_default();
            let matching: Vec<&str> = map.keys().filter(|key| document::matches(name, key)).collect();
            if matching.is_empty() {
                whole.unread.push(include);
            }
            open.extend(matching.into_iter().map(ToOwned::to_owned));
        }
        whole.sections.append(&mut part.sections);
        whole.variables.append(&mut part.variables);
    }
    whole.unread.sort_unstable();
    Ok(whole)
}

/// Keeps what evidence may hold.
fn settings(mut document: Document) -> FluentBitSettings {
    let mut settings = FluentBitSettings {
        unread: std::mem::take(&mut document.unread),
        ..FluentBitSettings::default()
    };
    for (name, value) in &document.variables {
        if credentials::is_in_clear(name, value) {
            settings.credentials_in_clear.push(format!("variable {name}"));
        }
    }
    let sections = std::mem::take(&mut document.sections);
    for mut section in sections {
        section.fill_in(&document.variables);
        let place = match section.kind {
            Kind::Service => "service".to_owned(),
            Kind::Input => format!("input {}", section.name()),
            Kind::Filter => format!("filter {}", section.name()),
            Kind::Output => format!("output {}", section.name()),
        };
        let clear = (section.entries.iter()).filter(|(key, value)| credentials::is_in_clear(key, value));
        let clear = clear.map(|(key, _)| format!("{place}: {key}"));
        settings.credentials_in_clear.extend(clear);
        match section.kind {
            Kind::Service => settings.service.extend(section.keep(&SERVICE)),
            Kind::Input => settings.inputs.push(section.plugin(&INPUT)),
            Kind::Filter => settings.filters.push(section.plugin(&FILTER)),
            Kind::Output => settings.outputs.push(section.plugin(&OUTPUT)),
        }
    }
    settings.credentials_in_clear.dedup();
    settings
}

// === impl Section ===

impl Section {
    /// The first: the plugin is made before its settings are read (v5.1.1: src/flb_config.c, `configure_plugins_type`).
    fn name(&self) -> &str {
        let mut entries = self.entries.iter();
        let name = entries.find_map(|(key, value)| (key == "name").then_some(value.as_str()));
        name.unwrap_or_default()
    }

    /// The last of a key that stands twice, as they are set one after the other (v5.1.1: src/flb_output.c,
    /// `flb_output_set_property`). With a plugin's own, as `format` is, Fluent Bit does not start (src/flb_config_map.c,
    /// `flb_config_map_properties_check`).
    fn get(&self, key: &str) -> Option<&str> {
        let mut entries = self.entries.iter().rev();
        entries.find_map(|(name, value)| (name == key).then_some(value.as_str()))
    }

    /// Fills in the variables that are known and may be evidence. What is a credential by its own name is none of it, nor is
    /// what stands in a key that may hold one.
    fn fill_in(&mut self, variables: &[(String, String)]) {
        for (key, text) in &mut self.entries {
            for (name, value) in variables.iter().rev() {
                let may_be_shown = !credentials::is_in_clear(name, value) && !credentials::is_in_clear(key, value);
                if may_be_shown {
                    *text = text.replace(&format!("${{{name}}}"), value);
                }
            }
        }
    }

    /// Its settings of these names.
    fn keep(&self, keys: &[&str]) -> BTreeMap<String, String> {
        keys.iter()
            .filter_map(|key| Some(((*key).to_owned(), self.get(key)?.to_owned())))
            .collect()
    }

    fn plugin(&self, keys: &[&str]) -> FluentBitPlugin {
        FluentBitPlugin {
            name: self.name().to_owned(),
            settings: self.keep(keys),
            labels: self.labels(),
            removes: removed::labels(self),
        }
    }

    /// Whether a content modifier does that to what is stored: to the record, and not to its metadata (v5.1.1:
    /// plugins/processor_content_modifier/cm_config.c, `set_action` and `set_context`).
    fn acts(&self, action: &str) -> bool {
        let is = |key: &str, word: &str| self.get(key).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let of_the_record = ["body", "message", "record"];
        is("action", action) && (self.get("context").is_none() || of_the_record.iter().any(|word| is("context", word)))
    }

    /// The labels that it puts on every record, of those that every record has to have.
    fn labels(&self) -> BTreeMap<String, String> {
        let adds: &[&str] = match (self.kind, self.name()) {
            (Kind::Filter, "record_modifier") => &["record"],
            (Kind::Filter, "modify") => &["add", "set"],
            _ => &[],
        };
        let mut labels = BTreeMap::new();
        for (_, value) in self.entries.iter().filter(|(key, _)| adds.contains(&key.as_str())) {
            if let Some((label, value)) = value.split_once(char::is_whitespace)
                && CLUSTER_LABELS.contains(&label)
            {
                labels.insert(label.to_owned(), value.trim().to_owned());
            }
        }
        let inserts = ["insert", "upsert"].iter().any(|action| self.acts(action));
        if let (true, "content_modifier", Some(key)) = (inserts, self.name(), self.get("key"))
            && CLUSTER_LABELS.contains(&key)
        {
            labels.insert(key.to_owned(), self.get("value").unwrap_or_default().to_owned());
        }
        labels
    }
}

#[cfg(test)]
mod tests;
