//! What the region's ClickHouse holds of the cluster.

use super::Region;
use super::vector::{milliseconds, whole};
use super::{Obstacle, sql};
use crate::collect::get::Get;
use crate::collect::obstacle::unknown;
use crate::collect::request::send;
use crate::collect::status::bounded;
use crate::collect::stores::Store;
use crate::contract::RegionTerms;
use crate::evidence::{DeadLetters, LogLines, LogStore, Reason, StoreQuestion};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest answer: a few dozen columns, or a row a region.
const BOUND: u64 = 1 << 20;

/// An answer in ClickHouse's format `JSON`, as far as it is read.
#[derive(Deserialize)]
struct Raw<T> {
    meta: Vec<Column>,
    data: Vec<T>,
    rows: u64,
    /// What ended a query that had begun to answer.
    exception: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Column {
    #[serde(rename = "name")]
    _name: IgnoredAny,
}

#[derive(Deserialize)]
struct RawColumn {
    table: String,
    name: String,
    #[serde(rename = "type")]
    data_type: String,
}

#[derive(Deserialize)]
struct RawLines {
    region: String,
    lines: f64,
    age: f64,
    received: f64,
    delay: f64,
}

#[derive(Deserialize)]
struct RawDeadLetters {
    reason: String,
    cluster: String,
    records: f64,
    #[serde(default)]
    example: Option<String>,
}

/// Asks, as far as the tables are there to be asked.
pub(super) async fn ask(region: Region<'_>, store: &Store, asked: StoreQuestion) -> Result<LogStore, Obstacle> {
    let terms = &region.contract.components.region;
    let timeout = region.request_timeout;
    let tables = tables(store, terms, timeout).await?;
    let whole_table = |name: &str| {
        let columns = terms.tables.get(name).into_iter().flatten();
        let found = tables.get(name);
        found.is_some_and(|found| columns.clone().all(|(column, _)| found.contains_key(column)))
    };
    let source = if asked.cluster.ended { "kubernetes" } else { "clusters" };
    let (lines, dead_letters) = tokio::join!(
        async {
            if !whole_table(source) {
                return Ok(None);
            }
            let statement = sql::lines(&asked.cluster);
            let rows = query::<RawLines>(store, &statement, "the cluster's lines", timeout).await?;
            Ok::<_, Obstacle>(Some(rows.iter().map(log_lines).collect()))
        },
        async {
            if !whole_table("dead_letters") {
                return Ok(None);
            }
            let statement = sql::dead_letters(terms, &asked.cluster);
            let rows = query::<RawDeadLetters>(store, &statement, "dead letters", timeout).await?;
            Ok::<_, Obstacle>(Some(rows.iter().map(dead_letter).collect()))
        },
    );
    Ok(LogStore {
        asked,
        tables,
        lines: lines?,
        dead_letters: dead_letters?,
    })
}

async fn tables(
    store: &Store,
    terms: &RegionTerms,
    timeout: Duration,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Obstacle> {
    let rows: Vec<RawColumn> = query(store, &sql::columns(terms), "the columns of its tables", timeout).await?;
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        // Only what the contract names becomes evidence.
        let named = terms.tables.get(&row.table);
        if named.is_some_and(|columns| columns.contains_key(&row.name)) {
            let columns = tables.entry(row.table).or_default();
            columns.insert(row.name, bounded(&row.data_type));
        }
    }
    Ok(tables)
}

fn log_lines(raw: &RawLines) -> LogLines {
    LogLines {
        region: bounded(&raw.region),
        lines: whole(raw.lines),
        age_ms: milliseconds(raw.age),
        received_ms: milliseconds(raw.received),
        delay_ms: milliseconds(raw.delay),
    }
}

fn dead_letter(raw: &RawDeadLetters) -> DeadLetters {
    DeadLetters {
        reason: bounded(&raw.reason),
        own: !raw.cluster.is_empty(),
        records: whole(raw.records),
        example: raw.example.as_deref().map(bounded),
    }
}

async fn query<T: DeserializeOwned>(
    store: &Store,
    statement: &str,
    about: &'static str,
    timeout: Duration,
) -> Result<Vec<T>, Obstacle> {
    let get = Get::sql(statement, about);
    let answer = send(store.client(), &get, timeout, BOUND).await?;
    let raw: Raw<T> = answer.object(None).await?;
    if raw.meta.is_empty() || raw.exception.is_some() || raw.rows != raw.data.len() as u64 {
        return Err(unknown(&get, Reason::Malformed, "it is no whole result of a query").into());
    }
    Ok(raw.data)
}
