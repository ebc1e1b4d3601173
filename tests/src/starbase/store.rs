//! The SQLite file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS settings (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        clock_offset_ms INTEGER NOT NULL,
        interval_seconds INTEGER NOT NULL,
        grace_seconds INTEGER NOT NULL,
        -- Orders mintings and revocations, which may fall into one millisecond.
        sequence INTEGER NOT NULL
    );
    INSERT OR IGNORE INTO settings VALUES (1, 0, 30, 90, 0);
    CREATE TABLE IF NOT EXISTS tokens (
        id INTEGER PRIMARY KEY,
        cluster_id TEXT NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        minted INTEGER NOT NULL,
        revoked INTEGER,
        revoked_ms INTEGER
    );
    CREATE TABLE IF NOT EXISTS registrations (
        cluster_id TEXT PRIMARY KEY,
        uid TEXT NOT NULL,
        generation INTEGER NOT NULL,
        token INTEGER NOT NULL REFERENCES tokens (id),
        region TEXT NOT NULL,
        agent_version TEXT NOT NULL,
        agent_instance TEXT NOT NULL,
        kubernetes TEXT,
        contract TEXT NOT NULL,
        phase TEXT NOT NULL,
        reason TEXT NOT NULL,
        report TEXT,
        registered_ms INTEGER NOT NULL,
        heartbeat_ms INTEGER,
        ended_ms INTEGER
    );
    CREATE TABLE IF NOT EXISTS faults (
        id INTEGER PRIMARY KEY,
        fault TEXT NOT NULL,
        -- How often it still strikes; NULL: until it is cleared.
        remaining INTEGER
    );
    CREATE TABLE IF NOT EXISTS exchanges (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        exchange TEXT NOT NULL
    );
";

/// The file, opened once a process. Each use is one transaction.
#[derive(Debug)]
pub(super) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let file = dir.join("starbase.sqlite");
        let connection = Connection::open(&file).with_context(|| format!("{} cannot be opened", file.display()))?;
        connection.busy_timeout(Duration::from_secs(20))?;
        // Readers do not wait for the writer. It stays so for good, and only the first process has to set it.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // Losing the last moments to a power cut is no loss here.
        connection.execute_batch("PRAGMA synchronous = OFF")?;
        let store = Self {
            connection: Mutex::new(connection),
        };
        store.write(|transaction| Ok(transaction.execute_batch(SCHEMA)?))?;
        Ok(store)
    }

    /// One transaction that may write: alone among all processes from its beginning on.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// One transaction that only reads.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        work(&transaction)
    }
}
