//! `shuttle deregister`.

use super::Starbase;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// End this cluster's registration, so that its ID is free
#[derive(Debug, clap::Args)]
pub(super) struct Deregister {
    /// Folder of the files cluster-id, region and token
    #[arg(long, default_value = "/etc/shuttle/parameters")]
    parameters: PathBuf,
    #[command(flatten)]
    starbase: Starbase,
}

impl Deregister {
    pub(super) async fn run(self, _stop: CancellationToken) -> anyhow::Result<()> {
        let Self { parameters: _, starbase } = self;
        let _ = starbase.address()?;
        anyhow::bail!("not written yet")
    }
}
