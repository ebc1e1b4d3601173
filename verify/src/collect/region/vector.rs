//! VictoriaMetrics' answers to instant queries: rows of facts.

use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::request::send;
use crate::collect::stores::Store;
use crate::evidence::Reason;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest answer: a cluster has at most a thousand nodes, and each a row.
const BOUND: u64 = 4 << 20;

/// An answer of the query API, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    status: String,
    #[serde(default)]
    is_partial: bool,
    data: RawData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawData {
    result_type: String,
    result: Vec<RawRow>,
}

#[derive(Deserialize)]
struct RawRow {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// The rows of an answer.
pub(super) struct Facts {
    get: Get,
    rows: Vec<Row>,
}

/// One row.
struct Row {
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Asks.
pub(super) async fn ask(store: &Store, query: &str, about: &'static str, timeout: Duration) -> Result<Facts, Obstacle> {
    let get = Get::instant_query(query, about);
    let answer = send(store.client(), &get, timeout, BOUND).await?;
    let raw: Raw = answer.object(None).await?;
    if raw.status != "success" || raw.data.result_type != "vector" {
        return Err(unknown(&get, Reason::Malformed, "it is no vector").into());
    }
    if raw.is_partial {
        return Err(unknown(&get, Reason::Truncated, "VictoriaMetrics calls it partial").into());
    }
    let mut rows = Vec::with_capacity(raw.data.result.len());
    for row in raw.data.result {
        let value: f64 = match row.value.1.parse() {
            Ok(value) if f64::is_finite(value) => value,
            _ => return Err(unknown(&get, Reason::Malformed, "one of its values is no number").into()),
        };
        let labels = row.metric;
        rows.push(Row { labels, value });
    }
    Ok(Facts { get, rows })
}

// === impl Facts ===

impl Facts {
    /// The one value of a fact that every answer has.
    pub(super) fn one(&self, fact: &str) -> Result<u64, Obstacle> {
        if let [one] = self.of(fact).collect::<Vec<_>>().as_slice() {
            return Ok(whole(one.value));
        }
        let message = format!("it does not say {fact:?}, which every answer does");
        Err(unknown(&self.get, Reason::Malformed, &message).into())
    }

    /// Every row of a fact: its labels of these names, empty where it has none, and its value.
    pub(super) fn rows<'a, const N: usize>(
        &'a self,
        fact: &str,
        labels: [&'a str; N],
    ) -> impl Iterator<Item = ([String; N], f64)> + use<'a, N> {
        let found: Vec<&Row> = self.of(fact).collect();
        found.into_iter().map(move |row| {
            let label = |name: &str| row.labels.get(name).cloned().unwrap_or_default();
            (labels.map(label), row.value)
        })
    }

    fn of(&self, fact: &str) -> impl Iterator<Item = &Row> {
        let is = move |row: &&Row| row.labels.get("fact").is_some_and(|name| name == fact);
        self.rows.iter().filter(is)
    }
}

/// A count. What is not whole is counted as more: a lost record is never rounded away.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.ceil() as u64
}

/// Seconds as milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, which is what is wanted"
)]
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}
