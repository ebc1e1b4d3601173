//! Shuttle, the agent in the cluster: proves that the cluster keeps the install contract, labels its workloads, and
//! registers it with Starbase.
//!
//! ```text
//!  parameters ─┐
//!  lease ──────┤                       ┌─► registrar ─► Starbase
//!  verifier ───┼─► inputs ─► lifecycle ─► snapshot ─► admin, status ConfigMap, Events, metrics, labeler
//!  (watches,   │             (pure)     └─► transitions
//!   canary,    │
//!   join) ─────┘
//! ```
//!
//! What decides is pure ([`lifecycle`]); [`shell`] does what it says. Every other module is one task or one client, and
//! tells the rest through a watch channel.

pub mod admin;
pub mod announce;
pub mod args;
pub mod canary;
pub mod deregister;
pub mod identity;
pub mod join;
pub mod kubelet;
pub mod labeler;
pub mod leader;
pub mod lifecycle;
pub mod liveness;
pub mod log;
pub mod metrics;
pub mod names;
pub mod node;
pub mod parameters;
pub mod registrar;
mod request;
pub mod shell;
pub mod snapshot;
pub mod triggers;
pub mod verification;
pub mod verifier;
pub mod view;
