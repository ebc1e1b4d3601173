//! What a filter takes off records, of the labels that every record has to have (Fluent Bit v5.1.1:
//! plugins/filter_modify/modify.c, plugins/filter_record_modifier/filter_modifier.c, plugins/processor_content_modifier).

use super::document::{Kind, Section};
use crate::evidence::CLUSTER_LABELS;
use regex::Regex;

/// What the keys of a filter have to do with one label.
enum Removal<'s> {
    /// This key.
    Key(&'s str),
    /// Those that begin so.
    Beginning(&'s str),
    /// Those that match.
    Matching(&'s str),
}

/// The labels that a filter takes off, or may.
pub(super) fn labels(section: &Section) -> Vec<String> {
    if section.kind != Kind::Filter {
        return Vec::new();
    }
    let removals = removals(section);
    let allowed: Vec<&str> = match section.name() {
        "record_modifier" => values(section, &["allowlist_key", "whitelist_key"]).collect(),
        _ => Vec::new(),
    };
    let is_removed = |label: &&str| {
        let is_left_out = !allowed.is_empty() && !allowed.iter().any(|key| key == label);
        is_left_out || removals.iter().any(|removal| removal.takes(label))
    };
    let labels = CLUSTER_LABELS.iter().copied().filter(is_removed);
    labels.map(ToOwned::to_owned).collect()
}

fn removals(section: &Section) -> Vec<Removal<'_>> {
    match section.name() {
        "record_modifier" => values(section, &["remove_key"]).map(Removal::Key).collect(),
        "modify" => {
            let keys = values(section, &["remove", "rename", "hard_rename"]).map(Removal::Key);
            let beginnings = values(section, &["remove_wildcard"]).map(Removal::Beginning);
            let patterns = values(section, &["remove_regex"]).map(Removal::Matching);
            keys.chain(beginnings).chain(patterns).collect()
        }
        "content_modifier" if matches!(section.get("action"), Some("delete" | "rename")) => {
            section.get("key").map(Removal::Key).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The first word of each entry of these names.
fn values<'s>(section: &'s Section, keys: &'s [&str]) -> impl Iterator<Item = &'s str> {
    let entries = section.entries.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    entries.filter_map(|(_, value)| value.split_whitespace().next())
}

// === impl Removal ===

impl Removal<'_> {
    /// A variable that was not read may be any.
    fn takes(&self, label: &str) -> bool {
        match *self {
            Self::Key(key) => key.eq_ignore_ascii_case(label) || key.contains("${"),
            Self::Beginning(key) => {
                let beginning = key.split('*').next().unwrap_or_default().to_lowercase();
                label.starts_with(&beginning) || key.contains("${")
            }
            Self::Matching(pattern) => {
                pattern.contains("${") || Regex::new(pattern).map_or(true, |regex| regex.is_match(label))
            }
        }
    }
}
