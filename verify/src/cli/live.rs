//! One look at a live cluster.

use super::args::{ClusterArgs, TimeArgs};
use super::audit;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use starform_verify::collect::{self, ConnectOptions, Connection, Plan};
use starform_verify::contract::Contract;
use starform_verify::evaluate::Selection;
use starform_verify::evidence::Evidence;
use starform_verify::report::Report;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What every look has in common.
pub(crate) struct Live<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) selection: &'a Selection,
    pub(crate) cluster: &'a ClusterArgs,
    pub(crate) time: &'a TimeArgs,
    pub(crate) printer: Printer,
}

/// What one look came to.
pub(crate) struct Round {
    pub(crate) evidence: Evidence,
    pub(crate) report: Report,
    /// The signal that ended it before its time.
    pub(crate) interrupted: Option<&'static str>,
}

impl Live<'_> {
    /// Connects as the arguments say.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        todo!()
    }

    /// Collects and judges.
    pub(crate) async fn round(&self, _connection: &Connection) -> Result<Round, Failure> {
        todo!()
    }

    /// Pauses, unless a signal comes first.
    pub(crate) async fn pause(&self, duration: Duration) -> Result<Option<&'static str>, Failure> {
        tokio::select! {
            signal = interrupted() => signal.map(Some),
            () = tokio::time::sleep(duration) => Ok(None),
        }
    }
}

/// Waits for a signal that asks the process to end, and names it.
async fn interrupted() -> Result<&'static str, Failure> {
    let deaf = |error: std::io::Error| Failure::tool(format!("signals cannot be waited for: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}
