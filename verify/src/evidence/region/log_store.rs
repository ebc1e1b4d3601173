//! What the region's ClickHouse answered. All ages are by its own clock, in milliseconds; negative in its future.

use super::StoreQuestion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The store of logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStore {
    /// Which store, and about which cluster.
    pub asked: StoreQuestion,
    /// Of the contract's tables those that are there, with the types of their columns.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
    /// The cluster's lines by region; `None` where the table that would tell lacks a column.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub lines: Option<Vec<LogLines>>,
    /// Records that the aggregator could make no row of, within the contract's window; `None` where the table is not there.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub dead_letters: Option<Vec<DeadLetters>>,
}

/// A cluster's lines under one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLines {
    /// The column `starform_region`.
    pub region: String,
    /// How many.
    pub lines: u64,
    /// How long ago the newest was written, by the node's clock.
    pub age_ms: i64,
    /// How long ago the aggregator received the newest.
    pub received_ms: i64,
    /// The time from writing to receiving that 99 of 100 lines stay below.
    pub delay_ms: i64,
}

/// Records that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// Why, in the aggregator's words.
    pub reason: String,
    /// Whether they say that they are this cluster's; else they do not say whose.
    pub own: bool,
    /// How many.
    pub records: u64,
    /// What the newest of them is made of: the names of its fields, and how long its line is. Never what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}
