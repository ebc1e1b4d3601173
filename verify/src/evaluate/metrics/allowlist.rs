//! `--metric-labels-allowlist`, read exactly as kube-state-metrics reads it.

use crate::contract::{LabelKey, parse_version};
use crate::evidence::Workload;
use semver::Version;
use std::collections::BTreeMap;

/// The flag.
pub(super) const FLAG: &str = "--metric-labels-allowlist";
/// From this version on, `starform.io/*` is a pattern; before, it is an exact key that no pod carries.
/// Source: kube-state-metrics pull request 2873, first tag v2.20.0.
pub(in crate::evaluate) const PATTERNS_SINCE: Version = Version::new(2, 20, 0);

/// What the flag says of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::evaluate) enum PodEntries {
    /// No entry for pods: `kube_pod_labels` has no row at all.
    None,
    /// The entries, in order; a lone `*` counts only as the first.
    Keys(Vec<String>),
}

/// How a label gets onto `kube_pod_labels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::evaluate) enum Shown {
    /// By its key.
    Explicitly,
    /// By a pattern, or by `*`: so does every other key that matches, and two of them can collide.
    ByPattern,
    /// Not at all.
    Not,
    /// A pattern would match it, if the version knew patterns.
    ByPatternFrom2_20,
}

/// The flag's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::evaluate) struct AllowList(BTreeMap<String, Vec<String>>);

impl AllowList {
    /// Reads a workload's, where it is given. Each value is parsed as it comes, and the first that cannot be ends the program, though
    /// only the last one counts: it is the error, with why.
    pub(in crate::evaluate) fn of(workload: &Workload) -> Option<Result<Self, (&str, &'static str)>> {
        let values = workload.flags.get(FLAG)?.iter();
        let parsed = values.map(|value| Self::parse(value).map_err(|problem| (value.as_str(), problem)));
        parsed
            .collect::<Result<Vec<Self>, _>>()
            .map(|mut lists| lists.pop())
            .transpose()
    }

    /// Reads a value, in the order and with the slips of `LabelsAllowList.Set` (pkg/options/types.go): a resource that
    /// is listed twice keeps the last list, blanks around names are cut, anything malformed is an error at start-up.
    pub(in crate::evaluate) fn parse(value: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the form is resource=[label1,label2,…],resource2=[…]";
        let chars: Vec<char> = value.chars().collect();
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut name = String::new();
        let mut word = 0;
        let text = |from: usize, to: usize| chars[from.min(to)..to].iter().collect::<String>().trim().to_owned();
        for (i, &c) in chars.iter().enumerate() {
            let next = chars.get(i + 1).copied();
            let previous = if i > 0 { chars[i - 1] } else { c };
            match c {
                '=' => {
                    if previous == ',' || next != Some('[') {
                        return Err(MALFORMED);
                    }
                    name = text(word, i);
                    groups.insert(name.clone(), Vec::new());
                }
                '[' => {
                    if previous != '=' {
                        return Err(MALFORMED);
                    }
                }
                ']' => {
                    if next.is_some_and(|next| next != ',') {
                        return Err(MALFORMED);
                    }
                    if previous != '[' {
                        groups.entry(name.clone()).or_default().push(text(word, i));
                    }
                }
                ',' => {
                    if previous == c || next.is_none() || next == Some(']') {
                        return Err(MALFORMED);
                    }
                    if previous != ']' {
                        groups.entry(name.clone()).or_default().push(text(word, i));
                    }
                }
                _ => continue,
            }
            word = i + 1;
        }
        Ok(Self(groups))
    }

    /// The entries for pods. A group `*` holds for every resource and puts all other groups out of force
    /// (`Builder.WithAllowLabels`).
    pub(in crate::evaluate) fn pods(&self) -> PodEntries {
        let entries = self.0.get("*").or_else(|| self.0.get("pods"));
        match entries {
            Some(keys) if !keys.is_empty() => PodEntries::Keys(keys.clone()),
            _ => PodEntries::None,
        }
    }

    /// Entries with more than one `*`: from 2.20.0 on an error at start-up.
    pub(in crate::evaluate) fn over_wildcarded(&self) -> Option<&str> {
        self.0
            .values()
            .flatten()
            .find(|key| key.matches('*').count() > 1)
            .map(String::as_str)
    }
}

impl PodEntries {
    /// How `label` gets onto `kube_pod_labels` in `version`.
    pub(in crate::evaluate) fn shows(&self, label: &LabelKey, version: &Version) -> Shown {
        let Self::Keys(keys) = self else {
            return Shown::Not;
        };
        if keys.iter().any(|key| key == label.as_str()) {
            // An explicit key beside a leading `*` is shown as part of all.
            return if self.is_everything() {
                Shown::ByPattern
            } else {
                Shown::Explicitly
            };
        }
        if self.is_everything() {
            return Shown::ByPattern;
        }
        match keys.iter().any(|key| matches_pattern(key, label.as_str())) {
            true if *version >= PATTERNS_SINCE => Shown::ByPattern,
            true => Shown::ByPatternFrom2_20,
            false => Shown::Not,
        }
    }

    /// The entry by which another label of a pod can be shown that has the same column as `label`: then kube-state-metrics
    /// renames both, and the column is gone (`internal/store/utils.go`, `mapToPrometheusLabels`).
    pub(in crate::evaluate) fn hiding(&self, label: &LabelKey, version: &Version) -> Option<&str> {
        let Self::Keys(keys) = self else {
            return None;
        };
        if self.is_everything() {
            return keys.first().map(String::as_str);
        }
        let hides = |key: &&String| match key.split_once('*') {
            Some(("", "")) => false,
            Some(pattern) => *version >= PATTERNS_SINCE && matches_a_twin(pattern, label),
            None => key.as_str() != label.as_str() && LabelKey::from(key.as_str()).column() == label.column(),
        };
        keys.iter().find(hides).map(String::as_str)
    }

    /// Whether every label of every pod is shown.
    pub(in crate::evaluate) fn is_everything(&self) -> bool {
        matches!(self, Self::Keys(keys) if keys.first().is_some_and(|key| key == "*"))
    }
}

/// What of the allow-list keeps kube-state-metrics from starting, where something does.
pub(super) fn stopped_by(workload: &Workload) -> Option<String> {
    if workload.why_unread(FLAG).is_some() {
        return None;
    }
    let Ok(list) = AllowList::of(workload)? else {
        return Some(format!("its {FLAG} is malformed"));
    };
    let version = workload.version.as_deref().and_then(parse_version)?;
    let key = list.over_wildcarded().filter(|_| version >= PATTERNS_SINCE)?;
    Some(format!("{key} of its {FLAG} has more than one *"))
}

/// Whether a pattern with one `*` matches another key that has the same column as this one.
///
/// What stands before and behind the asterisk makes the beginning and the end of the column; what is between can be written
/// in several ways where it has an underscore, which may have been any separator, and where it begins a word, which may begin
/// with a capital. Before a slash there are no capitals.
fn matches_a_twin((start, end): (&str, &str), key: &LabelKey) -> bool {
    let column = |text: &str| LabelKey::from(text).column()["label_".len()..].to_owned();
    let whole = column(key.as_str());
    let Some(rest) = whole.strip_prefix(&column(start)) else {
        return false;
    };
    // A capital behind a lower-case letter begins a word.
    let begins_word = end.starts_with(|c: char| c.is_ascii_uppercase());
    let ends = [column(end), format!("_{}", column(end))];
    let ends = ends.iter().take(if begins_word { 2 } else { 1 });
    ends.filter_map(|end| rest.strip_suffix(end.as_str())).any(|between| {
        let behind_word = start.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let capital = between.starts_with(|c: char| c.is_ascii_lowercase()) && !behind_word && !end.contains('/');
        between.contains('_') || capital || !is_written(key.as_str(), start, between, end)
    })
}

/// Whether a key is what these three are together.
fn is_written(key: &str, start: &str, between: &str, end: &str) -> bool {
    let between_of_key = key.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    between_of_key == Some(between)
}

/// Whether a pattern with one `*` matches all of `key`. A lone `*` that is not the first entry matches nothing.
fn matches_pattern(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        Some(("", "")) | None => false,
        Some((start, end)) => key.len() >= start.len() + end.len() && key.starts_with(start) && key.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn shown(value: &str, version: &str) -> Shown {
        let list = AllowList::parse(value).unwrap();
        list.pods()
            .shows(&LabelKey::from("starform.io/app"), &Version::parse(version).unwrap())
    }

    #[rstest]
    #[case("starform.io/*", true)]
    #[case("*/app", true)]
    #[case("starform.io/app*", true)]
    #[case::its_ends_would_have_to_overlap("starform.io/app*p", false)]
    #[case::not_its_start("starform.com/*", false)]
    #[case::not_its_end("*/apps", false)]
    #[case::no_pattern("starform.io/app", false)]
    #[case::a_lone_asterisk("*", false)]
    fn a_pattern_matches_all_of_a_key(#[case] pattern: &str, #[case] matches: bool) {
        assert_eq!(matches_pattern(pattern, "starform.io/app"), matches);
    }

    #[rstest]
    #[case::the_separators_between("starform.io/*", "starform.io/cluster-id", true)]
    #[case::a_capital("starform.io/*", "starform.io/app", true)]
    #[case::a_separator("starform.io/cluster*", "starform.io/cluster-id", true)]
    #[case::only_the_end_of_a_word("starform.io/ap*", "starform.io/app", false)]
    #[case::the_whole_name_and_more("starform.io/app*", "starform.io/app", false)]
    #[case::the_domain("*/app", "starform.io/app", true)]
    #[case::a_part_of_the_domain("*io/app", "starform.io/app", true)]
    #[case::no_capital_in_a_domain("*.io/app", "starform.io/app", false)]
    #[case::another_end("*_id", "starform.io/cluster-id", true)]
    #[case::its_own_end("*-id", "starform.io/cluster-id", true)]
    #[case::a_twin_by_itself("starform.io/cluster_id*", "starform.io/cluster-id", true)]
    #[case::another_name("starform.io/team*", "starform.io/app", false)]
    #[case::another_domain("example.com/*", "starform.io/app", false)]
    #[case::a_capital_at_its_end("*Id", "starform.io/cluster-id", true)]
    fn a_pattern_that_shows_a_twin_hides_the_key(#[case] pattern: &str, #[case] key: &str, #[case] hides: bool) {
        let list = PodEntries::Keys(vec![key.to_owned(), pattern.to_owned()]);
        let hiding = |version: &str| {
            list.hiding(&LabelKey::from(key), &Version::parse(version).unwrap())
                .is_some()
        };
        assert_eq!(hiding("2.20.0"), hides);
        assert!(!hiding("2.19.0"), "it knows no patterns");
    }

    #[test]
    fn a_twin_that_is_named_hides_the_key_in_every_version() {
        let list = AllowList::parse("pods=[starform.io/app,starform.io/App]").unwrap();
        let version = Version::parse("2.13.0").unwrap();
        assert_eq!(
            list.pods().hiding(&LabelKey::from("starform.io/app"), &version),
            Some("starform.io/App")
        );
        let list = AllowList::parse("pods=[starform.io/app,app]").unwrap();
        assert_eq!(list.pods().hiding(&LabelKey::from("starform.io/app"), &version), None);
    }

    #[rstest]
    #[case::explicit_key("pods=[starform.io/app]", "2.13.0", Shown::Explicitly)]
    #[case::blanks_are_cut("pods=[ starform.io/app ]", "2.13.0", Shown::Explicitly)]
    #[case::other_resource("nodes=[starform.io/app]", "2.20.0", Shown::Not)]
    #[case::a_blank_between_groups_is_cut("nodes=[a], pods=[starform.io/app]", "2.20.0", Shown::Explicitly)]
    #[case::wildcard_is_first("pods=[*]", "2.13.0", Shown::ByPattern)]
    #[case::wildcard_is_not_first("pods=[a,*]", "2.20.0", Shown::Not)]
    #[case::pattern_before_2_20("pods=[starform.io/*]", "2.19.1", Shown::ByPatternFrom2_20)]
    #[case::pattern_since_2_20("pods=[starform.io/*]", "2.20.0", Shown::ByPattern)]
    #[case::pattern_is_anchored("pods=[form.io/*]", "2.20.0", Shown::Not)]
    #[case::last_group_of_a_resource_counts("pods=[starform.io/app],pods=[a]", "2.20.0", Shown::Not)]
    #[case::group_of_all_resources("*=[starform.io/app]", "2.20.0", Shown::Explicitly)]
    #[case::group_of_all_resources_rules("*=[a],pods=[starform.io/app]", "2.20.0", Shown::Not)]
    #[case::empty_group("pods=[]", "2.20.0", Shown::Not)]
    #[case::empty_value("", "2.20.0", Shown::Not)]
    fn labels_are_shown_as_kube_state_metrics_shows_them(
        #[case] value: &str,
        #[case] version: &str,
        #[case] expected: Shown,
    ) {
        assert_eq!(shown(value, version), expected);
    }

    #[rstest]
    #[case("pods=[a,]")]
    #[case("pods=[a,,b]")]
    #[case("pods=(a)")]
    #[case("pods=[a]nodes=[b]")]
    #[case(",pods=[a]")]
    #[case("pods[a]")]
    #[case("pods=[a],")]
    fn what_stops_kube_state_metrics_at_start_is_an_error(#[case] value: &str) {
        assert!(AllowList::parse(value).is_err(), "{value}");
    }

    #[test]
    fn two_wildcards_in_a_pattern_are_found() {
        let list = AllowList::parse("pods=[*form.io/*]").unwrap();
        assert_eq!(list.over_wildcarded(), Some("*form.io/*"));
    }
}
