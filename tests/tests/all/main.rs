//! Everything that is tested with the testbed. What needs a cluster, or a program of another language, is ignored, so that
//! where there is none nothing counts as passed: `tests/run` runs it. Of that, what is in a module `long` only `.ci/long`
//! runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "clippy knows only those functions that are tests themselves; figures go to the test's output"
)]

mod admission;
mod agent_labels;
mod audit;
mod cluster;
mod collectors;
mod exposition_oracle;
mod faults;
mod fixes;
mod fleet;
mod leftovers;
mod long;
mod pods;
mod roles;
mod setup;
mod shuttle;
mod shuttle_image;
mod shuttle_manifests;
mod starbase;
mod unusual;
