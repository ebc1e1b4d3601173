//! The command line, and the composition root: every task of a role is started in `agent` or `node`, nowhere else.

mod agent;
mod deregister;
mod node;
mod tasks;

use crate::identity::Identity;
use crate::log;
use crate::registrar::Address;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// Proves that this cluster keeps Starform's install contract, and registers it with Starbase
#[derive(Debug, Parser)]
#[command(name = "shuttle", version, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    role: Role,
    /// Form of the log
    #[arg(long, value_enum, default_value_t, global = true)]
    log_format: log::Form,
    /// Filter of the log, such as "info,shuttle=debug"
    #[arg(long, default_value = "", global = true)]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Verify the cluster, label its pods, register it: the Deployment
    Agent(agent::Agent),
    /// Prove this node: the DaemonSet
    Node(node::Node),
    /// End this cluster's registration, so that its ID is free
    Deregister(deregister::Deregister),
}

/// Which pod this is, from the downward API.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
struct Pod {
    /// Name of this pod
    #[arg(long, env = "POD_NAME")]
    pod_name: String,
    /// Its namespace
    #[arg(long, env = "POD_NAMESPACE")]
    pod_namespace: String,
    /// Its UID
    #[arg(long, env = "POD_UID")]
    pod_uid: String,
    /// The node it runs on
    #[arg(long, env = "NODE_NAME")]
    node_name: String,
}

/// Where Starbase is. The same for every cluster.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
struct Starbase {
    /// Starbase's address, https://HOST[:PORT]
    #[arg(long, value_name = "URL", required_unless_present = "starbase_address_file")]
    starbase: Option<Address>,
    /// File that holds it
    #[arg(long, value_name = "FILE", conflicts_with = "starbase")]
    starbase_address_file: Option<PathBuf>,
    /// PEM file of authorities that are trusted beside the machine's own; an empty file adds none
    #[arg(long, value_name = "FILE")]
    starbase_authority: Option<PathBuf>,
}

/// Runs what the command line says. Exit codes: 0 done, or stopped as asked; 1 it could not run; 2 bad usage.
#[must_use]
pub fn parse_and_run() -> ExitCode {
    let Args {
        role,
        log_format,
        log: filter,
    } = Args::parse();
    let ran = log::install(&filter, log_format)
        .map_err(anyhow::Error::from)
        .and_then(|()| run(role));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = format!("{error:#}"), "ended");
            ExitCode::FAILURE
        }
    }
}

fn run(role: Role) -> anyhow::Result<()> {
    // Two, so that a probe is answered while ten thousand pods are judged; more would only cost memory.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the async runtime could not be made")?;
    let ran = runtime.block_on(async {
        let stop = stop_signal().context("signals could not be listened for")?;
        match role {
            Role::Agent(role) => role.run(stop).await,
            Role::Node(role) => role.run(stop).await,
            Role::Deregister(task) => task.run(stop).await,
        }
    });
    // A blocking task that hangs in a file system must not keep a process that is done.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ran
}

/// Cancelled by the first SIGTERM or SIGINT. A second one ends the process as it would without this.
fn stop_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn({
        let stop = stop.clone();
        async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            info!(signal = name, "asked to stop");
            stop.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            error!("asked twice to stop; ended at once");
            std::process::abort();
        }
    });
    Ok(stop)
}

/// A client with the pod's own account.
fn client() -> anyhow::Result<kube::Client> {
    let mut config = kube::Config::incluster().context("the pod's ServiceAccount could not be used")?;
    // Every caller has its own timeout and its own idea of what to try again; kube would wait for minutes.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    kube::Client::try_from(config).context("the client for the API server could not be made")
}

// === impl Pod ===

impl Pod {
    fn identity(self) -> Identity {
        let Self {
            pod_name: pod,
            pod_namespace: namespace,
            pod_uid: uid,
            node_name: node,
        } = self;
        Identity {
            namespace,
            pod,
            uid,
            node,
        }
    }
}

// === impl Starbase ===

impl Starbase {
    fn address(&self) -> anyhow::Result<Address> {
        match (&self.starbase, &self.starbase_address_file) {
            (Some(address), _) => Ok(address.clone()),
            (None, Some(file)) => read_address(file),
            (None, None) => anyhow::bail!("neither --starbase nor --starbase-address-file is given"),
        }
    }
}

fn read_address(file: &Path) -> anyhow::Result<Address> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let address = text.trim();
    address
        .parse()
        .with_context(|| format!("Starbase's address {address:?} in {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
