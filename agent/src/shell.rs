//! The lifecycle's shell: feeds it what happens, does what it says, and publishes where it stands.

use crate::registrar::Registrar;
use crate::snapshot::{Snapshot, Transition};
use crate::verification::Verification;
use starform_verify::evidence::ShuttleStatus;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What the lifecycle hears.
#[derive(Debug)]
pub struct Inbox {
    /// The last verification.
    pub verifications: watch::Receiver<Option<Arc<Verification>>>,
    /// Whether this replica holds the Lease.
    pub leading: watch::Receiver<bool>,
    /// The ConfigMap `shuttle-status`, whoever wrote it.
    pub status: watch::Receiver<Option<ShuttleStatus>>,
    /// Counts the changes of the parameters.
    pub parameters: watch::Receiver<u64>,
    /// Ends everything: heartbeat with the reason, then return.
    pub stop: CancellationToken,
}

/// What the lifecycle says.
#[derive(Debug)]
pub struct Outbox {
    /// Where it stands.
    pub snapshot: watch::Sender<Snapshot>,
    /// Every change of phase, none lost.
    pub transitions: mpsc::Sender<Transition>,
    /// A verification is wanted now.
    pub verify: Arc<Notify>,
    /// The Lease is to be given back: a later registration stands.
    pub step_down: Arc<Notify>,
}

/// Runs the lifecycle until it is stopped.
pub async fn run<R: Registrar>(registrar: R, inbox: Inbox, outbox: Outbox) {
    let _ = (registrar, inbox, outbox);
}
