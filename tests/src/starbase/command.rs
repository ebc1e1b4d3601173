//! `testbed starbase …`: serves, mints, breaks, shows.

use std::fmt::Write;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use super::Starbase;
use super::exchanges::Exchange;
use super::faults::{CertificateFault, Fault, FaultKind, Operation, RetryAfter};
use super::registrations::Known;
use crate::paths;

/// Arguments of `testbed starbase`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder of its state; several processes may serve one
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Serve it until the process ends
    Serve {
        /// Where to listen; the certificate is for localhost, 127.0.0.1, ::1, 10.0.0.254 and starbase.testbed
        #[arg(long, default_value = "127.0.0.1:8443")]
        address: SocketAddr,
        /// End when standard input is closed
        #[arg(long, hide = true)]
        until_stdin_closes: bool,
    },
    /// Print a new token for a cluster ID
    Mint { cluster_id: String },
    /// Revoke all tokens of a cluster ID
    Revoke { cluster_id: String },
    /// Do something wrong from now on
    Fault {
        #[command(subcommand)]
        kind: Wrong,
        /// Only in these requests
        #[arg(long, global = true)]
        on: Option<Operation>,
        /// Only so many times
        #[arg(long, global = true)]
        times: Option<u32>,
    },
    /// Do nothing wrong any more
    Clear,
    /// Look at its clock, or move it
    Clock {
        #[command(subcommand)]
        step: Step,
    },
    /// How often heartbeats are wanted, and after how long without one a cluster is lost
    Rhythm {
        #[arg(value_parser = duration)]
        interval: Duration,
        #[arg(value_parser = duration)]
        grace: Duration,
    },
    /// List the clusters
    Clusters,
    /// List the requests and what was answered
    Requests {
        /// With headers and bodies, as JSON, one a line
        #[arg(long)]
        json: bool,
    },
    /// Print where the authority's certificate lies
    Authority,
}

#[derive(Subcommand)]
enum Step {
    /// Move it on: heartbeats age
    Advance {
        #[arg(value_parser = duration)]
        by: Duration,
    },
}

#[derive(Subcommand)]
enum Wrong {
    /// Answer with a status of 400 to 599
    Status {
        status: u16,
        /// Seconds, or any other text for the header
        #[arg(long)]
        retry_after: Option<String>,
        /// The header as a date, so many seconds from now
        #[arg(long, conflicts_with = "retry_after")]
        retry_date: Option<u64>,
    },
    /// Answer late
    Delay {
        #[arg(value_parser = duration)]
        by: Duration,
    },
    /// Close the connection instead of answering
    Drop,
    /// Do what is asked, and close the connection instead of answering
    DropAnswer,
    /// End the answer's body in its middle
    Truncate,
    /// Answer 200 with a page, as a captive portal does
    Html,
    /// Show another certificate
    Certificate { fault: CertificateFault },
}

/// Runs it; what it returns goes to standard output.
pub(crate) fn run(arguments: Arguments) -> Result<String> {
    let dir = arguments
        .state
        .unwrap_or_else(|| paths::workspace().join("target/testbed/starbase"));
    let starbase = Starbase::open(&dir)?;
    match arguments.task {
        Task::Serve {
            address,
            until_stdin_closes,
        } => {
            let stop = CancellationToken::new();
            if until_stdin_closes {
                let stop = stop.clone();
                std::thread::spawn(move || {
                    let mut rest = [0; 64];
                    while std::io::stdin().read(&mut rest).is_ok_and(|read| read > 0) {}
                    stop.cancel();
                });
            }
            super::serving::serve(&dir, address, stop)?;
            Ok(String::new())
        }
        Task::Mint { cluster_id } => Ok(format!("{}\n", starbase.mint(&cluster_id)?)),
        Task::Revoke { cluster_id } => Ok(format!("{} revoked\n", starbase.revoke_all(&cluster_id)?)),
        Task::Fault { kind, on, times } => {
            let kind = kind.into();
            starbase.fault(&Fault { kind, on, times })?;
            Ok(String::new())
        }
        Task::Clear => starbase.clear().map(|()| String::new()),
        Task::Clock {
            step: Step::Advance { by },
        } => starbase.advance(by).map(|()| String::new()),
        Task::Rhythm { interval, grace } => starbase.rhythm(interval, grace).map(|()| String::new()),
        Task::Clusters => clusters(&starbase.clusters()?),
        Task::Requests { json } => requests(&starbase.requests()?, json),
        Task::Authority => Ok(format!("{}\n", starbase.authority().display())),
    }
}

impl From<Wrong> for FaultKind {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Status {
                status,
                retry_after,
                retry_date,
            } => {
                let text = |text: String| text.parse().map_or(RetryAfter::Text(text), RetryAfter::Seconds);
                Self::Status {
                    status,
                    retry_after: retry_date.map(RetryAfter::Date).or_else(|| retry_after.map(text)),
                }
            }
            Wrong::Delay { by } => Self::Delay(by),
            Wrong::Drop => Self::Drop,
            Wrong::DropAnswer => Self::DropAnswer,
            Wrong::Truncate => Self::Truncate,
            Wrong::Html => Self::Html,
            Wrong::Certificate { fault } => Self::Certificate(fault),
        }
    }
}

fn clusters(clusters: &[Known]) -> Result<String> {
    let mut text = String::new();
    for known in clusters {
        let heard = known
            .last_heartbeat
            .map_or_else(|| "never".to_owned(), |time| format!("{time:.0}"));
        writeln!(
            text,
            "{}  {}  {}  generation {}  heartbeat {heard}  {}",
            known.cluster_id,
            known.state.as_str(),
            known.uid,
            known.generation,
            known.reason
        )?;
    }
    Ok(text)
}

fn requests(exchanges: &[Exchange], json: bool) -> Result<String> {
    let mut text = String::new();
    for exchange in exchanges {
        if json {
            writeln!(text, "{}", serde_json::to_string(exchange)?)?;
            continue;
        }
        let status = exchange
            .status()
            .map_or_else(|| "closed".to_owned(), |status| status.to_string());
        let fault = exchange.fault.as_deref().unwrap_or_default();
        writeln!(text, "{} {} {status} {fault}", exchange.method, exchange.path)?;
    }
    Ok(text)
}

/// `90s`, `10m`, `1h30m`.
fn duration(text: &str) -> Result<Duration> {
    let span: jiff::SignedDuration = text
        .parse()
        .with_context(|| format!("`{text}` is no duration such as 10m"))?;
    Ok(Duration::try_from(span)?)
}
