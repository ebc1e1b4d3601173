//! What takes many minutes on clusters of its own: `.ci/long` runs it.

mod collectors;
mod fixes;
mod gateway;
mod region;
mod whole;
