//! The agent's tasks and clients, each over a server that does what a real one will not do on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

mod admin;
mod agreement;
mod labeler;
mod leader;
mod registrar;
mod simulation;
