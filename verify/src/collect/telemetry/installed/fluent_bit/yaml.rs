//! The form in YAML.
//! Source: <https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml/configuration-file>.

use super::document::{Document, Kind, Section};
use serde_json::{Map, Value};
use serde_saphyr::options::DuplicateKeyPolicy;

/// Reads a file.
///
/// # Errors
/// Where it is no YAML. What exactly is wrong with it may quote it, and is not told.
pub(super) fn parse(text: &str) -> Result<Document, ()> {
    // Of a key that stands twice the last counts there too: both are set, in this order.
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    let value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|_| ())?;
    let mut document = Document::default();
    let Value::Object(file) = value else {
        return Ok(document);
    };
    if let Some(Value::Array(includes)) = file.get("includes") {
        let includes = includes.iter().filter_map(Value::as_str);
        document.includes.extend(includes.map(ToOwned::to_owned));
    }
    if let Some(Value::Object(variables)) = file.get("env") {
        let variables = variables.iter().map(|(name, value)| (name.clone(), scalar(value)));
        document.variables.extend(variables);
    }
    if let Some(Value::Object(service)) = file.get("service") {
        document.sections.push(section(Kind::Service, service));
    }
    if let Some(Value::Object(pipeline)) = file.get("pipeline") {
        for (name, plugins) in pipeline {
            let (Some(kind), Value::Array(plugins)) = (Kind::of(name), plugins) else {
                continue;
            };
            for plugin in plugins.iter().filter_map(Value::as_object) {
                document.sections.push(section(kind, plugin));
                document.sections.extend(processors(kind, plugin));
            }
        }
    }
    Ok(document)
}

/// The processors of a plugin act as filters on what passes it: on the records of an input's tag, or of an output's match.
fn processors(kind: Kind, plugin: &Map<String, Value>) -> Vec<Section> {
    let scope = if kind == Kind::Input { "tag" } else { "match" };
    let named = plugin.iter().find(|(key, _)| key.eq_ignore_ascii_case(scope));
    let scope = match (kind, named) {
        (_, Some((_, scope))) => scalar(scope),
        // Without a tag it is the plugin's name and its number.
        (Kind::Input, None) => format!("{}.*", plugin.get("name").map(scalar).unwrap_or_default()),
        (_, None) => String::new(),
    };
    let logs = plugin.get("processors").and_then(|processors| processors.get("logs"));
    let logs = logs.and_then(Value::as_array).into_iter().flatten();
    logs.filter_map(Value::as_object)
        .map(|processor| {
            let mut section = section(Kind::Filter, processor);
            section.entries.push(("match".to_owned(), scope.clone()));
            section
        })
        .collect()
}

fn section(kind: Kind, fields: &Map<String, Value>) -> Section {
    let mut entries = Vec::new();
    for (key, value) in fields {
        let key = setting_name(key);
        match value {
            Value::Array(values) => entries.extend(values.iter().map(|value| (key.clone(), scalar(value)))),
            // Of what it is made is not read; that there is one says that it acts on some records only.
            Value::Object(_) if key == "condition" => entries.push((key, "{}".to_owned())),
            Value::Object(_) => {}
            value => entries.push((key, scalar(value))),
        }
    }
    Section { kind, entries }
}

/// A key as Fluent Bit takes it: `retryLimit` is `retry_limit` (v5.1.1: src/config_format/flb_config_format.c,
/// `flb_cf_key_translate`).
fn setting_name(key: &str) -> String {
    let is_camel_case = key.starts_with(|first: char| first.is_ascii_lowercase()) && !key.contains('_');
    let mut name = String::new();
    for letter in key.chars() {
        if is_camel_case && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
