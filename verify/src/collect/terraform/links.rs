//! Which resource an attribute means: by its value, which is an ID, or before there is one by the expression that will
//! give it.

mod written;

use super::document::{Configuration, ConfigurationModule, Document, Resource};
use crate::evidence::Link;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of IDs and expressions.
pub(super) struct Links<'a> {
    /// Addresses by type-less ID; droplets' IDs are numbers, the others' UUIDs.
    by_id: BTreeMap<String, &'a str>,
    addresses: BTreeSet<&'a str>,
    /// Those of them that have an ID.
    made: BTreeSet<&'a str>,
    /// The data sources that were read.
    read: BTreeSet<&'a str>,
    /// What the expression of an attribute refers to, by address without indexes and attribute.
    expressions: BTreeMap<(String, String), Vec<String>>,
    /// The expressions of a firewall's rules that are written one by one, by address without indexes, with the place of its
    /// module.
    rules: BTreeMap<String, (String, &'a Value)>,
}

impl<'a> Links<'a> {
    pub(super) fn new(document: &'a Document, resources: &[&'a Resource]) -> Self {
        let mut expressions = BTreeMap::new();
        let mut rules = BTreeMap::new();
        if let Some(Configuration { root_module, .. }) = &document.configuration {
            collect("", root_module, &mut expressions, &mut rules);
        }
        let ids = resources.iter().filter(|resource| resource.mode == Resource::MANAGED);
        let with_id = |resource: &&&'a Resource| resource.values.get("id").and_then(id).is_some();
        let prior = document.prior().unwrap_or_default().into_iter();
        let read = prior.filter(|resource| resource.mode != Resource::MANAGED);
        Self {
            made: ids
                .clone()
                .filter(with_id)
                .map(|resource| resource.address.as_str())
                .collect(),
            read: read.map(|resource| resource.address.as_str()).collect(),
            by_id: ids
                .filter_map(|resource| Some((id(resource.values.get("id")?)?, resource.address.as_str())))
                .collect(),
            addresses: resources.iter().map(|resource| resource.address.as_str()).collect(),
            expressions,
            rules,
        }
    }

    /// What an attribute that holds one ID means.
    pub(super) fn one(&self, resource: &Resource, attribute: &str) -> Link {
        match resource.values.get(attribute) {
            Some(Value::Null) => Link::Nothing,
            Some(value) => self.by_value(value),
            None => self.by_reference(resource, attribute),
        }
    }

    /// The VPC of a droplet. DigitalOcean puts one that names none into the region's default VPC.
    pub(super) fn vpc(&self, resource: &Resource) -> Link {
        const ATTRIBUTE: &str = "vpc_uuid";
        let address = without_indexes(&resource.address);
        let is_written = self.expressions.keys().any(|(of, _)| *of == address);
        let references = self.expressions.get(&(address, ATTRIBUTE.to_owned()));
        let names_none = is_written && references.is_none_or(Vec::is_empty);
        if !resource.values.contains_key(ATTRIBUTE) && names_none {
            return Link::Nothing;
        }
        self.one(resource, ATTRIBUTE)
    }

    /// What an attribute that holds a list of IDs means.
    pub(super) fn all(&self, resource: &Resource, attribute: &str) -> Vec<Link> {
        match resource.values.get(attribute) {
            Some(Value::Array(values)) => values.iter().map(|value| self.by_value(value)).collect(),
            Some(_) => Vec::new(),
            None => self.by_expression(resource, attribute),
        }
    }

    /// What an attribute of a firewall's rule means that is not known yet: by the expressions of the rules with that protocol
    /// and port. `None` where they do not tell all of it: a rule that is made by `dynamic` has none.
    pub(super) fn of_a_rule(
        &self,
        resource: &Resource,
        attribute: &str,
        (protocol, ports): (&str, &str),
        rules: usize,
    ) -> Option<Vec<Link>> {
        let (place, written) = self.rules.get(&without_indexes(&resource.address))?;
        let is = |rule: &Value, key: &str, text: &str| rule[key]["constant_value"].as_str() == Some(text);
        let such: Vec<&Value> = (written.as_array()?.iter())
            .filter(|rule| is(rule, "protocol", protocol) && is(rule, "port_range", ports))
            .collect();
        if such.len() != rules {
            return None;
        }
        let mut found = Vec::new();
        for rule in such {
            for reference in references(&rule[attribute]) {
                // `type.name.id` is told beside `type.name`.
                let named = reference.strip_suffix(".id").unwrap_or(reference);
                found.push(self.instance(resource, &format!("{place}{named}"))?);
            }
        }
        found.sort();
        found.dedup();
        (!found.is_empty()).then_some(found)
    }

    pub(super) fn by_value(&self, value: &Value) -> Link {
        match id(value) {
            None => Link::NotKnown,
            Some(id) => match self.by_id.get(&id) {
                Some(address) => Link::Resource((*address).to_owned()),
                None => Link::Elsewhere(id),
            },
        }
    }

    fn by_expression(&self, resource: &Resource, attribute: &str) -> Vec<Link> {
        let key = (without_indexes(&resource.address), attribute.to_owned());
        let references = self.expressions.get(&key).into_iter().flatten();
        references
            .filter_map(|reference| self.instance(resource, reference))
            .collect()
    }

    /// The resource that a reference means.
    fn instance(&self, resource: &Resource, reference: &str) -> Option<Link> {
        // An expression has no indexes: of several instances the one in the same module is meant.
        let shared = |address: &str| {
            let pairs = address.bytes().zip(resource.address.bytes());
            pairs.take_while(|(one, other)| one == other).count()
        };
        let instances =
            (self.addresses.iter()).filter(|address| without_indexes(address) == without_indexes(reference));
        let address = instances.max_by_key(|address| shared(address))?;
        Some(Link::Resource((*address).to_owned()))
    }
}

/// The references of every expression, with the module's place before them.
fn collect<'a>(
    place: &str,
    module: &'a ConfigurationModule,
    into: &mut BTreeMap<(String, String), Vec<String>>,
    rules: &mut BTreeMap<String, (String, &'a Value)>,
) {
    for resource in &module.resources {
        for (attribute, expression) in &resource.expressions {
            let found = references(expression).map(|reference| format!("{place}{reference}"));
            into.insert(
                (format!("{place}{}", resource.address), attribute.clone()),
                found.collect(),
            );
            if attribute == "inbound_rule" {
                rules.insert(format!("{place}{}", resource.address), (place.to_owned(), expression));
            }
        }
    }
    for (name, call) in &module.module_calls {
        for (argument, expression) in &call.expressions {
            let found = references(expression).map(|reference| format!("{place}{reference}"));
            into.insert((format!("{place}module.{name}"), argument.clone()), found.collect());
        }
        collect(&format!("{place}module.{name}."), &call.module, into, rules);
    }
}

/// Every reference in an expression, however deep.
pub(super) fn references(expression: &Value) -> impl Iterator<Item = &str> {
    let mut open = vec![expression];
    let mut found = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    match value {
                        Value::Array(names) if key == "references" => {
                            found.extend(names.iter().filter_map(Value::as_str));
                        }
                        other => open.push(other),
                    }
                }
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found.into_iter()
}

/// An ID as text: droplets' are numbers in some places and texts in others.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `module.region["fra1"].digitalocean_droplet.clickhouse[0]` as the configuration has it.
pub(super) fn without_indexes(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    let mut quoted = false;
    let mut depth = 0usize;
    for c in address.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}
