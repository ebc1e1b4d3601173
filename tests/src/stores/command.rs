//! `testbed stores`: the stores of a region, for people.

use anyhow::Result;
use clap::Args;

use super::region::Region;
use crate::paths::State;
use crate::{Cluster, daemon, steps};

/// Arguments of `testbed stores`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Which stores; they keep what they hold, whatever becomes of the clusters
    #[arg(long, default_value = "default")]
    stores: String,
    /// Their region
    #[arg(long, default_value = "nyc3")]
    region: String,
    /// Write the auditor's file for a cluster of that ID
    #[arg(long, value_name = "ID", default_value = "testbed")]
    cluster_id: String,
}

/// Serves until the process is ended.
pub(crate) fn run(state: &State, arguments: &Arguments) -> Result<()> {
    let region = Region::start(&arguments.stores, &arguments.region)?;
    let file = region.stores_file(&arguments.cluster_id, false)?;
    steps::say(format_args!("--stores {}", file.display()));
    let mut reach = None;
    loop {
        let up = daemon::is_running(state)?;
        if !up {
            reach = None;
        } else if reach.is_none() {
            // Taken down by others: it is theirs.
            let cluster = Cluster::borrowed(State::named(&state.name));
            // One that is just starting has no network yet.
            reach = region.reach(&cluster).ok();
            if reach.is_some() {
                steps::say(format_args!("the cluster `{}` reaches them", state.name));
            }
        }
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
}
