//! The time between two rounds.

use super::Inbox;
use super::pace::Pace;
use crate::lifecycle::{Gate, Phase};
use crate::liveness::Pulse;
use crate::verification::Verification;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a change is waited upon for the next one: a rollout is many.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// How often the loop says that it lives while it waits.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Waits until the next verification is due, or wanted. Whether there is to be another.
pub(super) async fn wait(
    pace: &Pace,
    inbox: &mut Inbox,
    verifications: &watch::Sender<Option<Arc<Verification>>>,
    pulse: &Pulse,
) -> bool {
    let jitter = fastrand::f64();
    let due = |phase: Phase| {
        let passes = verifications
            .borrow()
            .as_ref()
            .is_some_and(|last| last.gate == Gate::Passes);
        pace.due(is_settled(phase) && passes, jitter)
    };
    loop {
        pulse.beat();
        let phase = inbox.snapshot.borrow_and_update().phase;
        tokio::select! {
            biased;
            () = inbox.stop.cancelled() => return false,
            () = inbox.verify.notified() => break,
            changed = inbox.parameters.changed() => match changed {
                Ok(()) => break,
                Err(_) => return false,
            },
            changed = inbox.leading.changed() => match changed {
                Ok(()) => break,
                Err(_) => return false,
            },
            // The phase sets the pace: it is looked at again.
            changed = inbox.snapshot.changed() => if changed.is_err() {
                return false;
            },
            () = tokio::time::sleep_until(due(phase)) => return true,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    // One change seldom comes alone.
    let soonest = pace.soonest(Instant::now() + DEBOUNCE);
    while Instant::now() < soonest {
        pulse.beat();
        tokio::select! {
            biased;
            () = inbox.stop.cancelled() => return false,
            () = tokio::time::sleep_until(soonest.min(Instant::now() + HEARTBEAT)) => {}
        }
    }
    true
}

/// Whether nothing waits for the next verdict while the gating checks pass.
fn is_settled(phase: Phase) -> bool {
    match phase {
        Phase::Active | Phase::Standby | Phase::Registering | Phase::Rejected | Phase::Stopping => true,
        Phase::Starting | Phase::Verifying | Phase::Degraded => false,
    }
}

#[cfg(test)]
mod tests;
