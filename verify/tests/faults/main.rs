//! What an audit asks for, of whom and with what, and what it makes of answers that are wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

mod cases;
mod every_fault;
mod flow;
mod installed;
mod moments;
mod pages;
mod passes;
mod region;
mod releases;
mod reported;
mod requests;
mod slow;
mod states;
mod terraform;
