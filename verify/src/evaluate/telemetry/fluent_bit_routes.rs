//! Which of Fluent Bit's filters and outputs see the records of which inputs: what they match are tags.

use crate::evidence::{FluentBitPlugin, FluentBitSettings};
use regex::Regex;

/// The inputs that make metrics, no log records (Fluent Bit v5.1.1: plugins/in_*, those that call `flb_input_metrics_append` and not
/// `flb_input_log_append`; by the name that each registers, which of in_nginx_exporter_metrics is another). `statsd` makes metrics
/// only where it is told to.
const METRICS_INPUTS: [&str; 10] = [
    "fluentbit_metrics",
    "gpu_metrics",
    "nginx_metrics",
    "node_exporter_metrics",
    "podman_metrics",
    "process_exporter_metrics",
    "prometheus_remote_write",
    "prometheus_scrape",
    "prometheus_textfile",
    "windows_exporter_metrics",
];
/// The outputs that take metrics only (v5.1.1: plugins/out_prometheus_*, `FLB_OUTPUT_METRICS`); the first listens.
const METRICS_OUTPUTS: [&str; 2] = ["prometheus_exporter", "prometheus_remote_write"];
/// The outputs from which nothing goes anywhere.
const NOWHERE: [&str; 5] = ["counter", "exit", "flowcounter", "null", "stdout"];
/// The filters that put nothing of their own at the top of a record, but for what is read of them.
const HARMLESS: [&str; 10] = [
    "alter_size",
    "expect",
    "grep",
    "kubernetes",
    "log_to_metrics",
    "modify",
    "multiline",
    "record_modifier",
    "stdout",
    "throttle",
];

/// The filters that keep the tag of a record. One of another name may give it another, as `rewrite_tag` does (v5.1.1: of
/// plugins/filter_* those that add records anew by an emitter are rewrite_tag, multiline, which gives them the tag that they had, and
/// log_to_metrics, which gives its metrics one; a processor cannot).
const KEEP_THE_TAG: [&str; 17] = [
    "aws",
    "checklist",
    "content_modifier",
    "ecs",
    "geoip2",
    "lua",
    "nest",
    "nightfall",
    "opentelemetry_envelope",
    "parser",
    "sampling",
    "sql",
    "sysinfo",
    "tensorflow",
    "throttle_size",
    "type_converter",
    "wasm",
];
/// The filters that leave what a record has, whatever else they do (v5.1.1: cb_filter of each in plugins/filter_*): checklist,
/// whose own keys go before those of the record, is read as far as it names them, type_converter and the others add, nightfall
/// blots out parts of values. Of the others that are known what they take off is read; `parser`, `nest`, `lua`, `wasm`, `tensorflow`
/// and `sql` may leave nothing.
const KEEP_LABELS: [&str; 9] = [
    "aws",
    "checklist",
    "ecs",
    "geoip2",
    "nightfall",
    "rewrite_tag",
    "sysinfo",
    "throttle_size",
    "type_converter",
];
/// The inputs whose records have the tag that the path of a request gives them, whatever tag they have themselves: http always
/// (v5.1.1: plugins/in_http/http_prot.c, `http_prot_handle_ng`), opentelemetry unless it is told otherwise (v4.0.0:
/// plugins/in_opentelemetry/opentelemetry_prot.c; v5.1.1 takes its own tag where it has one).
const TAGGED_BY_PATH: [&str; 2] = ["http", "opentelemetry"];
/// Those whose records have a tag that is in them, where `tag_key` names it, else their own (v5.1.1: `tag_key` in
/// plugins/in_elasticsearch/in_elasticsearch_bulk_prot.c, plugins/in_splunk/splunk_prot.c), which has to be given: without one,
/// v4.0.0 takes the path. Of no other input has a sender the tag (v5.1.1: the callers of `flb_input_log_append` in plugins/in_*).
const TAGGED_BY_KEY: [&str; 2] = ["elasticsearch", "splunk"];

/// The inputs whose records are logs.
pub(super) fn log_inputs(settings: &FluentBitSettings) -> impl Iterator<Item = &FluentBitPlugin> {
    let inputs = settings.inputs.iter();
    inputs.filter(|input| !METRICS_INPUTS.contains(&input.name.as_str()))
}

/// The outputs that send logs: none that listens, that takes metrics, or that no input's logs reach. Once a filter gives
/// records other tags, they may reach any.
pub(super) fn log_outputs(settings: &FluentBitSettings) -> impl Iterator<Item = &FluentBitPlugin> {
    let any_tag = settings.filters.iter().any(may_change_tags);
    let sends = move |output: &FluentBitPlugin| {
        let name = output.name.as_str();
        let mut inputs = log_inputs(settings).peekable();
        let reached = any_tag || inputs.peek().is_none() || inputs.any(|input| covers(output, input) != Some(false));
        reached && !METRICS_OUTPUTS.contains(&name) && !NOWHERE.contains(&name)
    };
    settings.outputs.iter().filter(move |output| sends(output))
}

/// Whether what a filter does is not known: it is a program of its own, a plugin that nobody here knows, or acts on some
/// records only.
pub(super) fn is_opaque(filter: &FluentBitPlugin) -> bool {
    let is_known = HARMLESS.contains(&filter.name.as_str()) || filter.name == "content_modifier";
    !is_known || setting(filter, "condition").is_some()
}

/// Whether a filter leaves the labels of a record alone, but for those that it is read to take off.
pub(super) fn keeps_labels(filter: &FluentBitPlugin) -> bool {
    let name = filter.name.as_str();
    HARMLESS.contains(&name) || name == "content_modifier" || KEEP_LABELS.contains(&name)
}

/// Whether records may have another tag after a filter.
pub(super) fn may_change_tags(filter: &FluentBitPlugin) -> bool {
    let name = filter.name.as_str();
    !HARMLESS.contains(&name) && !KEEP_THE_TAG.contains(&name)
}

/// Whether a filter or an output sees every record of an input; `None` where that is not known.
pub(super) fn covers(plugin: &FluentBitPlugin, input: &FluentBitPlugin) -> Option<bool> {
    sees(plugin, &Tag::of(input))
}

/// Whether a filter or an output sees every record, whatever its tag is.
pub(super) fn covers_any_tag(plugin: &FluentBitPlugin) -> bool {
    sees(plugin, &Tag::any()) == Some(true)
}

fn sees(plugin: &FluentBitPlugin, tag: &Tag) -> Option<bool> {
    match (setting(plugin, "match_regex"), setting(plugin, "match")) {
        (Some(regex), pattern) => {
            // One of both is enough (src/flb_router.c, `flb_router_match`).
            let by_pattern = pattern.map(|pattern| tag.matched_by(pattern));
            match (tag.matched_by_regex(regex), by_pattern) {
                (Some(true), _) | (_, Some(Some(true))) => Some(true),
                (Some(false), None | Some(Some(false))) => Some(false),
                _ => None,
            }
        }
        (None, Some(pattern)) => tag.matched_by(pattern),
        (None, None) => Some(false),
    }
}

pub(super) fn setting<'s>(plugin: &'s FluentBitPlugin, key: &str) -> Option<&'s str> {
    plugin.settings.get(key).map(String::as_str)
}

/// What Fluent Bit takes for false (`flb_utils_bool`).
pub(super) fn is_off(value: &str) -> bool {
    !matches!(value.to_lowercase().as_str(), "on" | "true" | "yes")
}

/// The tags of an input's records.
struct Tag {
    /// What each of them begins with.
    begins: String,
    /// Whether they go on.
    is_open: bool,
}

// === impl Tag ===

impl Tag {
    /// One that nothing is known of.
    fn any() -> Self {
        Self {
            begins: String::new(),
            is_open: true,
        }
    }

    /// `*` in the tag of a tail is the path of a file (src v5.1.1: plugins/in_tail/tail_file.c, `tag_compose`), and of systemd
    /// the name of a unit; `<name>` is a part of it. Without a tag it is the plugin's name and its number.
    fn of(input: &FluentBitPlugin) -> Self {
        let name = input.name.as_str();
        let is_untagged = setting(input, "tag").is_none_or(str::is_empty);
        // A prefix goes before the sender's tag, and that is taken where the input has none (v5.1.1: plugins/in_forward/fw_prot.c,
        // `fw_prot_process`).
        if let ("forward", Some(prefix)) = (name, setting(input, "tag_prefix").filter(|prefix| !prefix.is_empty())) {
            let end = prefix.find('$').unwrap_or(prefix.len());
            return Self {
                begins: prefix[..end].to_owned(),
                is_open: true,
            };
        }
        let by_path = TAGGED_BY_PATH.contains(&name)
            && !(name == "opentelemetry" && setting(input, "tag_from_uri").is_some_and(is_off));
        let by_key = TAGGED_BY_KEY.contains(&name) && (is_untagged || setting(input, "tag_key").is_some());
        if by_path || by_key || (name == "forward" && is_untagged) {
            return Self::any();
        }
        let Some(tag) = setting(input, "tag").filter(|tag| !tag.is_empty()) else {
            return Self {
                begins: format!("{}.", input.name),
                is_open: true,
            };
        };
        let Some(end) = tag.find(['*', '<', '$']) else {
            return Self {
                begins: tag.to_owned(),
                is_open: false,
            };
        };
        let mut begins = tag[..end].to_owned();
        let path = setting(input, "path").unwrap_or_default();
        if input.name == "tail" && tag[end..].starts_with('*') && !path.contains([',', '$']) {
            let known = path.split(['*', '?', '[']).next().unwrap_or_default();
            begins.push_str(&known.trim_start_matches('/').replace('/', "."));
        }
        Self { begins, is_open: true }
    }

    fn matched_by(&self, pattern: &str) -> Option<bool> {
        if pattern.contains('$') {
            return None;
        }
        if !self.is_open {
            return Some(matches(pattern, &self.begins));
        }
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, "none"));
        if self.begins.starts_with(before) && after.is_empty() {
            return Some(true);
        }
        // What they go on with may match, or not.
        let may_match = self.begins.starts_with(before) || before.starts_with(&self.begins);
        if may_match { None } else { Some(false) }
    }

    /// Ruby's syntax (src v5.1.1: src/flb_regex.c, `ONIG_SYNTAX_RUBY`); what is not the same here is not known.
    fn matched_by_regex(&self, pattern: &str) -> Option<bool> {
        let pattern = pattern.trim_start_matches("\\A");
        if pattern.contains('$') && pattern.contains('{') {
            return None;
        }
        if !self.is_open {
            return Some(Regex::new(pattern).ok()?.is_match(&self.begins));
        }
        // What is found in their beginning is found in all of them, unless it looks at what follows.
        let loose = [".*$", ".+$", ".*"];
        let pattern = loose
            .iter()
            .find_map(|end| pattern.strip_suffix(end))
            .unwrap_or(pattern);
        let looks_on =
            pattern.contains("\\b") || pattern.contains("\\B") || pattern.contains("\\z") || pattern.ends_with('$');
        let found = Regex::new(pattern).ok()?.is_match(&self.begins);
        if found && !looks_on {
            return Some(true);
        }
        // A beginning that is spelled out differs from theirs, or not.
        let rest = pattern.strip_prefix('^')?;
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        // The last character may be one that is repeated.
        let spelled = &rest[..end.saturating_sub(1)];
        let agrees = self.begins.starts_with(spelled) || spelled.starts_with(&self.begins);
        if agrees || rest.contains('|') {
            None
        } else {
            Some(false)
        }
    }
}

/// Whether a tag matches a pattern in which `*` stands for anything.
fn matches(pattern: &str, tag: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == tag,
        Some((before, after)) => {
            let Some(rest) = tag.strip_prefix(before) else {
                return false;
            };
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| matches(after, &rest[at..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn plugin(name: &str, settings: &[(&str, &str)]) -> FluentBitPlugin {
        let settings = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        FluentBitPlugin {
            name: name.to_owned(),
            settings: settings.collect(),
            ..FluentBitPlugin::default()
        }
    }

    #[rstest]
    #[case("*", "kube.*", Some(true))]
    #[case("kube.*", "kube.*", Some(true))]
    #[case("kube.var.*", "kube.*", None)]
    #[case("host.*", "kube.*", Some(false))]
    #[case("kube.*", "kube.a", Some(true))]
    #[case("kube.a", "kube.a", Some(true))]
    #[case("kube.a", "kube.ab", Some(false))]
    #[case("kube.*.log", "kube.*", None)]
    #[case("kube.*.log", "kube.a.log", Some(true))]
    #[case("kube.*", "kube.<namespace>", Some(true))]
    #[case("${WHICH}", "kube.*", None)]
    fn a_filter_covers_an_input(#[case] pattern: &str, #[case] tag: &str, #[case] expected: Option<bool>) {
        let (filter, input) = (plugin("modify", &[("match", pattern)]), plugin("tail", &[("tag", tag)]));
        assert_eq!(covers(&filter, &input), expected);
    }

    #[rstest]
    #[case::all(".*", "kube.*", Some(true))]
    #[case::one_of_two(r"^(kube|host)\..*", "kube.*", Some(true))]
    #[case::its_beginning(r"^kube\.", "kube.*", Some(true))]
    #[case::another_s(r"^hosts\..*$", "kube.*", Some(false))]
    #[case::one_of_two_others(r"^(app|host)\..*", "kube.*", None)]
    #[case::some_of_them(r"_shop_", "kube.*", None)]
    #[case::an_end(r"^kube\.$", "kube.*", None)]
    #[case::all_but_some(r"^kube\.(?!var)", "kube.*", None)]
    #[case::a_whole_tag(r"^app\.\w+$", "app.web", Some(true))]
    #[case::another_whole_tag(r"^app\.\w+$", "app.web-1", Some(false))]
    #[case::nothing_that_can_be_read("(kube", "kube.*", None)]
    fn a_filter_covers_an_input_by_a_regular_expression(
        #[case] regex: &str,
        #[case] tag: &str,
        #[case] expected: Option<bool>,
    ) {
        let (filter, input) = (
            plugin("modify", &[("match_regex", regex)]),
            plugin("tail", &[("tag", tag)]),
        );
        assert_eq!(covers(&filter, &input), expected);
    }

    #[rstest]
    #[case::all("forward", &[], "*", Some(true))]
    #[case::the_sender_s("forward", &[], "kube.*", None)]
    #[case::its_own_goes_first("forward", &[("tag", "kube.a")], "kube.*", Some(true))]
    #[case::behind_a_prefix("forward", &[("tag", "app.a"), ("tag_prefix", "kube.")], "kube.*", Some(true))]
    #[case::behind_another_prefix("forward", &[("tag", "kube.a"), ("tag_prefix", "app.")], "kube.*", Some(false))]
    #[case::a_path("http", &[("tag", "kube.a")], "kube.*", None)]
    #[case::a_path_of_otlp("opentelemetry", &[("tag", "kube.a")], "kube.*", None)]
    #[case::no_path("opentelemetry", &[("tag", "kube.a"), ("tag_from_uri", "off")], "kube.*", Some(true))]
    #[case::its_own("splunk", &[("tag", "kube.a")], "kube.*", Some(true))]
    #[case::a_key_of_the_record("splunk", &[("tag", "kube.a"), ("tag_key", "app")], "kube.*", None)]
    #[case::none_of_its_own("elasticsearch", &[], "elasticsearch.*", None)]
    #[case::of_the_record("elasticsearch", &[("tag", "kube.a"), ("tag_key", "app")], "kube.*", None)]
    fn the_sender_s_tag_is_not_known(
        #[case] name: &str,
        #[case] settings: &[(&str, &str)],
        #[case] pattern: &str,
        #[case] expected: Option<bool>,
    ) {
        let (filter, input) = (plugin("modify", &[("match", pattern)]), plugin(name, settings));
        assert_eq!(covers(&filter, &input), expected);
    }

    #[test]
    fn a_file_s_path_is_in_the_tag_of_its_lines() {
        let input = plugin("tail", &[("tag", "kube.*"), ("path", "/var/log/containers/*.log")]);
        let covered = |pattern: &str| covers(&plugin("modify", &[("match", pattern)]), &input);
        assert_eq!(covered("kube.var.log.containers.*"), Some(true));
        assert_eq!(covered("kube.var.log.pods.*"), Some(false));
        assert_eq!(covered("kube.var.log.containers.shop-*"), None);
        let nginx = plugin("nginx_metrics", &[]);
        assert_eq!(
            log_inputs(&FluentBitSettings {
                inputs: vec![nginx, input.clone()],
                ..FluentBitSettings::default()
            })
            .count(),
            1
        );
        let untagged = plugin("tail", &[]);
        assert_eq!(covers(&plugin("modify", &[("match", "tail.*")]), &untagged), Some(true));
        assert_eq!(covers(&plugin("modify", &[]), &untagged), Some(false));
    }
}
