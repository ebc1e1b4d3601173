//! The log of requests and answers, for tests to look at.

use anyhow::{Context, Result};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::store::Store;

/// How many are kept.
const KEPT: i64 = 5_000;

/// A request and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was received, in milliseconds since 1970 by Starbase's clock.
    pub received_ms: i64,
    /// The request's method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its headers, names in lower case; a token in them is replaced by `(token)`.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// The answer; `None` where the connection was closed without one.
    pub answer: Option<Answered>,
    /// The fault that struck it, in words.
    pub fault: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, whole even where it was sent truncated.
    pub body: String,
}

impl Exchange {
    /// The answer's status; `None` where the connection was closed without one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }
}

pub(super) fn keep(transaction: &Transaction<'_>, exchange: &Exchange) -> Result<()> {
    let text = serde_json::to_string(exchange)?;
    transaction.execute("INSERT INTO exchanges (exchange) VALUES (?1)", [text])?;
    let oldest = transaction.last_insert_rowid() - KEPT;
    transaction.execute("DELETE FROM exchanges WHERE id <= ?1", [oldest])?;
    Ok(())
}

pub(super) fn all(store: &Store) -> Result<Vec<Exchange>> {
    store.read(|transaction| {
        let mut query = transaction.prepare("SELECT exchange FROM exchanges ORDER BY id")?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| serde_json::from_str(&row?).context("a stored exchange cannot be read"))
            .collect()
    })
}
