//! Tokens: minted for one cluster ID, kept as digests, revoked.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::{digest, rand};
use rusqlite::{OptionalExtension, Transaction};

use super::clock;
use super::store::Store;

/// A token that is known.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) id: i64,
    pub(super) cluster_id: String,
    /// When it was minted, in the order of mintings and revocations.
    pub(super) minted: i64,
    /// When it was revoked, in the same order.
    pub(super) revoked: Option<i64>,
    /// When it was revoked, by the clock.
    pub(super) revoked_ms: Option<i64>,
}

pub(super) fn mint(store: &Store, cluster_id: &str) -> Result<String> {
    let mut random = [0; 24];
    rand::fill(&mut random).context("no random numbers are to be had")?;
    let mut token = String::from("starbase_");
    for byte in random {
        write!(token, "{byte:02x}")?;
    }
    store.write(|transaction| {
        let minted = next(transaction)?;
        let insert = "INSERT INTO tokens (cluster_id, digest, minted) VALUES (?1, ?2, ?3)";
        transaction.execute(insert, (cluster_id, sum(&token), minted))?;
        Ok(())
    })?;
    Ok(token)
}

pub(super) fn revoke(store: &Store, token: &str) -> Result<()> {
    let revoked = end(store, "digest", &sum(token))?;
    ensure!(revoked == 1, "there is no such token, or it was revoked before");
    Ok(())
}

pub(super) fn revoke_all(store: &Store, cluster_id: &str) -> Result<usize> {
    end(store, "cluster_id", &cluster_id)
}

fn end(store: &Store, column: &str, value: &dyn rusqlite::ToSql) -> Result<usize> {
    store.write(|transaction| {
        let (sequence, now) = (next(transaction)?, clock::now_ms(transaction)?);
        let update = format!("UPDATE tokens SET revoked = ?1, revoked_ms = ?2 WHERE {column} = ?3 AND revoked IS NULL");
        Ok(transaction.execute(&update, (sequence, now, value))?)
    })
}

/// The token of a request, whether it still holds or not.
pub(super) fn find(transaction: &Transaction<'_>, token: &str) -> Result<Option<Token>> {
    read(transaction, "digest", &sum(token))
}

pub(super) fn by_id(transaction: &Transaction<'_>, id: i64) -> Result<Option<Token>> {
    read(transaction, "id", &id)
}

fn read(transaction: &Transaction<'_>, column: &str, value: &dyn rusqlite::ToSql) -> Result<Option<Token>> {
    let query = format!("SELECT id, cluster_id, minted, revoked, revoked_ms FROM tokens WHERE {column} = ?1");
    let row = transaction.query_row(&query, [value], |row| {
        Ok(Token {
            id: row.get(0)?,
            cluster_id: row.get(1)?,
            minted: row.get(2)?,
            revoked: row.get(3)?,
            revoked_ms: row.get(4)?,
        })
    });
    Ok(row.optional()?)
}

fn next(transaction: &Transaction<'_>) -> Result<i64> {
    let update = "UPDATE settings SET sequence = sequence + 1 RETURNING sequence";
    Ok(transaction.query_row(update, [], |row| row.get(0))?)
}

fn sum(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}
