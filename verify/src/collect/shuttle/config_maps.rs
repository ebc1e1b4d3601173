//! Which ConfigMaps stand in Shuttle's namespace. Their names only: what is in them does not leave the API server.

use crate::collect::access::Cluster;
use crate::collect::get::{Get, METADATA_LIST};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::contract::Contract;
use serde::Deserialize;

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// Lists them, sorted. Needs `list configmaps` in Shuttle's namespace.
pub(in crate::collect) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<String>, Obstacle> {
    let new = || Collected::new(|json| Ok(Some(serde_json::from_slice::<Raw>(json)?.metadata.name)));
    let shape = Shape::objects("PartialObjectMetadataList");
    let mut names = cluster.list(&request(cluster.contract), shape, new).await?.items;
    names.sort_unstable();
    Ok(names)
}

pub(in crate::collect) fn request(contract: &Contract) -> Get {
    Get::list("", "v1", "configmaps", Some(&contract.components.shuttle.namespace)).accept(METADATA_LIST)
}
