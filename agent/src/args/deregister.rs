//! `shuttle deregister`: for a cluster that goes, typed by a person or run by the Worker.

use super::Starbase;
use crate::deregister::{Arguments, run};
use anyhow::Context;
use std::io::Write;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// End this cluster's registration, so that its ID is free
#[derive(Debug, clap::Args)]
pub(super) struct Deregister {
    /// Folder of the files cluster-id, region and token
    #[arg(long, value_name = "DIR", default_value = "/etc/shuttle/parameters")]
    parameters: PathBuf,
    #[command(flatten)]
    starbase: Starbase,
    /// End it only if it is this cluster's: UID of the namespace kube-system
    #[arg(long)]
    uid: Option<String>,
}

// === impl Deregister ===

impl Deregister {
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self {
            parameters,
            starbase,
            uid,
        } = self;
        let arguments = Arguments {
            parameters,
            starbase: starbase.address()?,
            starbase_authority: starbase.starbase_authority,
            uid,
            environment_proxy: true,
        };
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => anyhow::bail!("interrupted; the registration may or may not have ended: ask again"),
            outcome = run(&arguments) => outcome?,
        };
        writeln!(std::io::stdout(), "{outcome}").context("the outcome could not be written")
    }
}
