//! One look at a live cluster.

use super::args::{ClusterArgs, StarbaseArgs, TimeArgs};
use super::audit::{self, Seen};
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use starform_verify::collect::{self, ConnectOptions, Connection, Plan};
use starform_verify::contract::Contract;
use starform_verify::evaluate::Selection;
use starform_verify::report::ToolError;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What every look has in common.
pub(crate) struct Live<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) selection: &'a Selection,
    pub(crate) cluster: &'a ClusterArgs,
    pub(crate) time: &'a TimeArgs,
    pub(crate) starbase: &'a StarbaseArgs,
    pub(crate) printer: Printer,
}

/// The signals that ask the process to end.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Live<'_> {
    /// Connects as the arguments say.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        let options = ConnectOptions {
            context: self.cluster.context.clone(),
            kubeconfig: self.cluster.kubeconfig.clone(),
            user: self.cluster.as_user.clone(),
            groups: self.cluster.as_group.clone(),
            request_timeout: self.time.request_timeout,
        };
        let failed = |error| Failure::from(ToolError::from(error));
        // Its files first: what is typed wrong is told before anything is asked.
        let starbase = self.starbase.connect(self.time.request_timeout).map_err(|error| {
            let told = error.tool_error();
            (told.hints.iter()).fold(Failure::usage(told.message.clone()), Failure::hint)
        })?;
        let connection = Connection::from_kubeconfig(&options).await.map_err(failed)?;
        Ok(match starbase {
            Some(starbase) => connection.with_starbase(starbase),
            None => connection,
        })
    }

    /// Collects and judges.
    pub(crate) async fn look(&self, connection: &Connection, stop: CancellationToken) -> Seen {
        let plan = Plan {
            stop,
            sources: self
                .selection
                .clone()
                .seen_from(connection.target().vantage)
                .collected(),
            timeout: self.time.timeout,
            request_timeout: self.time.request_timeout,
        };
        let progress = Progress::start(self.printer, plan.sources.len());
        let evidence = collect::collect(connection, self.contract, &plan, |step| progress.tell(step)).await;
        let report = audit::judge(self.contract, &evidence, self.selection);
        Seen {
            evidence: Some(evidence),
            report,
        }
    }
}

impl Interrupts {
    /// From here on these signals are waited for, and no longer end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let deaf = |error: std::io::Error| Failure::tool(format!("signals cannot be waited for: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(deaf)?,
            terminate: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    /// Waits for one, and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    /// Pauses, unless one comes first.
    pub(crate) async fn pause(&mut self, duration: Duration) -> Option<&'static str> {
        tokio::select! {
            signal = self.next() => Some(signal),
            () = tokio::time::sleep(duration) => None,
        }
    }
}
