//! What tests are made of: recordings of real clusters, canned answers of the servers that an audit asks, each request of
//! them to be spoilt in every way, and the states that people reported.
//!
//! The tests of all crates take it as a development dependency; no program that is shipped does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "it is part of tests: what it cannot give ends them"
)]

mod answers;
pub mod cases;
mod client;
mod faults;
pub mod install;
pub mod kube_state_metrics;
mod kubectl;
mod mock;
mod pods;
mod protobuf;
pub mod recordings;
mod reply;
mod requests;
pub mod serve;

pub use answers::Answers;
pub use client::{PASSWORDS, TOKEN, collect, plan, terraform};
pub use faults::{FAULTS, Fault, problem, status};
pub use mock::Mock;
pub use pods::list as pod_list;
pub use requests::{Asked, PARTS, REQUESTS, asked};
