//! What a filter takes off records, of the labels that every record has to have (Fluent Bit v5.1.1:
//! plugins/filter_modify/modify.c, plugins/filter_record_modifier/filter_modifier.c, plugins/filter_checklist/checklist.c,
//! plugins/processor_content_modifier/cm_logs.c), or puts something else in place of.

use super::document::{Kind, Section};
use crate::evidence::CLUSTER_LABELS;
use regex::Regex;

/// What the keys of a filter have to do with one label.
enum Removal<'s> {
    /// This key.
    Key(&'s str),
    /// This key in any case, or all that begin so where it ends with `*`.
    KeyOrBeginning(&'s str),
    /// Those that begin so; a `*` is one.
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
    // Where keys are named to be removed, those to be kept are not looked at (`make_bool_map`).
    let allowed: Vec<Removal<'_>> = match section.name() {
        "record_modifier" if removals.is_empty() => values(section, &["allowlist_key", "whitelist_key"])
            .map(Removal::KeyOrBeginning)
            .collect(),
        _ => Vec::new(),
    };
    // A variable that was not read may be any: then it may be left out.
    let is_kept = |label: &str| (allowed.iter()).any(|one| one.takes(label) && !one.is_unread());
    let is_removed = |label: &&str| {
        let is_left_out = !allowed.is_empty() && !is_kept(label);
        is_left_out || removals.iter().any(|removal| removal.takes(label))
    };
    let labels = CLUSTER_LABELS.iter().copied().filter(is_removed);
    labels.map(ToOwned::to_owned).collect()
}

fn removals(section: &Section) -> Vec<Removal<'_>> {
    match section.name() {
        "record_modifier" => values(section, &["remove_key"]).map(Removal::KeyOrBeginning).collect(),
        "modify" => {
            let keys = values(section, &["remove", "rename", "hard_rename"]).map(Removal::Key);
            let beginnings = values(section, &["remove_wildcard"]).map(Removal::Beginning);
            let patterns = values(section, &["remove_regex"]).map(Removal::Matching);
            // These put another's value in place of what stands there.
            let replaced = second_values(section, &["hard_rename", "hard_copy"]).map(Removal::Key);
            keys.chain(beginnings).chain(patterns).chain(replaced).collect()
        }
        "checklist" => values(section, &["record"]).map(Removal::Key).collect(),
        "content_modifier"
            if ["delete", "rename", "hash", "convert"]
                .iter()
                .any(|action| section.acts(action)) =>
        {
            section.get("key").map(Removal::Key).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The second word of each entry of these names.
fn second_values<'s>(section: &'s Section, keys: &'s [&str]) -> impl Iterator<Item = &'s str> {
    let entries = section.entries.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    entries.filter_map(|(_, value)| value.split_whitespace().nth(1))
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
        if self.is_unread() {
            return true;
        }
        match *self {
            Self::Key(key) => key == label,
            Self::KeyOrBeginning(key) => match key.strip_suffix('*') {
                Some(beginning) => label.starts_with(&beginning.to_lowercase()),
                None => key.eq_ignore_ascii_case(label),
            },
            Self::Beginning(key) => label.starts_with(key),
            Self::Matching(pattern) => Regex::new(pattern).map_or(true, |regex| regex.is_match(label)),
        }
    }

    fn is_unread(&self) -> bool {
        let (Self::Key(key) | Self::KeyOrBeginning(key) | Self::Beginning(key) | Self::Matching(key)) = *self;
        key.contains("${")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_key("record_modifier", &[("remove_key", "Cluster")], &["cluster"])]
    #[case::those_that_begin_so("record_modifier", &[("remove_key", "clu*")], &["cluster"])]
    #[case::all("record_modifier", &[("remove_key", "*")], &["cluster", "region"])]
    #[case::all_but_these("record_modifier", &[("allowlist_key", "log")], &["cluster", "region"])]
    #[case::all_but_those_that_begin_so("record_modifier", &[("allowlist_key", "reg*"), ("whitelist_key", "cluster")], &[])]
    #[case::kept_by_a_variable("record_modifier", &[("allowlist_key", "${KEPT}")], &["cluster", "region"])]
    #[case::removed_before_kept("record_modifier", &[("remove_key", "log"), ("allowlist_key", "log")], &[])]
    #[case::by_its_case("modify", &[("remove", "Cluster")], &[])]
    #[case::by_its_name("modify", &[("remove", "cluster")], &["cluster"])]
    #[case::a_beginning("modify", &[("remove_wildcard", "reg")], &["region"])]
    #[case::no_asterisk("modify", &[("remove_wildcard", "reg*")], &[])]
    #[case::renamed("modify", &[("rename", "region zone")], &["region"])]
    #[case::replaced("modify", &[("hard_copy", "zone region")], &["region"])]
    #[case::not_replaced("modify", &[("copy", "zone region")], &[])]
    #[case::listed("checklist", &[("record", "cluster known")], &["cluster"])]
    #[case::deleted("content_modifier", &[("action", "Delete"), ("key", "cluster")], &["cluster"])]
    #[case::hashed("content_modifier", &[("action", "hash"), ("key", "cluster")], &["cluster"])]
    #[case::of_the_metadata("content_modifier", &[("action", "delete"), ("key", "cluster"), ("context", "metadata")], &[])]
    fn what_a_filter_takes_off(#[case] name: &str, #[case] entries: &[(&str, &str)], #[case] removed: &[&str]) {
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let section = Section {
            kind: Kind::Filter,
            entries: [("name", name)].iter().chain(entries).map(entry).collect(),
        };
        let mut expected = removed.to_vec();
        expected.sort_by_key(|label| CLUSTER_LABELS.iter().position(|own| own == label));
        assert_eq!(labels(&section), expected);
    }
}
