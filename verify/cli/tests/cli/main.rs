//! The binary as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

mod document;
mod evidence;
mod exit_code;
mod explain;
mod imports;
mod interface;
mod live;
mod manifests;
mod packages;
mod plan;
mod rbac;
mod run;
mod sequence;
mod sources;
mod usage;
