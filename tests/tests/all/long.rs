//! What takes many minutes on clusters of its own: `.ci/long` runs it.

mod collectors;
mod gateway;
mod region;
mod whole;
