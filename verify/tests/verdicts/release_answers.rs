//! What an API server answers where these releases are installed: the mock's answers.

use crate::releases::HUSH;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use starform_verify::contract::{Contract, Release};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use testdata::install::releases::values;

/// When the first was installed; each other a minute later.
const BEGUN: &str = "2026-11-22T14:00:00Z";

/// Every answer, by its file.
pub(crate) fn answers() -> BTreeMap<String, Value> {
    let contract = Contract::embedded().unwrap();
    let mut answers = BTreeMap::new();
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let releases = contract.steps.iter().flat_map(|step| &step.releases);
    for (minute, release) in (0..).zip(releases) {
        let deployed = BEGUN.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute);
        let metadata = metadata(release, deployed);
        let secret = json!({"metadata": metadata, "type": "helm.sh/release.v1", "data": {"release": payload(release, deployed)}});
        answers.insert(format!("helm-{}.json", release.name), list("SecretList", &[secret]));
        lists
            .entry(&release.namespace)
            .or_default()
            .push(json!({"metadata": metadata}));
    }
    for (namespace, items) in lists {
        answers.insert(
            format!("helm-in-{namespace}.json"),
            list("PartialObjectMetadataList", &items),
        );
    }
    answers
}

/// Where the mock has a file.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../testdata/answers")
        .join(name)
}

/// An answer with its payloads as the JSON that is in them: how well gzip packs is no matter.
pub(crate) fn unpacked(mut answer: Value) -> Value {
    for item in answer["items"].as_array_mut().unwrap() {
        if let Some(payload) = item.pointer_mut("/data/release") {
            let bytes = STANDARD
                .decode(STANDARD.decode(payload.as_str().unwrap()).unwrap())
                .unwrap();
            let mut text = String::new();
            GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
            *payload = serde_json::from_str(&text).unwrap();
        }
    }
    answer
}

fn list(kind: &str, items: &[Value]) -> Value {
    let version = if kind == "SecretList" { "v1" } else { "meta.k8s.io/v1" };
    json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items})
}

fn metadata(release: &Release, deployed: jiff::Timestamp) -> Value {
    let seconds = deployed.as_second().to_string();
    json!({
        "name": format!("sh.helm.release.v1.{}.v1", release.name), "namespace": release.namespace,
        "creationTimestamp": deployed.to_string(),
        "labels": {"owner": "helm", "name": release.name, "status": "deployed", "version": "1",
            "createdAt": seconds, "modifiedAt": seconds},
        "managedFields": [{"manager": "helm", "operation": "Update", "time": deployed.to_string(),
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:release": {}}}}],
    })
}

/// The same base64 of base64 of gzip as Helm's, of as much of a release as an auditor could be tempted to read.
fn payload(release: &Release, deployed: jiff::Timestamp) -> String {
    let mut config = values(release);
    // Nobody should, and somebody does.
    config["password"] = HUSH.into();
    let json = json!({
        "name": release.name, "namespace": release.namespace, "version": 1,
        "info": {"first_deployed": deployed.to_string(), "last_deployed": deployed.to_string(), "deleted": "",
            "description": "Install complete", "status": "deployed", "notes": HUSH},
        "chart": {"metadata": {"name": release.chart_name(), "version": release.version}, "values": {"password": HUSH}},
        "config": config, "manifest": HUSH, "hooks": [{"manifest": HUSH}],
    });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&serde_json::to_vec(&json).unwrap()).unwrap();
    STANDARD.encode(STANDARD.encode(encoder.finish().unwrap()))
}
