//! A Starbase to register with: the control plane's side of `manifests/starbase/openapi.yaml`, with faults on demand.
//!
//! Everything it knows lies in one SQLite file, so that several processes (one in each cluster's network) are one
//! Starbase, and a test or a command line steers it while they serve.

mod answer;
mod api;
mod certificates;
mod clock;
mod command;
mod exchanges;
mod faults;
mod page;
mod registrations;
mod request;
mod server;
mod serving;
mod store;
mod tokens;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

pub(crate) use self::command::{Arguments, run};
pub use self::exchanges::Exchange;
pub use self::faults::{CertificateFault, Fault, FaultKind, Operation, RetryAfter};
pub use self::registrations::{Known, State};
pub use self::serving::Serving;
use self::store::Store;

/// One Starbase: its folder holds the SQLite file, the authority and the certificates.
#[derive(Debug)]
pub struct Starbase {
    dir: PathBuf,
    store: Store,
}

impl Starbase {
    /// The Starbase of a folder; made where there is none.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn open(dir: &Path) -> Result<Self> {
        certificates::ensure(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            store: Store::open(dir)?,
        })
    }

    /// Serves it from this process until the value is dropped. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub fn serve(&self, address: SocketAddr) -> Result<Serving> {
        Serving::here(&self.dir, address)
    }

    /// Serves it from a process of its own within the network of the cluster of that name (`default` is the shared one),
    /// on the control plane's address there, 10.0.0.254, which nodes and pods reach, until the value is dropped. Its
    /// certificate is for that address, for `starbase.testbed`, and for `starbase.starform.io`, which the cluster's DNS
    /// resolves to it: on port 443 it is the Starbase of the manifests.
    ///
    /// # Errors
    ///
    /// When the cluster is not up, or the process does not answer.
    pub fn serve_within(&self, cluster: &str, port: u16) -> Result<Serving> {
        Serving::within(&self.dir, cluster, port)
    }

    /// The authority that signed its certificate, in PEM: what the agent is to trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        certificates::authority_file(&self.dir)
    }

    /// A new token for a cluster ID.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub fn mint(&self, cluster_id: &str) -> Result<String> {
        tokens::mint(&self.store, cluster_id)
    }

    /// Revokes a token.
    ///
    /// # Errors
    ///
    /// When there is no such token.
    pub fn revoke(&self, token: &str) -> Result<()> {
        tokens::revoke(&self.store, token)
    }

    /// Revokes all tokens of a cluster ID; how many there were.
    ///
    /// # Errors
    ///
    /// When that cannot be stored.
    pub fn revoke_all(&self, cluster_id: &str) -> Result<usize> {
        tokens::revoke_all(&self.store, cluster_id)
    }

    /// Adds a fault. Where several fit a request, the earliest that is not used up is taken.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub fn fault(&self, fault: &Fault) -> Result<()> {
        faults::add(&self.store, fault)
    }

    /// Removes all faults.
    ///
    /// # Errors
    ///
    /// When that cannot be stored.
    pub fn clear(&self) -> Result<()> {
        faults::clear(&self.store)
    }

    /// Moves its clock on: heartbeats age, and `Date` is later.
    ///
    /// # Errors
    ///
    /// When that cannot be stored.
    pub fn advance(&self, by: Duration) -> Result<()> {
        clock::advance(&self.store, by)
    }

    /// How often it wants heartbeats from now on, and after how long without one a cluster is lost; whole seconds.
    ///
    /// # Errors
    ///
    /// When that cannot be stored.
    pub fn rhythm(&self, interval: Duration, grace: Duration) -> Result<()> {
        clock::set_rhythm(&self.store, interval, grace)
    }

    /// What it knows of every cluster, by ID.
    ///
    /// # Errors
    ///
    /// When its file cannot be read.
    pub fn clusters(&self) -> Result<Vec<Known>> {
        registrations::all(&self.store)
    }

    /// The requests that it was sent, and the answers, oldest first; the last few thousand.
    ///
    /// # Errors
    ///
    /// When its file cannot be read.
    pub fn requests(&self) -> Result<Vec<Exchange>> {
        exchanges::all(&self.store)
    }
}
