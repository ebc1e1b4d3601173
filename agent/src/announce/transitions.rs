//! Every transition told once each: a log line and the metric at once, the Event as soon as the API server takes it.

use super::event::Events;
use crate::lifecycle::Phase;
use crate::metrics::Metrics;
use crate::snapshot::Transition;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

/// Events that wait for the API server. Hysteresis keeps transitions minutes apart: more than these means that it has
/// been away for long, and the ConfigMap will say where things stand.
const WAITING: usize = 32;
/// How long Events that still wait may take once the agent stops.
const LAST_WITHIN: Duration = Duration::from_secs(3);

/// What a transition is told through.
#[derive(Clone, Debug)]
pub struct Announcements {
    /// Counts them.
    pub metrics: Metrics,
    /// Writes Events; `None` tells them in the log only.
    pub events: Option<Events>,
}

/// Tells every transition, until the sender is gone; then Events that wait get 3 s more. Reading never waits for the API
/// server, so that the lifecycle never does.
pub async fn announce(mut transitions: mpsc::Receiver<Transition>, through: Announcements) {
    let Announcements { metrics, events } = through;
    let Some(events) = events else {
        while let Some(transition) = transitions.recv().await {
            tell(&transition, &metrics);
        }
        return;
    };
    let (sender, mut queue) = mpsc::channel::<Transition>(WAITING);
    let reading = async {
        while let Some(transition) = transitions.recv().await {
            tell(&transition, &metrics);
            if let Err(full) = sender.try_send(transition) {
                metrics.announcement_failed("event");
                let transition = full.into_inner();
                error!(to = %transition.to, "an Event was left out: too many wait for the API server");
            }
        }
        drop(sender);
    };
    let writing = async {
        while let Some(transition) = queue.recv().await {
            if let Err(error) = events.publish(&transition).await {
                metrics.announcement_failed("event");
                error!(from = %transition.from, to = %transition.to, error, "an Event was not written");
            }
        }
    };
    tokio::pin!(writing);
    tokio::select! {
        biased;
        () = reading => {}
        // Not before the sender is dropped, which reading does.
        () = &mut writing => return,
    }
    if tokio::time::timeout(LAST_WITHIN, writing).await.is_err() {
        warn!("the agent stopped before every Event was written");
    }
}

fn tell(transition: &Transition, metrics: &Metrics) {
    let Transition { from, to, reason, at } = transition;
    metrics.transition(*from, *to);
    match to {
        Phase::Degraded | Phase::Rejected => warn!(%from, %to, reason, %at, "changed phase"),
        _ => info!(%from, %to, reason, %at, "changed phase"),
    }
}

#[cfg(test)]
mod tests;
