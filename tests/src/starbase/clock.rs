//! Starbase's clock, which a test can move on, and how often it wants to hear from clusters.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use rusqlite::Transaction;

use super::store::Store;

/// How often heartbeats are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    pub(super) interval_seconds: u64,
    pub(super) grace_seconds: u64,
}

pub(super) fn now_ms(transaction: &Transaction<'_>) -> Result<i64> {
    let offset: i64 = transaction.query_row("SELECT clock_offset_ms FROM settings", [], |row| row.get(0))?;
    Ok(Timestamp::now().as_millisecond() + offset)
}

pub(super) fn time(ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).with_context(|| format!("{ms} ms is no time"))
}

/// As the header `Date` has it.
pub(super) fn http_date(ms: i64) -> Result<String> {
    let time = time(ms)?;
    Ok(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

pub(super) fn advance(store: &Store, by: Duration) -> Result<()> {
    let ms = i64::try_from(by.as_millis())?;
    store.write(|transaction| {
        transaction.execute("UPDATE settings SET clock_offset_ms = clock_offset_ms + ?1", [ms])?;
        Ok(())
    })
}

pub(super) fn rhythm(transaction: &Transaction<'_>) -> Result<Rhythm> {
    let query = "SELECT interval_seconds, grace_seconds FROM settings";
    Ok(transaction.query_row(query, [], |row| {
        Ok(Rhythm {
            interval_seconds: row.get::<_, i64>(0)?.unsigned_abs(),
            grace_seconds: row.get::<_, i64>(1)?.unsigned_abs(),
        })
    })?)
}

pub(super) fn set_rhythm(store: &Store, interval: Duration, grace: Duration) -> Result<()> {
    let (interval, grace) = (i64::try_from(interval.as_secs())?, i64::try_from(grace.as_secs())?);
    ensure!(
        (1..=3_600).contains(&interval) && (interval..=86_400).contains(&grace),
        "an interval is 1 s to 1 h, and the grace is as long or longer"
    );
    store.write(|transaction| {
        let update = "UPDATE settings SET interval_seconds = ?1, grace_seconds = ?2";
        transaction.execute(update, [interval, grace])?;
        Ok(())
    })
}
