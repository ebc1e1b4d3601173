//! What Shuttle says of itself: the ConfigMap `shuttle-status`.

use crate::collect::access::Cluster;
use crate::collect::answer::json_error;
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::status::bounded;
use crate::contract::Contract;
use crate::evidence::{Reason, STATUS_CONFIG_MAP, STATUS_KEY, STATUS_VERSION, ShuttleStatus, StatusRead};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A ConfigMap ends at 1 MiB; what manages its fields comes on top.
const BOUND: u64 = 4 << 20;

#[derive(Deserialize)]
struct ConfigMap {
    metadata: Metadata,
    data: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    managed_fields: Option<Vec<ManagedFields>>,
}

/// What one writer last wrote, and when (`metav1.ManagedFieldsEntry`).
#[derive(Deserialize)]
struct ManagedFields {
    time: Option<Timestamp>,
    #[serde(default, rename = "fieldsV1")]
    fields: Value,
}

/// What is read first: what a status is, before what is in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
}

/// Reads it. Needs `get configmaps shuttle-status` in Shuttle's namespace.
pub(in crate::collect) async fn collect(cluster: &Cluster<'_>) -> Result<StatusRead, Obstacle> {
    let get = request(cluster.contract);
    let answer = cluster.send(&get, BOUND).await?;
    let map: ConfigMap = answer.object(Some("ConfigMap")).await?;
    let stored = stored(map.metadata.managed_fields.unwrap_or_default());
    let text = map.data.and_then(|mut data| data.remove(STATUS_KEY));
    let text = text.ok_or_else(|| unknown(&get, Reason::Malformed, &format!("it has no key {STATUS_KEY}")))?;
    let status = parse(&text).map_err(|problem| unknown(&get, Reason::Malformed, &problem))?;
    Ok(StatusRead { status, stored })
}

pub(in crate::collect) fn request(contract: &Contract) -> Get {
    let namespace = &contract.components.shuttle.namespace;
    Get::namespaced("", "v1", "configmaps", namespace, STATUS_CONFIG_MAP)
}

fn parse(text: &str) -> Result<ShuttleStatus, String> {
    let refuse = |error: serde_json::Error| format!("{STATUS_KEY}: {}", json_error(&error));
    let header: Header = serde_json::from_str(text).map_err(refuse)?;
    if header.api_version != STATUS_VERSION {
        let found = bounded(&header.api_version);
        return Err(format!(
            "{STATUS_KEY} is of {found}; this version reads {STATUS_VERSION}"
        ));
    }
    serde_json::from_str(text).map_err(refuse)
}

/// When the status itself was last written: another writer's label on the ConfigMap does not renew it.
fn stored(managers: Vec<ManagedFields>) -> Option<Timestamp> {
    let field = format!("f:{STATUS_KEY}");
    let writes = |entry: &ManagedFields| {
        entry
            .fields
            .pointer("/f:data")
            .and_then(|data| data.get(&field))
            .is_some()
    };
    managers.into_iter().filter(writes).filter_map(|entry| entry.time).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn managers(json: &str) -> Vec<ManagedFields> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn only_a_write_of_the_status_renews_it() {
        let stored = stored(managers(
            r#"[{"manager":"shuttle","time":"2026-11-22T15:00:00Z","fieldsV1":{"f:data":{".":{},"f:status.json":{}}}},
                {"manager":"kubectl-annotate","time":"2026-11-22T16:00:00Z","fieldsV1":{"f:metadata":{"f:annotations":{}}}},
                {"manager":"other","time":"2026-11-22T17:00:00Z","fieldsV1":{"f:data":{"f:more":{}}}}]"#,
        ));
        assert_eq!(stored, Some("2026-11-22T15:00:00Z".parse().unwrap()));
        assert_eq!(super::stored(managers("[]")), None);
        assert_eq!(super::stored(managers(r#"[{"manager":"old"}]"#)), None);
    }

    #[test]
    fn a_status_of_another_version_is_named_and_not_guessed_at() {
        let error = parse(r#"{"apiVersion":"shuttle.starform.io/v9","more":1}"#).unwrap_err();
        assert_eq!(
            error,
            "status.json is of shuttle.starform.io/v9; this version reads shuttle.starform.io/v1"
        );
        for text in ["", "{}", "null", r#"{"apiVersion":"shuttle.starform.io/v1"}"#] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
