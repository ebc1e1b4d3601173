//! The cluster's identity: the UID of the namespace `kube-system`, which lives as long as the cluster does.

use super::access::Cluster;
use super::get::Get;
use super::obstacle::Obstacle;
use crate::evidence::Reason;
use serde::Deserialize;

/// The namespace.
pub(super) const NAMESPACE: &str = "kube-system";

const BOUND: u64 = 1 << 20;

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

/// Reads it. Needs `get namespaces kube-system`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<String, Obstacle> {
    let answer = cluster.send(&request(), BOUND).await?;
    let empty = answer.unknown(Reason::Malformed, "it has no UID");
    let namespace: Namespace = answer.object(Some("Namespace")).await?;
    if namespace.metadata.uid.is_empty() {
        return Err(empty.into());
    }
    Ok(namespace.metadata.uid)
}

pub(super) fn request() -> Get {
    Get::object("", "v1", "namespaces", NAMESPACE)
}
