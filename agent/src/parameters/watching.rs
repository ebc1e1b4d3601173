//! Reads the parameters again and again: a changed token takes effect without a restart.

use super::{Parameters, ParametersError, read};
use crate::liveness::Pulse;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

/// How often the files are read. kubelet itself brings a changed Secret within a minute or so; a file watch would not be
/// told of the swapped link's target everywhere.
const EVERY: Duration = Duration::from_secs(5);

/// What the rest of the agent sees of the parameters.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The last ones that could be read.
    pub parameters: watch::Receiver<Arc<Parameters>>,
    /// Counts their changes.
    pub changes: watch::Receiver<u64>,
}

/// Begins with parameters that were read, and a task that reads them every five seconds and publishes what changed. While
/// they cannot be read the last ones stay, and that is said once. The task ends when nobody receives any more; drop it to
/// end it before. It needs a [`Pulse`] of half a minute.
pub fn watch(folder: PathBuf, first: Parameters, pulse: Pulse) -> (Watched, impl Future<Output = ()> + Send + 'static) {
    let (parameters, parameters_seen) = watch::channel(Arc::new(first));
    let (changes, changes_seen) = watch::channel(0);
    let watched = Watched {
        parameters: parameters_seen,
        changes: changes_seen,
    };
    (watched, run(folder, parameters, changes, pulse))
}

async fn run(folder: PathBuf, parameters: watch::Sender<Arc<Parameters>>, changes: watch::Sender<u64>, pulse: Pulse) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unreadable: Option<String> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = parameters.closed() => return,
        }
        pulse.beat();
        let path = folder.clone();
        let read = match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(read) => read,
            Err(error) => {
                error!(%error, "reading the parameters ended abnormally");
                continue;
            }
        };
        match read {
            Ok(found) => {
                if unreadable.take().is_some() {
                    info!(folder = %folder.display(), "the parameters can be read again");
                }
                publish(found, &parameters, &changes);
            }
            Err(error) => complain(&error, &mut unreadable),
        }
    }
}

fn publish(found: Parameters, parameters: &watch::Sender<Arc<Parameters>>, changes: &watch::Sender<u64>) {
    let before = Arc::clone(&parameters.borrow());
    if *before == found {
        return;
    }
    info!(
        cluster_id = found.cluster_id != before.cluster_id,
        region = found.region != before.region,
        token = found.token != before.token,
        "the parameters changed"
    );
    // The parameters first: who hears of a change finds them.
    parameters.send_replace(Arc::new(found));
    changes.send_modify(|count| *count += 1);
}

fn complain(error: &ParametersError, said: &mut Option<String>) {
    let text = error.to_string();
    if said.as_ref() != Some(&text) {
        warn!(%error, "kept the last parameters: they cannot be read any more");
        *said = Some(text);
    }
}
