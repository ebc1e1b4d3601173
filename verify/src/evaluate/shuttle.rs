//! Step 5: Shuttle.

pub(super) mod configuration;
pub(super) mod identity;
pub(super) mod permissions;
pub(super) mod status;
pub(super) mod workloads;
