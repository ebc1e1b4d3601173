//! ConfigMaps that a collector's pods mount or take variables from.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::obstacle::Obstacle;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A ConfigMap ends at 1 MiB; what manages its fields comes on top.
const BOUND: u64 = 4 << 20;

/// Key by key. It may hold credentials: it is never printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMap {
    data: Option<BTreeMap<String, String>>,
    /// What is no text as the API has it; it is mounted all the same.
    #[expect(
        clippy::zero_sized_map_values,
        reason = "an object has values, and these are not kept"
    )]
    binary_data: Option<BTreeMap<String, IgnoredAny>>,
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
