//! Shuttle, from outside: what it says of itself, and what it is made of.

pub(super) mod config_maps;
pub(super) mod grants;
pub(super) mod starbase;
pub(super) mod status;
pub(super) mod workload;
