//! The tasks of a role: each in a span of its own, none of which may end before it is asked to.

use std::future::Future;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tracing::{Instrument, error, info_span, warn};

/// Tasks that run until they are stopped.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: JoinSet<&'static str>,
}

/// A task that ended unasked: the process cannot go on without it.
#[derive(Debug, thiserror::Error)]
pub(super) enum EndedEarly {
    #[error("the task {0} ended, though nothing asked it to")]
    Returned(&'static str),
    #[error("a task ended abnormally: {0}")]
    Failed(#[from] JoinError),
}

// === impl Tasks ===

impl Tasks {
    /// Starts one.
    pub(super) fn start(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let span = info_span!("task", task = name);
        self.running.spawn(
            async move {
                task.await;
                name
            }
            .instrument(span),
        );
    }

    /// Waits for a task to end that should not.
    pub(super) async fn one_ended(&mut self) -> EndedEarly {
        match self.running.join_next().await {
            Some(Ok(name)) => EndedEarly::Returned(name),
            Some(Err(error)) => error.into(),
            // None runs: there is nothing to wait for.
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended, having been asked to; those that have not by then are dropped.
    pub(super) async fn all_ended(mut self, within: Duration) {
        let ended = timeout(within, async {
            while let Some(ended) = self.running.join_next().await {
                if let Err(error) = ended {
                    error!(%error, "a task ended abnormally");
                }
            }
        });
        if ended.await.is_err() {
            warn!(
                tasks = self.running.len(),
                "some tasks were still running and were dropped"
            );
        }
    }
}
