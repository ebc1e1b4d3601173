//! Step 4: Fluent Bit as it is installed and configured.

use super::collector::{Collector, configured, in_clear, settings};
use super::fix::{names, object};
use super::outcome::{Judge, Outcome};
use super::size::bytes;
use super::subject::Subject;
use crate::evidence::{CLUSTER_LABELS, FluentBitPlugin, FluentBitSettings, MountedVolume};
use crate::report::{ObjectReference, Verdict};
use std::collections::BTreeSet;

/// The outputs that Vector has a source for, and the formats of `http` that its JSON codec decodes
/// (`lib/codecs/src/decoding/format/json.rs`: newline-delimited, or an array).
const OUTPUTS: [&str; 3] = ["http", "forward", "opentelemetry"];
const FORMATS: [&str; 3] = ["json", "json_lines", "json_stream"];
/// The host of the chart's default outputs.
const DEFAULT_HOST: &str = "elasticsearch-master";

/// Fluent Bit as it stands.
pub(super) fn installed(subject: Subject<'_>) -> Collector<'_> {
    Collector {
        subject,
        component: &subject.evidence.telemetry.fluent_bit,
        terms: &subject.contract.components.fluent_bit,
        name: "Fluent Bit",
        kinds: "DaemonSet",
    }
}

/// SF401.
pub(super) fn present(subject: Subject<'_>) -> Judge {
    installed(subject).stands(|_| true)
}

/// SF402.
pub(super) fn runs(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    collector.on_every_node(&collector.workloads()?)
}

/// SF403.
pub(super) fn version(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    collector.version(&collector.workloads()?)
}

/// SF404.
pub(super) fn output(subject: Subject<'_>) -> Judge {
    configured(installed(subject), &subject.evidence.telemetry.fluent_bit_settings)?;
    each(
        subject,
        "an output that Vector decodes: http with Format json, forward or opentelemetry",
        |settings| {
            let default = |output: &&FluentBitPlugin| setting(output, "host").is_some_and(|host| host == DEFAULT_HOST);
            if settings.outputs.iter().any(|output| default(&output)) {
                return Outcome::fail(format!(
                    "the chart's default outputs to {DEFAULT_HOST} stand: nothing of that name is there to take records"
                ));
            }
            let to_vector: Vec<&FluentBitPlugin> = (settings.outputs.iter())
                .filter(|output| OUTPUTS.contains(&output.name.as_str()))
                .collect();
            if to_vector.is_empty() {
                let kinds = names(settings.outputs.iter().map(|output| &output.name));
                let found = if kinds.is_empty() { "none".to_owned() } else { kinds };
                return missing(settings, format!("no output that Vector takes; there is {found}"));
            }
            for output in &to_vector {
                // msgpack, a record a timestamp and a map, is what `http` sends where nothing is said.
                let format = setting(output, "format").unwrap_or("msgpack").to_lowercase();
                if output.name == "http" && !FORMATS.contains(&format.as_str()) {
                    return Outcome::fail(format!("output http sends {format}, which Vector does not decode"));
                }
                let metadata = setting(output, "retain_metadata_in_forward_mode").is_some_and(is_off);
                if output.name == "forward" && !metadata {
                    return Outcome::fail(
                        "output forward sends records with metadata, [[time, {}], record], which Vector does not decode",
                    );
                }
            }
            Outcome::pass(names(to_vector.iter().map(|output| &output.name)))
        },
    )
}

/// SF405.
pub(super) fn buffer(subject: Subject<'_>) -> Judge {
    let expected = "inputs buffered in files that outlive the pod, retried without end, within a size";
    each(subject, expected, |settings| {
        let Some(path) = settings.service.get("storage.path") else {
            return missing(settings, "no storage.path: what is buffered is lost with the pod");
        };
        if let Some(problem) = lost_with_the_pod(settings, path) {
            return Outcome::fail(format!("storage.path {problem}"));
        }
        let inherits = (settings.service.get("storage.type")).filter(|_| {
            let inherit = settings.service.get("storage.inherit");
            inherit.is_some_and(|inherit| !is_off(inherit))
        });
        let in_memory = |input: &&FluentBitPlugin| {
            let kind = setting(input, "storage.type").or(inherits.map(String::as_str));
            kind.is_none_or(|kind| !kind.eq_ignore_ascii_case("filesystem"))
        };
        if let Some(input) = settings.inputs.iter().find(in_memory) {
            return Outcome::fail(format!("input {} is buffered in memory", told(input)));
        }
        for output in &settings.outputs {
            let endless = |value: &str| matches!(value.to_lowercase().as_str(), "false" | "no_limits" | "off" | "no");
            let retries = setting(output, "retry_limit");
            if !retries.is_some_and(endless) {
                let told_retries = retries.unwrap_or("1, the default");
                return Outcome::fail(format!(
                    "output {} drops a chunk after Retry_Limit {told_retries}",
                    told(output)
                ));
            }
            let limit = setting(output, "storage.total_limit_size");
            if !limit.and_then(bytes).is_some_and(|limit| limit > 0.0) {
                return Outcome::fail(format!(
                    "output {} has no storage.total_limit_size: a store that is away fills the node's disk",
                    told(output)
                ));
            }
        }
        if settings
            .readiness
            .as_deref()
            .is_some_and(|path| path.contains("/health"))
        {
            return Outcome::warn(
                "its readiness is its health: while the store is away every pod is unready, although it buffers",
            );
        }
        Outcome::pass(path.clone())
    })
}

/// SF406.
pub(super) fn positions(subject: Subject<'_>) -> Judge {
    let expected = "a database for each tail, in a directory of the node: without it a restart loses or repeats lines";
    each(subject, expected, |settings| {
        let mut databases = BTreeSet::new();
        let tails: Vec<&FluentBitPlugin> = settings.inputs.iter().filter(|input| input.name == "tail").collect();
        if tails.is_empty() {
            return missing(settings, "no input tail: no container's log is read");
        }
        for tail in &tails {
            let Some(database) = setting(tail, "db") else {
                return Outcome::fail(format!("input {} has no DB", told(tail)));
            };
            if let Some(problem) = lost_with_the_pod(settings, database) {
                return Outcome::fail(format!("input {}: DB {problem}", told(tail)));
            }
            if !databases.insert(database) {
                return Outcome::fail(format!(
                    "two inputs have one DB, {database}: each forgets where the other was"
                ));
            }
        }
        Outcome::pass(names(databases))
    })
}

/// SF407.
pub(super) fn verifies(subject: Subject<'_>) -> Judge {
    each(
        subject,
        "tls On and tls.verify On at every output that leaves the cluster",
        |settings| {
            for output in settings
                .outputs
                .iter()
                .filter(|output| setting(output, "host").is_some())
            {
                if !setting(output, "tls").is_some_and(|tls| !is_off(tls)) {
                    return Outcome::fail(format!(
                        "output {} sends records and its password without TLS",
                        told(output)
                    ));
                }
                if setting(output, "tls.verify").is_some_and(is_off) {
                    return Outcome::fail(format!("output {} does not verify whom it sends to", told(output)));
                }
                if !setting(output, "tls.verify_hostname").is_some_and(|verify| !is_off(verify)) {
                    return Outcome::warn(format!(
                        "output {} takes any name that the authority signed (tls.verify_hostname)",
                        told(output)
                    ));
                }
            }
            if !settings.outputs.iter().any(|output| setting(output, "host").is_some()) {
                if settings.unread.is_empty() {
                    return Outcome::not_applicable("no output names a host");
                }
                return missing(settings, "");
            }
            Outcome::pass("verified")
        },
    )
}

/// SF408.
pub(super) fn credentials(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    for found in settings(collector, &subject.evidence.telemetry.fluent_bit_settings)? {
        if !found.credentials_in_clear.is_empty() {
            return Ok(in_clear(collector, config_map(found), &found.credentials_in_clear));
        }
        if !found.unread.is_empty() {
            return Ok(missing(found, "").objects([config_map(found)]).lasting());
        }
    }
    Ok(Outcome::pass("none in clear"))
}

/// SF409.
pub(super) fn labels(subject: Subject<'_>) -> Judge {
    let expected = "a filter that puts cluster and region on every record: the store holds many clusters";
    each(subject, expected, |settings| {
        for input in &settings.inputs {
            let lacks = |label: &&&str| {
                !(settings.filters.iter()).any(|filter| {
                    filter.labels.get(**label).is_some_and(|value| !value.is_empty()) && covers(filter, input)
                })
            };
            let lacking: Vec<&&str> = CLUSTER_LABELS.iter().filter(lacks).collect();
            if !lacking.is_empty() {
                return missing(
                    settings,
                    format!("records of input {} have no {}", told(input), names(lacking)),
                );
            }
        }
        if settings.inputs.is_empty() {
            return missing(settings, "no input");
        }
        Outcome::pass(CLUSTER_LABELS.join(", "))
    })
}

/// Judges the configuration of each workload; the first that does not pass is told.
fn each(subject: Subject<'_>, expected: &str, judge: impl Fn(&FluentBitSettings) -> Outcome) -> Judge {
    let collector = installed(subject);
    let mut passed = None;
    for found in settings(collector, &subject.evidence.telemetry.fluent_bit_settings)? {
        let outcome = judge(found);
        if outcome.verdict == Verdict::NotApplicable {
            return Ok(outcome);
        }
        if outcome.verdict != Verdict::Pass {
            return Ok(outcome
                .expected(expected)
                .objects([config_map(found)])
                .fix(collector.upgrade(Some(&found.namespace), "install with the contract's values"))
                .lasting());
        }
        passed.get_or_insert(outcome);
    }
    Ok(passed.unwrap_or_else(|| Outcome::undetermined("its configuration was not read")))
}

/// Something is not in what was read: a fail, unless a part was not read.
fn missing(settings: &FluentBitSettings, observed: impl Into<String>) -> Outcome {
    if settings.unread.is_empty() {
        return Outcome::fail(observed);
    }
    Outcome::undetermined(format!(
        "its configuration includes files that were not read: {}",
        names(&settings.unread)
    ))
    .expected("all of it in the ConfigMap that its pods mount")
}

/// Why what stands at a path does not outlive the pod.
fn lost_with_the_pod(settings: &FluentBitSettings, path: &str) -> Option<String> {
    match MountedVolume::below(&settings.mounts, path) {
        None => Some(format!("{path} is in the container's own files: it goes with the pod")),
        Some(volume) if !volume.kind.outlives_the_pod() => Some(format!("{path} is on {}", volume.kind)),
        Some(_) => None,
    }
}

/// Whether a filter sees the records of an input. What Fluent Bit matches are tags; `*` in an input's tag stands for the
/// name of a file.
fn covers(filter: &FluentBitPlugin, input: &FluentBitPlugin) -> bool {
    let tag = setting(input, "tag").unwrap_or(&input.name);
    let Some(pattern) = setting(filter, "match") else {
        // A regular expression is not run here; one that takes all is written so.
        return setting(filter, "match_regex").is_some_and(|regex| matches!(regex, ".*" | "^.*$"));
    };
    match pattern.split_once('*') {
        None => pattern == tag,
        Some((before, _)) => tag.starts_with(before),
    }
}

fn setting<'s>(plugin: &'s FluentBitPlugin, key: &str) -> Option<&'s str> {
    plugin.settings.get(key).map(String::as_str)
}

/// A plugin as reports name it.
fn told(plugin: &FluentBitPlugin) -> &str {
    setting(plugin, "alias").unwrap_or(&plugin.name)
}

/// What Fluent Bit takes for false (`flb_utils_bool`).
fn is_off(value: &str) -> bool {
    !matches!(value.to_lowercase().as_str(), "on" | "true" | "yes")
}

fn config_map(settings: &FluentBitSettings) -> ObjectReference {
    object("ConfigMap", &settings.namespace, &settings.config_map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*", "kube.*", true)]
    #[case("kube.*", "kube.*", true)]
    #[case("kube.var.*", "kube.*", false)]
    #[case("host.*", "kube.*", false)]
    #[case("kube.*", "kube.a", true)]
    #[case("kube.a", "kube.a", true)]
    #[case("kube.a", "kube.ab", false)]
    fn a_filter_covers_an_input(#[case] pattern: &str, #[case] tag: &str, #[case] expected: bool) {
        let plugin = |key: &str, value: &str| FluentBitPlugin {
            settings: [(key.to_owned(), value.to_owned())].into(),
            ..FluentBitPlugin::default()
        };
        assert_eq!(covers(&plugin("match", pattern), &plugin("tag", tag)), expected);
    }
}
