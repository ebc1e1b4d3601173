//! A firewall: before which droplets it stands, and whom it lets in.

use super::When;
use super::document::{Document, Resource};
use super::links::Links;
use crate::evidence::{Firewall, InboundRule, Link, RuleSource};
use serde_json::Value;

const RULES: &str = "inbound_rule";
const ADDRESSES: &str = "source_addresses";
const DROPLETS: &str = "source_droplet_ids";

/// How a plan says that nothing of a value is known.
static ALL: Value = Value::Bool(true);

/// Makes a source of what an attribute names.
type MakeSource = fn(String) -> RuleSource;

/// What else than addresses and droplets a rule may let in, by attribute.
const OTHERS: [(&str, MakeSource); 3] = [
    ("source_tags", RuleSource::Tag),
    ("source_load_balancer_uids", RuleSource::LoadBalancer),
    ("source_kubernetes_ids", RuleSource::Cluster),
];

pub(super) fn read(document: &Document, resource: &Resource, links: &Links<'_>, when: When) -> Firewall {
    let unknown = match when {
        When::Now => &Value::Null,
        When::Planned => document.unknown(resource),
    };
    let mut droplets = links.all(resource, "droplet_ids");
    if droplets.is_empty() && holds_true(&unknown["droplet_ids"]) {
        droplets.push(Link::NotKnown);
    }
    let mut tags = texts(resource.values.get("tags"), RuleSource::Tag);
    if holds_true(&unknown["tags"]) {
        tags.push(RuleSource::NotKnown("tags".to_owned()));
    }
    let rules = resource.values.get(RULES).and_then(Value::as_array);
    // Their entries tell of each rule what is not known of it; `true` in place of them, that rules are not known.
    let rules_known = rules.is_some() && unknown[RULES] != ALL;
    let rules: &[Value] = rules.map_or(&[], Vec::as_slice);
    let inbound = (rules.iter().enumerate()).map(|(at, rule)| {
        let unknown = match &unknown[RULES] {
            // A plan has an entry for each rule, in their order.
            Value::Array(entries) if entries.len() == rules.len() => &entries[at],
            Value::Array(_) => &ALL,
            all => all,
        };
        // What is not known before the plan is applied is left out of a plan's values.
        let is_known = |attribute: &str| {
            let left_out = when == When::Planned && rule.get(attribute).is_none();
            !left_out && *unknown != ALL && !holds_true(&unknown[attribute])
        };
        let same = rules.iter().filter(|other| place(other) == place(rule)).count();
        let mut others = Vec::new();
        if is_known(DROPLETS) {
            let ids = rule[DROPLETS].as_array().into_iter().flatten();
            others.extend(ids.map(|id| RuleSource::Droplet(links.by_value(id))));
        } else if let Some(droplets) = links.of_a_rule(resource, DROPLETS, place(rule), same) {
            others.extend(droplets.into_iter().map(RuleSource::Droplet));
        } else {
            others.push(RuleSource::NotKnown(DROPLETS.to_owned()));
        }
        for (attribute, source) in OTHERS {
            others.extend(texts(rule.get(attribute), source));
            if !is_known(attribute) {
                others.push(RuleSource::NotKnown(attribute.to_owned()));
            }
        }
        let addresses = rule[ADDRESSES].as_array().into_iter().flatten();
        if !is_known(ADDRESSES) || addresses.clone().any(|address| !address.is_string()) {
            others.push(RuleSource::NotKnown(ADDRESSES.to_owned()));
        }
        let (protocol, ports) = place(rule);
        InboundRule {
            protocol: protocol.to_owned(),
            ports: ports.to_owned(),
            addresses: addresses.filter_map(|one| Some(one.as_str()?.to_owned())).collect(),
            others: Some(others),
        }
    });
    Firewall {
        address: resource.address.clone(),
        inbound: inbound.collect(),
        droplets,
        tags,
        rules_known,
    }
}

/// What a rule opens: protocol and ports.
fn place(rule: &Value) -> (&str, &str) {
    let text = |key: &str| rule[key].as_str().unwrap_or_default();
    (text("protocol"), text("port_range"))
}

fn texts(value: Option<&Value>, source: fn(String) -> RuleSource) -> Vec<RuleSource> {
    let texts = value.and_then(Value::as_array).into_iter().flatten();
    texts
        .filter_map(|text| Some(source(text.as_str()?.to_owned())))
        .collect()
}

/// Whether `true` stands anywhere in it.
pub(super) fn holds_true(value: &Value) -> bool {
    match value {
        Value::Bool(is) => *is,
        Value::Array(values) => values.iter().any(holds_true),
        Value::Object(fields) => fields.values().any(holds_true),
        _ => false,
    }
}
