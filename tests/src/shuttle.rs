//! Shuttle on the testbed: its image, its manifests applied as a team applies them, and the faults that only an agent
//! in the cluster meets.

mod account;
mod install;
mod permissions;
mod roles;

pub use account::{Account, Reply};
pub use install::Installation;
pub use roles::{roles, startup_taint_roles};
