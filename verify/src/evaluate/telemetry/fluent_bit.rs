//! Step 4: Fluent Bit as it is installed and configured.

use super::collector::{Collector, configured, in_clear, settings};
use super::every_node::Placed;
use super::fluent_bit_routes::{
    covers, covers_any_tag, is_off, is_opaque, keeps_labels, log_inputs, log_outputs, may_change_tags, setting,
};
use crate::evaluate::fix::{names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{CLUSTER_LABELS, FluentBitPlugin, FluentBitSettings, Source};
use crate::report::{ObjectReference, Verdict};

/// The outputs that Vector has a source for, and the formats of `http` that its JSON codec decodes
/// (`lib/codecs/src/decoding/format/json.rs`: newline-delimited, or an array).
const OUTPUTS: [&str; 3] = ["http", "forward", "opentelemetry"];
const FORMATS: [&str; 3] = ["json", "json_lines", "json_stream"];
/// The host of the chart's default outputs.
const DEFAULT_HOST: &str = "elasticsearch-master";

/// Fluent Bit as it stands.
pub(in crate::evaluate) fn installed(subject: Subject<'_>) -> Collector<'_> {
    Collector {
        subject,
        component: &subject.evidence.telemetry.fluent_bit,
        terms: &subject.contract.components.fluent_bit,
        name: "Fluent Bit",
        kinds: "DaemonSet",
        source: Source::FluentBitWorkloads,
    }
}

/// SF401.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    installed(subject).stands(|_| true)
}

/// SF402.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let workloads = collector.workloads()?;
    let placed: Vec<Placed<'_>> = (workloads.iter()).map(|found| Placed { found, asked: None }).collect();
    let outcome = collector.on_every_node(&placed)?;
    if outcome.verdict != Verdict::NotApplicable {
        return Ok(outcome);
    }
    let namespace = workloads.first().map(|found| found.workload.namespace.as_str());
    Ok(Outcome::fail(outcome.observed)
        .expected("a pod of it on every node: each node's logs are read there")
        .objects(workloads.iter().map(|found| workload_object(&found.workload)))
        .fix(collector.upgrade(namespace, "install with the contract's values: they select every node"))
        .lasting())
}

/// SF403.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    Ok(collector.version(&collector.workloads()?))
}

/// SF404.
pub(in crate::evaluate) fn output(subject: Subject<'_>) -> Judge {
    configured(installed(subject), &subject.evidence.telemetry.fluent_bit_settings)?;
    each(
        subject,
        "an output that Vector decodes: http with Format json, forward or opentelemetry",
        |settings| {
            let default = |output: &&FluentBitPlugin| setting(output, "host").is_some_and(|host| host == DEFAULT_HOST);
            if log_outputs(settings).any(|output| default(&output)) {
                return Outcome::fail(format!(
                    "the chart's default outputs to {DEFAULT_HOST} stand: nothing of that name is there to take records"
                ));
            }
            let to_vector: Vec<&FluentBitPlugin> = log_outputs(settings)
                .filter(|output| OUTPUTS.contains(&output.name.as_str()))
                .collect();
            if to_vector.is_empty() {
                let kinds = names(log_outputs(settings).map(|output| &output.name));
                let found = if kinds.is_empty() { "none".to_owned() } else { kinds };
                return missing(settings, format!("no output that Vector takes; there is {found}"));
            }
            for output in &to_vector {
                // Where nothing is said `http` sends json (v5.1.1, and v4.0.0: plugins/out_http/http.c, `format`).
                let format = setting(output, "format").unwrap_or("json").to_lowercase();
                if output.name == "http" && is_variable(&format) {
                    return not_known(output, "format");
                }
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

/// SF407.
pub(in crate::evaluate) fn verifies(subject: Subject<'_>) -> Judge {
    each(
        subject,
        "tls On and tls.verify On at every output that leaves the cluster",
        |settings| {
            let sending = || log_outputs(settings).filter(|output| setting(output, "host").is_some());
            for output in sending() {
                let keys = ["tls", "tls.verify", "tls.verify_hostname"];
                if let Some(key) = keys
                    .into_iter()
                    .find(|key| setting(output, key).is_some_and(is_variable))
                {
                    return not_known(output, key);
                }
                if setting(output, "tls").is_none_or(is_off) {
                    return Outcome::fail(format!(
                        "output {} sends records and its password without TLS",
                        told(output)
                    ));
                }
                if setting(output, "tls.verify").is_some_and(is_off) {
                    return Outcome::fail(format!("output {} does not verify whom it sends to", told(output)));
                }
                if setting(output, "tls.verify_hostname").is_none_or(is_off) {
                    return Outcome::warn(format!(
                        "output {} takes any name that the authority signed (tls.verify_hostname)",
                        told(output)
                    ));
                }
            }
            if sending().next().is_none() {
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
pub(in crate::evaluate) fn credentials(subject: Subject<'_>) -> Judge {
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
pub(in crate::evaluate) fn labels(subject: Subject<'_>) -> Judge {
    let expected = "a filter that puts cluster and region on every record: the store holds many clusters";
    each(subject, expected, |settings| {
        let mut unclear = None;
        for input in log_inputs(settings) {
            let labelled = |label: &str| labelled(settings, input, label);
            let lacking: Vec<&&str> = CLUSTER_LABELS
                .iter()
                .filter(|label| labelled(label) == Labelled::No)
                .collect();
            if !lacking.is_empty() {
                return missing(
                    settings,
                    format!("records of input {} have no {}", told(input), names(lacking)),
                );
            }
            unclear = unclear.or_else(|| {
                CLUSTER_LABELS.iter().find_map(|label| match labelled(label) {
                    Labelled::Perhaps(filter) => Some((input, *label, filter)),
                    Labelled::Yes | Labelled::No => None,
                })
            });
        }
        if log_inputs(settings).next().is_none() {
            return missing(settings, "no input");
        }
        if let Some((input, label, filter)) = unclear {
            return Outcome::undetermined(format!(
                "whether filter {} puts {label} on every record of input {} cannot be read",
                told(filter),
                told(input)
            ));
        }
        Outcome::pass(CLUSTER_LABELS.join(", "))
    })
}

/// Whether a filter puts a label on every record of an input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labelled<'s> {
    Yes,
    No,
    /// This one may: what it does, or to what, is not known.
    Perhaps(&'s FluentBitPlugin),
}

/// Filters act one after the other: what one has put on, a later one may take off. Records with another tag begin anew.
fn labelled<'s>(settings: &'s FluentBitSettings, input: &FluentBitPlugin, label: &str) -> Labelled<'s> {
    let (mut found, mut tagged_anew) = (Labelled::No, None);
    for filter in &settings.filters {
        let seen = covers(filter, input);
        if seen == Some(false) && tagged_anew.is_none() {
            continue;
        }
        let adds = filter.labels.get(label).is_some_and(|value| !value.is_empty());
        let removes = filter.removes.iter().any(|removed| removed == label);
        // What it adds comes after what it removes (v5.1.1: plugins/filter_record_modifier/filter_modifier.c).
        let keeps = !removes || filter.name == "record_modifier";
        if adds && keeps && !is_opaque(filter) {
            found = match (seen, tagged_anew) {
                (Some(true), None) => Labelled::Yes,
                (_, Some(_)) if covers_any_tag(filter) => Labelled::Yes,
                (_, Some(other)) => better(found, other),
                (_, None) => better(found, filter),
            };
        } else if removes || (is_opaque(filter) && !keeps_labels(filter)) {
            found = Labelled::Perhaps(filter);
        } else if adds || is_opaque(filter) {
            found = better(found, filter);
        }
        if may_change_tags(filter) && found != Labelled::Yes {
            tagged_anew = tagged_anew.or(Some(filter));
        }
    }
    found
}

/// What is labelled stays so where another filter may label it too.
fn better<'s>(found: Labelled<'s>, filter: &'s FluentBitPlugin) -> Labelled<'s> {
    match found {
        Labelled::Yes => Labelled::Yes,
        Labelled::No | Labelled::Perhaps(_) => Labelled::Perhaps(filter),
    }
}

/// Judges the configuration of each workload; the first that does not pass is told.
pub(in crate::evaluate) fn each(
    subject: Subject<'_>,
    expected: &str,
    judge: impl Fn(&FluentBitSettings) -> Outcome,
) -> Judge {
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
pub(in crate::evaluate) fn missing(settings: &FluentBitSettings, observed: impl Into<String>) -> Outcome {
    if settings.unread.is_empty() {
        return Outcome::fail(observed);
    }
    Outcome::undetermined(format!(
        "its configuration includes files that were not read: {}",
        names(&settings.unread)
    ))
    .expected("all of it in the ConfigMap that its pods mount")
}

/// A setting that comes from a variable which was not read.
pub(in crate::evaluate) fn not_known(plugin: &FluentBitPlugin, key: &str) -> Outcome {
    let value = setting(plugin, key).unwrap_or_default();
    Outcome::undetermined(format!("{key} of {} is not known: it is {value}", told(plugin)))
}

/// Whether a value has a variable in it that was not read (v5.1.1: src/flb_env.c, `flb_env_var_translate`).
pub(in crate::evaluate) fn is_variable(value: &str) -> bool {
    value.split_once("${").is_some_and(|(_, rest)| rest.contains('}'))
}

/// A plugin as reports name it.
pub(in crate::evaluate) fn told(plugin: &FluentBitPlugin) -> &str {
    setting(plugin, "alias").unwrap_or(&plugin.name)
}

fn config_map(settings: &FluentBitSettings) -> ObjectReference {
    object("ConfigMap", &settings.namespace, &settings.config_map)
}
