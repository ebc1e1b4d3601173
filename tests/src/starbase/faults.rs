//! Faults on demand: what Starbase does wrong, in which requests, and how often.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::store::Store;

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// In which requests; `None`: in all.
    pub on: Option<Operation>,
    /// How often; `None`: until it is cleared.
    pub times: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// An answer of this status, with a problem document; the request is not looked at.
    Status {
        /// 400 to 599.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<RetryAfter>,
    },
    /// The answer comes later.
    Delay(Duration),
    /// The connection is closed; the request was not looked at.
    Drop,
    /// The request takes effect, and the connection is closed before the answer.
    DropAnswer,
    /// The answer's body ends in its middle.
    Truncate,
    /// 200 with a page, as a captive portal has it.
    Html,
    /// An answer word for word; the request is not looked at.
    Answer {
        /// Its status.
        status: u16,
        /// Its headers, besides `Date` and `Content-Length`.
        headers: Vec<(String, String)>,
        /// Its body.
        body: String,
    },
    /// Another certificate. Strikes connections, whatever is asked on them.
    Certificate(CertificateFault),
}

/// What is wrong with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
pub enum CertificateFault {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for another host.
    WrongName,
    /// Another authority signed it.
    UnknownAuthority,
    /// The certificate between it and the authority is not sent.
    MissingIntermediate,
}

/// `Retry-After` in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// A date, so many seconds from now by Starbase's clock.
    Date(u64),
    /// Whatever it is.
    Text(String),
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Operation {
    /// `PUT …/registration`.
    Register,
    /// `PUT …/heartbeat`.
    Heartbeat,
    /// `GET …/registration`.
    Status,
    /// `DELETE …/registration`.
    End,
}

impl Fault {
    /// Until it is cleared, in all requests.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self {
            kind,
            on: None,
            times: None,
        }
    }

    /// So many times, in all requests.
    #[must_use]
    pub fn times(kind: FaultKind, times: u32) -> Self {
        Self {
            times: Some(times),
            ..Self::always(kind)
        }
    }

    /// Only in some requests.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self {
            on: Some(operation),
            ..self
        }
    }
}

pub(super) fn add(store: &Store, fault: &Fault) -> Result<()> {
    if let FaultKind::Status { status, .. } = fault.kind
        && !(400..600).contains(&status)
    {
        bail!("a fault's status is 400 to 599, not {status}");
    }
    let text = serde_json::to_string(fault)?;
    store.write(|transaction| {
        let insert = "INSERT INTO faults (fault, remaining) VALUES (?1, ?2)";
        transaction.execute(insert, (text, fault.times))?;
        Ok(())
    })
}

pub(super) fn clear(store: &Store) -> Result<()> {
    store.write(|transaction| {
        transaction.execute("DELETE FROM faults", [])?;
        Ok(())
    })
}

/// Those that still strike.
pub(super) fn standing(transaction: &Transaction<'_>) -> Result<Vec<(i64, Fault)>> {
    let mut query =
        transaction.prepare("SELECT id, fault FROM faults WHERE remaining IS NULL OR remaining > 0 ORDER BY id")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (id, text) = row?;
        Ok((
            id,
            serde_json::from_str(&text).context("a stored fault cannot be read")?,
        ))
    })
    .collect()
}

/// The fault that strikes a request, counted.
pub(super) fn strike(transaction: &Transaction<'_>, operation: Option<Operation>) -> Result<Option<FaultKind>> {
    take(transaction, |fault| {
        !matches!(fault.kind, FaultKind::Certificate(_)) && (fault.on.is_none() || fault.on == operation)
    })
}

/// The fault that strikes a new connection, counted.
pub(super) fn certificate(store: &Store) -> Result<Option<CertificateFault>> {
    let taken =
        store.write(|transaction| take(transaction, |fault| matches!(fault.kind, FaultKind::Certificate(_))))?;
    Ok(match taken {
        Some(FaultKind::Certificate(fault)) => Some(fault),
        _ => None,
    })
}

fn take(transaction: &Transaction<'_>, fits: impl Fn(&Fault) -> bool) -> Result<Option<FaultKind>> {
    let Some((id, fault)) = standing(transaction)?.into_iter().find(|(_, fault)| fits(fault)) else {
        return Ok(None);
    };
    transaction.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?1", [id])?;
    Ok(Some(fault.kind))
}
