//! ConfigMaps that a collector's pods mount or take variables from.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::last_change::{ManagedFields, last_change};
use crate::collect::obstacle::Obstacle;
use crate::evidence::LastChange;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A ConfigMap ends at 1 MiB; what manages its fields comes on top.
const BOUND: u64 = 4 << 20;

/// Key by key. It may hold credentials: it is never printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMap {
    #[serde(default)]
    metadata: Metadata,
    data: Option<BTreeMap<String, String>>,
    /// What is no text as the API has it; it is mounted all the same.
    #[expect(
        clippy::zero_sized_map_values,
        reason = "an object has values, and these are not kept"
    )]
    binary_data: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    managed_fields: Vec<ManagedFields>,
}

/// Reads one. Needs `get` of that ConfigMap.
pub(super) async fn read(cluster: &Cluster<'_>, namespace: &str, name: &str) -> Result<ConfigMap, Obstacle> {
    let answer = cluster.send(&request(namespace, name), BOUND).await?;
    answer.object(Some("ConfigMap")).await
}

pub(super) fn request(namespace: &str, name: &str) -> Get {
    Get::namespaced("", "v1", "configmaps", namespace, name)
}

// === impl ConfigMap ===

impl ConfigMap {
    /// When it was last changed, and by whom.
    pub(super) fn last_change(&self) -> Option<LastChange> {
        last_change(&self.metadata.managed_fields)
    }

    /// The text of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.data.as_ref()?.get(key).map(String::as_str)
    }

    /// Its keys with their texts, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.data.iter().flatten()).map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// The keys of what was not read, in order.
    pub(super) fn binary_keys(&self) -> impl Iterator<Item = &str> {
        self.binary_data.iter().flatten().map(|(key, _)| key.as_str())
    }

    /// Its keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.data.iter().flatten().map(|(key, _)| key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_changed_it_last() {
        let map: ConfigMap = serde_json::from_str(
            r#"{"metadata":{"name":"vmagent-config","managedFields":[
                {"manager":"helm","operation":"Update","time":"2026-11-22T15:00:00Z"},
                {"manager":"kubectl-edit","operation":"Update","time":"2026-11-22T16:00:00Z"}]},"data":{"a":"b"}}"#,
        )
        .unwrap();
        assert_eq!(map.last_change().unwrap().manager, "kubectl-edit");
        let map: ConfigMap = serde_json::from_str(r#"{"data":{"a":"b"}}"#).unwrap();
        assert_eq!(map.last_change(), None);
    }
}
