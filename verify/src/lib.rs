//! Decides whether a Kubernetes cluster keeps Starform's install contract, and if not, which step broke first.
//!
//! Data flows one way:
//!
//! ```text
//! contract.yaml ─────────────────────────┐
//!                                        ▼
//! cluster ──► collect ──► Evidence ──► evaluate ──► Report ──► render
//!             (all I/O)   (plain data)  (pure)
//! ```
//!
//! [`collect`] does all the I/O and decides nothing; [`evaluate`] is a pure function of contract and evidence. Both
//! callers, the auditor `starform-verify` and the agent `shuttle`, use this library, so that they cannot disagree.

pub mod collect;
pub mod contract;
pub mod evaluate;
pub mod evidence;
mod flow;
pub mod manifests;
pub mod render;
pub mod report;
pub mod values;
