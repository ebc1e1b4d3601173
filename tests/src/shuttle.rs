//! Shuttle on the testbed: its image, its manifests applied as a team applies them, and the faults that only an agent
//! in the cluster meets.

mod account;
mod authorities;
mod cluster;
mod faults;
mod image;
mod install;
mod nodes;
mod pods;
mod roles;

pub use account::{Account, Reply};
pub use cluster::{bare_cluster, second_cluster};
pub use image::IMAGE;
pub(crate) use image::{Recipe, build, prepare};
pub use install::Installation;
pub(crate) use nodes::mend as mend_node;
pub use pods::Answer;
pub use roles::{roles, startup_taint_roles};
