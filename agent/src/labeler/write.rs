//! Writes a pod's labels: server-side apply, bound to the pod's UID.

use super::FIELD_MANAGER;
use super::subject::Subject;
use crate::request::{self, Refusal};
use http::StatusCode;
use kube::api::{Patch, PatchParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What came of it.
#[derive(Debug)]
pub(super) enum Written {
    /// The pod carries the labels.
    Done,
    /// There is no such pod, or another of its name.
    Gone,
    /// The pod changed since it was looked at; the watch tells.
    Stale,
    /// Another field manager owns one of the values; the watch tells. What the API server said.
    Contested(String),
    /// Anything else.
    Failed(Refusal),
}

/// The answer, of which nothing is needed: the watch tells what the pod is like now.
#[derive(Deserialize)]
struct Answer {}

/// Applies the labels.
///
/// `force` takes over what others own. It then holds only for the pod as it was looked at (resourceVersion), so that
/// nothing is taken over which was not seen. The UID keeps the write from a later pod of the same name; without it a
/// server-side apply would even create the pod.
pub(super) async fn apply(
    client: &kube::Client,
    subject: &Subject,
    labels: &BTreeMap<String, String>,
    force: bool,
    timeout: Duration,
) -> Written {
    let mut patch = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": subject.name,
            "namespace": subject.namespace,
            "uid": &*subject.uid,
            "labels": labels,
        },
    });
    let mut params = PatchParams::apply(FIELD_MANAGER);
    if force {
        params = params.force();
        patch["metadata"]["resourceVersion"] = json!(subject.version);
    }
    let pods = Request::new(format!("/api/v1/namespaces/{}/pods", subject.namespace));
    let request = pods.patch_metadata(&subject.name, &params, &Patch::Apply(patch));
    match request::send::<Answer>(client, request, timeout).await {
        Ok(Answer {}) => Written::Done,
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Written {
    let contested = !refusal.fields("FieldManagerConflict").is_empty();
    match refusal.status {
        Some(StatusCode::NOT_FOUND) => Written::Gone,
        Some(StatusCode::CONFLICT) if contested => Written::Contested(refusal.text().to_owned()),
        // "uid mismatch": the pod is gone.
        Some(StatusCode::CONFLICT) if refusal.text().contains("uid mismatch") => Written::Gone,
        Some(StatusCode::CONFLICT) => Written::Stale,
        // metadata.uid is immutable: another pod has the name.
        Some(StatusCode::UNPROCESSABLE_ENTITY) if refusal.fields("FieldValueInvalid").contains(&"metadata.uid") => {
            Written::Gone
        }
        _ => Written::Failed(refusal),
    }
}
