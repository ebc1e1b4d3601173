//! Whether the files are there, and whether the regions' say where their stores are.

use super::Audit;
use super::finding::{Finding, all};
use crate::values_files::read::{Document, FileRead, HELMFILE, REGIONS};
use serde_json::Value;
use starform_verify::evaluate::count;
use starform_verify::evaluate::{Advice, Outcome};

/// What a region's file has to say, and whether it is a text.
const PARAMETERS: [(&str, bool); 7] = [
    ("/region", true),
    ("/stores/metrics/write_url", true),
    ("/stores/metrics/query_url", true),
    ("/stores/logs/host", true),
    ("/stores/logs/port", false),
    ("/stores/logs/path", true),
    ("/stores/logs/query_url", true),
];

/// SF801.
pub(super) fn readable(audit: Audit<'_>) -> Outcome {
    let mut wrong = Vec::new();
    let mut needed = vec![HELMFILE];
    needed.extend(audit.step.releases.iter().map(|release| release.values.as_str()));
    for name in &needed {
        let problem = match audit.manifests.files.get(*name) {
            None | Some(FileRead::Missing) => "is not there".to_owned(),
            Some(FileRead::Unreadable(problem)) => format!("cannot be read: {problem}"),
            Some(FileRead::Malformed(place)) => format!("is no YAML at {place}"),
            Some(FileRead::Read(document)) if !document.json().is_object() => "is no map".to_owned(),
            Some(FileRead::Read(_)) => continue,
        };
        wrong.push(Finding::new(name, None, problem));
    }
    if wrong.is_empty() {
        return Outcome::pass(count(needed.len(), "file"));
    }
    Outcome::fail(all(&wrong))
        .expected("each file there, and YAML")
        .objects(audit.places(&wrong))
        .fix(Advice::of_files("mend the file; the contract names it", Vec::new()))
}

/// SF808.
pub(super) fn regions(audit: Audit<'_>) -> Outcome {
    if !audit.step.releases.iter().any(|release| release.per_cluster) {
        return Outcome::not_applicable("no release of this step takes a region");
    }
    let prefix = format!("{REGIONS}/");
    let files: Vec<(&String, &FileRead)> = audit
        .manifests
        .files
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix))
        .collect();
    let fix = || {
        Advice::of_files(
            "write it anew from Terraform, in manifests/region",
            vec!["terraform output -raw region_values".to_owned()],
        )
    };
    if files.is_empty() {
        return Outcome::fail(format!("there is no file in {REGIONS}/"))
            .expected("one file for each region")
            .fix(fix());
    }
    let mut wrong = Vec::new();
    for (name, read) in &files {
        let problem = match read {
            FileRead::Read(document) => region(name, document),
            FileRead::Missing => Some(Finding::new(name, None, "is not there")),
            FileRead::Unreadable(problem) => Some(Finding::new(name, None, format!("cannot be read: {problem}"))),
            FileRead::Malformed(place) => Some(Finding::new(name, None, format!("is no YAML at {place}"))),
        };
        wrong.extend(problem);
    }
    if wrong.is_empty() {
        return Outcome::pass(count(files.len(), "region"));
    }
    Outcome::fail(all(&wrong))
        .expected("region, stores.metrics.{write_url, query_url} and stores.logs.{host, port, path, query_url}")
        .objects(audit.places(&wrong))
        .fix(fix())
}

/// What is wrong with a region's file.
fn region<'a>(name: &'a str, document: &Document) -> Option<Finding<'a>> {
    let json = document.json();
    let place = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
    let finding = |place: &str, what: String| Some(Finding::new(name, document.line_of(place), what));
    let lacks = |(pointer, text): &&(&str, bool)| match json.pointer(pointer) {
        Some(Value::String(value)) => !text || value.is_empty(),
        Some(Value::Number(value)) => *text || !value.as_u64().is_some_and(|port| (1..=65_535).contains(&port)),
        _ => true,
    };
    let missing = PARAMETERS.iter().filter(lacks).map(|(pointer, _)| place(pointer));
    let missing: Vec<String> = missing.collect();
    if let Some(first) = missing.first() {
        return finding(first, format!("lacks {}", missing.join(", ")));
    }
    let plain = |pointer: &&&str| {
        let url = json.pointer(pointer).and_then(Value::as_str);
        url.is_some_and(|url| !url.starts_with("https://"))
    };
    if let Some(pointer) = [
        "/stores/metrics/write_url",
        "/stores/metrics/query_url",
        "/stores/logs/query_url",
    ]
    .iter()
    .find(plain)
    {
        let place = place(pointer);
        return finding(&place, format!("has no https:// at {place}"));
    }
    let stem = name.trim_start_matches(REGIONS).trim_start_matches('/');
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let said = json.pointer("/region").and_then(Value::as_str).unwrap_or_default();
    if said == stem {
        return None;
    }
    finding("region", format!("says it is of region {said}"))
}
