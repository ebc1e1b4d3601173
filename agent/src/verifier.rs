//! The verifier: collects the evidence of the gating checks from inside the cluster, again and again, and publishes what
//! they come to.
//!
//! One round is: label the own pod where it needs it, collect, read the kubelets whose turn it is, observe the canary,
//! judge. Evidence is dropped before the verdict is published: with ten thousand pods it is megabytes.

use crate::liveness::Pulse;
use crate::parameters::Parameters;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use starform_verify::evidence::ShuttleStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod cost;
mod metrics;
mod pace;
mod proven;
mod round;
mod status;
mod waiting;

pub use self::metrics::Metrics;
use self::pace::Pace;
use self::round::Circumstances;
pub use self::round::Verifier;

/// The verifier's loop turns at least so often: what its [`Pulse`] is to be made with, with slack.
pub const TURNS_WITHIN: Duration = Duration::from_mins(2);

/// What the verifier hears.
#[derive(Debug)]
pub struct Inbox {
    /// Whether this replica holds the Lease: only then it reads kubelets.
    pub leading: watch::Receiver<bool>,
    /// The ConfigMap `shuttle-status`, whoever wrote it: its join stands where there is none of the own.
    pub status: watch::Receiver<Option<ShuttleStatus>>,
    /// Where the lifecycle stands: it sets the pace, and is part of the own status.
    pub snapshot: watch::Receiver<Snapshot>,
    /// Cluster ID and region, which the own pod carries.
    pub parameters: watch::Receiver<Arc<Parameters>>,
    /// A verification is wanted now.
    pub verify: Arc<Notify>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Verifies until it is stopped. Publishes every verification; those who look late see the last one.
///
/// Needs what [`starform_verify::collect::rbac`] lists for the agent's checks, `patch pods` in the own namespace, and `get
/// nodes/metrics`.
pub async fn run(
    mut verifier: Verifier,
    mut inbox: Inbox,
    verifications: watch::Sender<Option<Arc<Verification>>>,
    pulse: Pulse,
) {
    let mut pace = Pace::default();
    loop {
        pulse.beat();
        let circumstances = Circumstances {
            leading: *inbox.leading.borrow_and_update(),
            status: inbox.status.borrow_and_update().clone(),
            snapshot: inbox.snapshot.borrow_and_update().clone(),
            parameters: Arc::clone(&inbox.parameters.borrow_and_update()),
        };
        let stop = inbox.stop.clone();
        let verification = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            verification = verifier.verify(&circumstances, &stop) => verification,
        };
        pace.spent(Instant::now(), verification.took, verification.cost);
        verifications.send_replace(Some(Arc::new(verification)));
        if !waiting::wait(&pace, &mut inbox, &verifications, &pulse).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
