//! Which revisions of which releases there are: from the metadata of Helm's Secrets, without what is in them.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::status::bounded;
use crate::evidence::{Observed, Unknown};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The form in which the API server leaves out all but the metadata.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// The type of Helm's Secrets. Source: helm v3 and v4, `pkg/storage/driver/secrets.go`.
pub(super) const TYPE: &str = "type=helm.sh/release.v1";

/// A revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revision {
    pub(super) release: String,
    pub(super) number: u32,
    pub(super) status: String,
    pub(super) secret: String,
    /// When Helm last wrote it, by the API server's clock: its own labels have the clock of whoever ran it.
    pub(super) stored: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    labels: Labels,
    creation_timestamp: Option<Timestamp>,
    managed_fields: Option<Vec<ManagedFields>>,
}

#[derive(Deserialize)]
struct Labels {
    name: String,
    status: String,
    /// The revision.
    version: String,
}

/// What one writer last wrote, and when (`metav1.ManagedFieldsEntry`).
#[derive(Deserialize)]
struct ManagedFields {
    time: Option<Timestamp>,
    #[serde(default, rename = "fieldsV1")]
    fields: Value,
}

/// Lists the revisions of these releases in a namespace. Needs `list secrets` in it.
pub(super) async fn list(cluster: &Cluster<'_>, namespace: &str, names: &[&str]) -> Result<Vec<Revision>, Unknown> {
    let selector = format!("owner=helm,name in ({})", names.join(","));
    let get = request(namespace)
        .accept(METADATA)
        .query("labelSelector", &selector)
        .query("fieldSelector", TYPE);
    let new = || {
        Collected::new(|json| {
            serde_json::from_slice::<Raw>(json)
                .and_then(Raw::into_revision)
                .map(Some)
        })
    };
    let shape = Shape::objects("PartialObjectMetadataList");
    match cluster.list(&get, shape, new).await {
        Ok(read) => Ok(read.items),
        // A list is never absent; whatever says so has not listed anything.
        Err(obstacle) => match Obstacle::observed::<()>(obstacle) {
            Observed::Unknown(unknown) => Err(unknown),
            Observed::Seen(()) | Observed::Absent => Ok(Vec::new()),
        },
    }
}

pub(super) fn request(namespace: &str) -> Get {
    Get::list("", "v1", "secrets", Some(namespace))
}

// === impl Revision ===

impl Revision {
    /// Whether it was the deployed one for a time.
    pub(super) fn was_deployed(&self) -> bool {
        matches!(self.status.as_str(), "deployed" | "superseded")
    }
}

// === impl Raw ===

impl Raw {
    fn into_revision(self) -> Result<Revision, serde_json::Error> {
        let Metadata { name, labels, .. } = self.metadata;
        let number = labels.version.parse().map_err(serde::de::Error::custom)?;
        let written = self.metadata.managed_fields.into_iter().flatten();
        let written = written.filter(|entry| entry.fields.get("f:data").is_some());
        let stored = written.filter_map(|entry| entry.time).max();
        Ok(Revision {
            release: labels.name,
            number,
            status: bounded(&labels.status),
            secret: name,
            stored: stored.or(self.metadata.creation_timestamp),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(json: &str) -> Result<Revision, serde_json::Error> {
        serde_json::from_str::<Raw>(json).and_then(Raw::into_revision)
    }

    #[test]
    fn a_revision_is_as_old_as_helm_s_last_write_of_it_by_the_api_server_s_clock() {
        let read = revision(
            r#"{"metadata":{"name":"sh.helm.release.v1.vmagent.v12","creationTimestamp":"2026-11-22T10:00:00Z",
            "labels":{"owner":"helm","name":"vmagent","status":"uninstalling","version":"12","modifiedAt":"1"},
            "managedFields":[{"time":"2026-11-22T11:00:00Z","fieldsV1":{"f:data":{"f:release":{}}}},
            {"time":"2026-11-22T12:00:00Z","fieldsV1":{"f:metadata":{"f:annotations":{}}}}]}}"#,
        )
        .unwrap();
        assert_eq!(read.number, 12);
        assert_eq!(read.stored, Some("2026-11-22T11:00:00Z".parse().unwrap()));
        assert!(!read.was_deployed());
    }

    #[test]
    fn what_has_no_number_cannot_be_put_in_order() {
        let labels = |version: &str| {
            revision(&format!(
                r#"{{"metadata":{{"name":"x","labels":{{"name":"x","status":"deployed","version":"{version}"}}}}}}"#
            ))
        };
        assert_eq!(labels("1").unwrap().stored, None);
        assert!(labels("one").is_err());
        assert!(labels("-1").is_err());
        assert!(revision(r#"{"metadata":{"name":"x","labels":{"name":"x","status":"deployed"}}}"#).is_err());
    }
}
