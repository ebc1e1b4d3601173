//! Starbase's registration API, from the agent's side. The protocol is `manifests/starbase/openapi.yaml`.
//!
//! ```text
//!  Told ─► wire ─► HttpRegistrar ─► Transport ─► Starbase
//!                       │               (one request, one bounded answer)
//!  Granted, Setback ◄─ answer, refusal
//! ```

pub mod address;
mod answer;
mod client;
pub mod refusal;
mod report;
mod retry_after;
mod tls;
mod transport;
mod trouble;
pub mod wire;

use crate::lifecycle::{Granted, Setback};
use std::time::Duration;

pub use self::address::Address;
pub use self::client::{About, HttpRegistrar};
pub use self::refusal::{Refusal, RequestError};
pub use self::transport::{ReqwestTransport, TransportOptions};

/// What the lifecycle's shell asks of Starbase. One implementation speaks HTTP; a simulation has another one under it.
pub trait Registrar: Send + Sync + 'static {
    /// `PUT /v1/clusters/{cluster-id}/registration`.
    fn register(&self, told: &Told) -> impl Future<Output = Result<Granted, Setback>> + Send;
    /// `PUT /v1/clusters/{cluster-id}/heartbeat`. The interval until the next.
    fn heartbeat(&self, generation: u64, told: &Told) -> impl Future<Output = Result<Duration, Setback>> + Send;
}

/// What the agent tells Starbase of the cluster.
#[derive(Clone, Debug)]
pub struct Told {
    /// UID of the namespace kube-system.
    pub uid: String,
    /// `active`, `degraded`, `stopping`: the phase.
    pub phase: crate::lifecycle::Phase,
    /// Why, in words.
    pub reason: String,
    /// The last report; cut down where it would be too large.
    pub report: Option<std::sync::Arc<crate::verification::Verification>>,
}

/// Sends one request and reads the whole answer, bounded in time and size. What the simulation of the tests replaces.
pub trait Transport: Send + Sync + 'static {
    /// The answer, whatever its status. The request's path is absolute, its authority is the transport's own.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> impl Future<Output = Result<http::Response<Vec<u8>>, TransportError>> + Send;
}

/// Why there is no answer: what was tried and what it means, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// In words, without the token.
    pub message: String,
}
