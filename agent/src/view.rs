//! The agent's state at one moment: what the routes show and the ConfigMap says.

use crate::identity::Identity;
use crate::names::Names;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use jiff::Timestamp;
use starform_verify::contract::Contract;
use std::sync::Arc;
use tokio::sync::watch;

/// Where the agent's state is read. The token is in none of it.
#[derive(Clone, Debug)]
pub struct Sources {
    /// This pod.
    pub identity: Identity,
    /// The contract that the verifications are judged by.
    pub contract: Arc<Contract>,
    /// Cluster ID and region; `None` until they were read.
    pub names: watch::Receiver<Option<Names>>,
    /// Where the lifecycle stands.
    pub snapshot: watch::Receiver<Snapshot>,
    /// The last verification.
    pub verifications: watch::Receiver<Option<Arc<Verification>>>,
}

/// The agent's state at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// This pod.
    pub identity: Identity,
    /// The contract.
    pub contract: Arc<Contract>,
    /// Cluster ID and region.
    pub names: Option<Names>,
    /// Where the lifecycle stands.
    pub snapshot: Snapshot,
    /// The last verification.
    pub verification: Option<Arc<Verification>>,
    /// The agent's clock.
    pub now: Timestamp,
}

// === impl Sources ===

impl Sources {
    /// The state now.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            identity: self.identity.clone(),
            contract: Arc::clone(&self.contract),
            names: self.names.borrow().clone(),
            snapshot: self.snapshot.borrow().clone(),
            verification: self.verifications.borrow().clone(),
            now: Timestamp::now(),
        }
    }
}
