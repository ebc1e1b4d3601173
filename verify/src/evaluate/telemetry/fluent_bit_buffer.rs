//! Step 4: what Fluent Bit keeps on its node: what it cannot send yet, and how far it has read.

use super::fluent_bit::{each, is_off, missing, setting, told};
use crate::evaluate::fix::names;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::size::bytes;
use crate::evaluate::subject::Subject;
use crate::evidence::{FluentBitPlugin, FluentBitSettings, MountedVolume};
use std::collections::BTreeSet;

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
pub(in crate::evaluate) fn positions(subject: Subject<'_>) -> Judge {
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

/// Why what stands at a path does not outlive the pod.
fn lost_with_the_pod(settings: &FluentBitSettings, path: &str) -> Option<String> {
    match MountedVolume::below(&settings.mounts, path) {
        None => Some(format!("{path} is in the container's own files: it goes with the pod")),
        Some(volume) if !volume.kind.outlives_the_pod() => Some(format!("{path} is on {}", volume.kind)),
        Some(_) => None,
    }
}
