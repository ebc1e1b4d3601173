//! Evidence in a file.

mod layout;

use super::failure::Failure;
use super::file;
use semver::Version;
use serde::Deserialize;
use starform_verify::contract::Contract;
use starform_verify::evidence::{EVIDENCE_VERSION, Evidence, Observed, Pod, PodRow, Scrape};
use starform_verify::printable::printable_json;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// What every version of evidence begins with.
const FAMILY: &str = "verify.starform.io/evidence/v";

/// What is read first: what a file is, before what is in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
    #[serde(default)]
    tool_version: String,
}

/// Writes evidence.
pub(crate) fn write(path: &Path, evidence: &Evidence) -> Result<(), Failure> {
    let unwritten =
        |error: io::Error| Failure::tool(format!("evidence {} could not be written: {error}", path.display()));
    let compact = serde_json::to_string(evidence).map_err(|error| unwritten(error.into()))?;
    file::replace(path, printable_json(&layout::lines(&compact)).as_bytes()).map_err(unwritten)
}

/// Reads evidence from a file, or from stdin for `-`.
pub(crate) fn read(path: &Path, contract: &Contract) -> Result<Evidence, Failure> {
    let (text, origin) = if path.as_os_str() == "-" {
        let mut text = String::new();
        (
            io::stdin().read_to_string(&mut text).map(|_| text),
            "(stdin)".to_owned(),
        )
    } else {
        (fs::read_to_string(path), path.display().to_string())
    };
    let text = text.map_err(|error| Failure::usage(format!("evidence {origin} could not be read: {error}")))?;
    parse(&text, &origin, contract)
}

/// Reads evidence, and refuses what could be misread.
pub(crate) fn parse(text: &str, origin: &str, contract: &Contract) -> Result<Evidence, Failure> {
    let refuse = |problem: String| Failure::usage(format!("evidence {origin}: {problem}"));
    let unreadable = |error: serde_json::Error| {
        refuse(words(&error)).hint("`starform-verify --record FILE` writes evidence that this version reads")
    };
    let header: Header = serde_json::from_str(text).map_err(unreadable)?;
    let newer = newer_tool(&header.tool_version);
    if header.api_version != EVIDENCE_VERSION {
        return Err(other_version(&header.api_version, newer.as_ref(), refuse));
    }
    let evidence: Evidence = serde_json::from_str(text).map_err(|error| match &newer {
        Some(newer) => by_newer(newer, &place(&error), refuse),
        None => unreadable(error),
    })?;
    let keys = contract.label_keys();
    if evidence.label_keys != keys {
        return Err(refuse(format!(
            "it was collected for the labels {}, and the contract has {}: their columns cannot be judged",
            evidence.label_keys.join(", "),
            keys.join(", ")
        ))
        .hint("judge it by the contract that it was collected under: --contract FILE"));
    }
    if !labels_fit(&evidence) {
        return Err(refuse(format!(
            "a pod or a row does not have {} labels, one for each of labelKeys",
            keys.len()
        )));
    }
    Ok(evidence)
}

/// The version of the program that recorded it, where that is newer than this one.
fn newer_tool(recorded_by: &str) -> Option<Version> {
    let recorded_by = Version::parse(recorded_by).ok()?;
    let own = Version::parse(env!("CARGO_PKG_VERSION")).ok()?;
    (recorded_by > own).then_some(recorded_by)
}

/// Evidence of a newer program, which this one cannot read.
fn by_newer(newer: &Version, why: &str, refuse: impl Fn(String) -> Failure) -> Failure {
    let own = env!("CARGO_PKG_VERSION");
    refuse(format!(
        "it was recorded by {newer}, this is {own}, which cannot read it: {why}"
    ))
    .hint(format!("starform-verify {newer} reads it, and what is newer"))
}

/// What a parser says, without the names of all that it would have taken.
fn words(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.split_once(", expected one of ") {
        Some((what, _)) => format!("{what} at {}", place(error)),
        None => told,
    }
}

fn place(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}

/// Evidence of another version than this one reads, with what to do about it.
fn other_version(found: &str, newer: Option<&Version>, refuse: impl Fn(String) -> Failure) -> Failure {
    let again = "`starform-verify --record FILE` writes evidence that this version reads";
    let number = |version: &str| -> Option<u32> { version.strip_prefix(FAMILY)?.parse().ok() };
    let (Some(version), Some(own)) = (number(found), number(EVIDENCE_VERSION)) else {
        return refuse(format!(
            "apiVersion is {found:?}; this version reads {EVIDENCE_VERSION:?}"
        ))
        .hint(again);
    };
    if let Some(newer) = newer.filter(|_| version > own) {
        let why = format!("it is evidence of version {version}, and this reads version {own}");
        return by_newer(newer, &why, refuse);
    }
    let told = refuse(format!(
        "it is evidence of version {version}; starform-verify {}, which this is, reads version {own}",
        env!("CARGO_PKG_VERSION")
    ));
    if version > own {
        return told.hint("a newer starform-verify wrote it and reads it");
    }
    // The version of the program did not change with that of evidence.
    told.hint(format!(
        "a starform-verify from before evidence version {} reads it; those call themselves 0.1.0 as well",
        version + 1
    ))
    .hint(format!("where the cluster is still there, record it again: {again}"))
}

/// Whether every pod and row has a place for each label key.
fn labels_fit(evidence: &Evidence) -> bool {
    let count = evidence.label_keys.len();
    let pod_fits = |pod: &Pod| pod.labels.len() == count;
    let row_fits = |row: &PodRow| row.labels.len() == count;
    let scrape_fits = |scrape: &Scrape| match &scrape.rows {
        Observed::Seen(rows) => rows.rows.iter().all(row_fits),
        _ => true,
    };
    let pods_fit = match &evidence.pods {
        Observed::Seen(pods) => pods.iter().all(pod_fits),
        _ => true,
    };
    let scrapes_fit = match &evidence.scrapes {
        Observed::Seen(scrapes) => scrapes.iter().all(scrape_fits),
        _ => true,
    };
    pods_fit && scrapes_fit
}
