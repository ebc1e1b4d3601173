//! ConfigMaps that a collector's pods mount or take variables from.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::request::Obstacle;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A ConfigMap ends at 1 MiB; what manages its fields comes on top.
const BOUND: u64 = 4 << 20;

/// Key by key. It may hold credentials: it is never printed.
#[derive(Deserialize)]
pub(super) struct ConfigMap {
    #[serde(default)]
    data: Option<BTreeMap<String, String>>,
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

    /// Its keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.data.iter().flatten().map(|(key, _)| key.as_str())
    }
}
