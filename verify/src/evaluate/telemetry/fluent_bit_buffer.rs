//! Step 4: what Fluent Bit keeps on its node: what it cannot send yet, and how far it has read.

use super::fluent_bit::{each, is_variable, missing, not_known, told};
use super::fluent_bit_routes::{is_off, log_inputs, log_outputs, setting};
use crate::evaluate::fix::names;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::size::bytes;
use crate::evaluate::subject::Subject;
use crate::evidence::{FluentBitPlugin, FluentBitSettings, MountedVolume};
use std::collections::BTreeSet;

/// The inputs that remember in a database how far they have read, and the setting that names it (v5.1.1: of plugins/in_*
/// those with `db` or `database_file` among their settings; kafka leaves it to its broker).
const WITH_POSITION: [(&str, &str); 6] = [
    ("tail", "db"),
    ("systemd", "db"),
    ("kubernetes_events", "db"),
    ("winevtlog", "db"),
    ("winlog", "db"),
    ("blob", "database_file"),
];

/// SF405.
pub(in crate::evaluate) fn buffer(subject: Subject<'_>) -> Judge {
    let expected = "inputs buffered in files that outlive the pod, retried without end, within a size";
    each(subject, expected, |settings| {
        let Some(path) = settings.service.get("storage.path") else {
            return missing(settings, "no storage.path: what is buffered is lost with the pod");
        };
        if let Some(problem) = lost_with_the_pod(settings, path) {
            return Outcome::fail(format!("storage.path {problem}"));
        }
        let mut unclear = None;
        let inherits = (settings.service.get("storage.type")).filter(|_| {
            let inherit = settings.service.get("storage.inherit");
            inherit.is_some_and(|inherit| !is_off(inherit))
        });
        for input in log_inputs(settings) {
            let kind = setting(input, "storage.type").or(inherits.map(String::as_str));
            if kind.is_some_and(is_variable) {
                unclear = unclear.or(Some((input, "storage.type")));
            } else if kind.is_none_or(|kind| !kind.eq_ignore_ascii_case("filesystem")) {
                return Outcome::fail(format!("input {} is buffered in memory", told(input)));
            }
        }
        for output in log_outputs(settings) {
            let retries = setting(output, "retry_limit");
            if retries.is_some_and(is_variable) {
                unclear = unclear.or(Some((output, "retry_limit")));
            } else if !retries.is_some_and(is_endless) {
                let told_retries = retries.unwrap_or("1, the default");
                return Outcome::fail(format!(
                    "output {} drops a chunk after Retry_Limit {told_retries}",
                    told(output)
                ));
            }
            let limit = setting(output, "storage.total_limit_size");
            if limit.is_some_and(is_variable) {
                unclear = unclear.or(Some((output, "storage.total_limit_size")));
            } else if !limit.and_then(bytes).is_some_and(|limit| limit > 0.0) {
                return Outcome::fail(format!(
                    "output {} has no storage.total_limit_size: a store that is away fills the node's disk",
                    told(output)
                ));
            }
        }
        if let Some((plugin, key)) = unclear {
            return not_known(plugin, key);
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
pub(in crate::evaluate) fn positions(subject: Subject<'_>) -> Judge {
    let expected = "a database for each input that keeps a position, in a directory of the node: without it a restart loses or repeats lines";
    each(subject, expected, |settings| {
        let mut databases = BTreeSet::new();
        if !settings.inputs.iter().any(|input| input.name == "tail") {
            return missing(settings, "no input tail: no container's log is read");
        }
        let kept = |input: &FluentBitPlugin| WITH_POSITION.iter().find(|(name, _)| *name == input.name);
        let mut unclear = None;
        for (input, (_, key)) in settings.inputs.iter().filter_map(|input| Some((input, kept(input)?))) {
            let Some(database) = setting(input, key) else {
                return Outcome::fail(format!("input {} has no {}", told(input), key.to_uppercase()));
            };
            if is_variable(database) {
                unclear = unclear.or(Some((input, *key)));
                continue;
            }
            if let Some(problem) = lost_with_the_pod(settings, database) {
                return Outcome::fail(format!("input {}: {} {problem}", told(input), key.to_uppercase()));
            }
            if !databases.insert(database) {
                return Outcome::fail(format!(
                    "two inputs have one DB, {database}: each forgets where the other was"
                ));
            }
        }
        if let Some((input, key)) = unclear {
            return not_known(input, key);
        }
        Outcome::pass(names(databases))
    })
}

/// Whether it tries again without end: every other word is a number, 1 where it is none, or `no_retries` (v5.1.1:
/// src/flb_output.c, `flb_output_set_property`).
fn is_endless(retries: &str) -> bool {
    matches!(retries.to_lowercase().as_str(), "no_limits" | "false" | "off")
}

/// Why what stands at a path does not outlive the pod.
fn lost_with_the_pod(settings: &FluentBitSettings, path: &str) -> Option<String> {
    match MountedVolume::below(&settings.mounts, path) {
        None => Some(format!("{path} is in the container's own files: it goes with the pod")),
        Some(volume) if !volume.kind.outlives_the_pod() => Some(format!("{path} is on {}", volume.kind)),
        Some(_) => None,
    }
}
