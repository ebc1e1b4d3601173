//! Registrations: who has which cluster ID, in which generation, and when it was last heard of.

use anyhow::Result;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::clock;
use super::request::{Heartbeat, Registration};
use super::store::Store;
use super::tokens::{self, Token};

/// What Starbase knows of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its ID.
    pub cluster_id: String,
    /// UID of its namespace kube-system.
    pub uid: String,
    /// Which registration this is.
    pub generation: u64,
    /// What Starbase thinks of it.
    pub state: State,
    /// Its region.
    pub region: String,
    /// Version of the agent that registered it.
    pub agent_version: String,
    /// That agent's pod.
    pub agent_instance: String,
    /// Its Kubernetes version.
    pub kubernetes: Option<String>,
    /// Digest of the agent's contract.
    pub contract: String,
    /// What the agent last said of its lifecycle.
    pub phase: String,
    /// Why.
    pub reason: String,
    /// The last report.
    pub report: Option<serde_json::Value>,
    /// When this generation was granted.
    pub registered: Timestamp,
    /// When the last heartbeat was received.
    pub last_heartbeat: Option<Timestamp>,
    /// When the registration was ended.
    pub ended: Option<Timestamp>,
    /// The token with which it was made.
    pub(super) token: i64,
}

/// What Starbase thinks of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Registered, heard of, and well.
    Active,
    /// Registered, heard of, and not well.
    Degraded,
    /// Not heard of for longer than the grace.
    Lost,
    /// The registration was ended.
    Ended,
}

const COLUMNS: &str = "cluster_id, uid, generation, region, agent_version, agent_instance, kubernetes, contract, phase, \
                       reason, report, registered_ms, heartbeat_ms, ended_ms, token";

impl State {
    /// As the API has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
            Self::Ended => "ended",
        }
    }
}

pub(super) fn all(store: &Store) -> Result<Vec<Known>> {
    store.read(list)
}

pub(super) fn list(transaction: &Transaction<'_>) -> Result<Vec<Known>> {
    let mut query = transaction.prepare(&format!("SELECT {COLUMNS} FROM registrations ORDER BY cluster_id"))?;
    let rows = query.query_map([], read)?;
    rows.map(|row| judged(transaction, row?)).collect()
}

pub(super) fn find(transaction: &Transaction<'_>, cluster_id: &str) -> Result<Option<Known>> {
    let query = format!("SELECT {COLUMNS} FROM registrations WHERE cluster_id = ?1");
    let row = transaction.query_row(&query, [cluster_id], read).optional()?;
    row.map(|row| judged(transaction, row)).transpose()
}

/// Whether a cluster with this UID and token may have the ID that another one has.
pub(super) fn may_take(transaction: &Transaction<'_>, known: &Known, uid: &str, token: &Token) -> Result<bool> {
    if known.uid == uid || known.ended.is_some() {
        return Ok(true);
    }
    let earlier = tokens::by_id(transaction, known.token)?;
    Ok(earlier
        .and_then(|earlier| earlier.revoked)
        .is_some_and(|revoked| token.minted > revoked))
}

/// Registers: the next generation of this ID.
pub(super) fn grant(
    transaction: &Transaction<'_>,
    cluster_id: &str,
    token: &Token,
    registration: &Registration,
) -> Result<()> {
    let upsert = format!(
        "INSERT INTO registrations ({COLUMNS}) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, NULL, ?12)
         ON CONFLICT (cluster_id) DO UPDATE SET uid = ?2, generation = generation + 1, region = ?3, agent_version = ?4,
         agent_instance = ?5, kubernetes = ?6, contract = ?7, phase = ?8, reason = ?9, report = ?10, registered_ms = ?11,
         heartbeat_ms = NULL, ended_ms = NULL, token = ?12"
    );
    transaction.execute(
        &upsert,
        (
            cluster_id,
            &registration.uid,
            &registration.region,
            &registration.agent.version,
            &registration.agent.instance,
            &registration.kubernetes.version,
            &registration.contract,
            &registration.phase.0,
            &registration.reason,
            registration.report.as_ref().map(ToString::to_string),
            clock::now_ms(transaction)?,
            token.id,
        ),
    )?;
    Ok(())
}

pub(super) fn receive(transaction: &Transaction<'_>, cluster_id: &str, heartbeat: &Heartbeat) -> Result<()> {
    let update = "UPDATE registrations SET phase = ?2, reason = ?3, report = coalesce(?4, report), heartbeat_ms = ?5
                  WHERE cluster_id = ?1";
    transaction.execute(
        update,
        (
            cluster_id,
            &heartbeat.phase.0,
            &heartbeat.reason,
            heartbeat.report.as_ref().map(ToString::to_string),
            clock::now_ms(transaction)?,
        ),
    )?;
    Ok(())
}

pub(super) fn end(transaction: &Transaction<'_>, cluster_id: &str) -> Result<()> {
    let update = "UPDATE registrations SET ended_ms = coalesce(ended_ms, ?2) WHERE cluster_id = ?1";
    transaction.execute(update, (cluster_id, clock::now_ms(transaction)?))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Known> {
    let time = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        let ms: Option<i64> = row.get(column)?;
        Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    };
    let report: Option<String> = row.get(10)?;
    Ok(Known {
        cluster_id: row.get(0)?,
        uid: row.get(1)?,
        generation: row.get::<_, i64>(2)?.unsigned_abs(),
        state: State::Active,
        region: row.get(3)?,
        agent_version: row.get(4)?,
        agent_instance: row.get(5)?,
        kubernetes: row.get(6)?,
        contract: row.get(7)?,
        phase: row.get(8)?,
        reason: row.get(9)?,
        report: report.and_then(|text| serde_json::from_str(&text).ok()),
        registered: time(11)?.unwrap_or_default(),
        last_heartbeat: time(12)?,
        ended: time(13)?,
        token: row.get(14)?,
    })
}

/// The state is never stored: it follows from what is, and from the time.
fn judged(transaction: &Transaction<'_>, known: Known) -> Result<Known> {
    let now = clock::time(clock::now_ms(transaction)?)?;
    let grace = clock::rhythm(transaction)?.grace_seconds;
    let heard = known.last_heartbeat.unwrap_or(known.registered);
    let silent = now.duration_since(heard).as_millis().unsigned_abs();
    let state = if known.ended.is_some() {
        State::Ended
    } else if silent > u128::from(grace) * 1_000 {
        State::Lost
    } else if known.phase == "degraded" {
        State::Degraded
    } else {
        State::Active
    };
    Ok(Known { state, ..known })
}
