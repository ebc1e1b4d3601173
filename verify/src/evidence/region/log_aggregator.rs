//! What the region's Vector says of itself, as the store of metrics has scraped it.

use serde::{Deserialize, Serialize};

/// The aggregator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAggregator {
    /// The address of the store of metrics that was asked.
    pub url: String,
    /// The region.
    pub region: String,
    /// How many of it the store is told to scrape.
    pub targets: u64,
    /// How many of them answer.
    pub up: u64,
    /// Records that collectors sent within ten minutes.
    pub received: u64,
    /// Records that ClickHouse took within ten minutes.
    pub delivered: u64,
    /// Records that were lost within fifteen minutes, by component.
    pub discarded: Vec<ComponentEvents>,
    /// Errors within fifteen minutes, by component.
    pub errors: Vec<ComponentEvents>,
    /// The buffers on disk.
    pub buffers: Vec<Buffer>,
}

/// What happened in one component of its pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentEvents {
    /// Its name in vector.yaml.
    pub component: String,
    /// How often.
    pub events: u64,
}

/// A component's buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buffer {
    /// The component's name in vector.yaml.
    pub component: String,
    /// What is in it.
    pub used_bytes: u64,
    /// How large it may become.
    pub size_bytes: u64,
}
