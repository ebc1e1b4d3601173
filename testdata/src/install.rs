//! What is added to evidence of a cluster that did not have it when it was recorded: all as it should be.

pub mod flow;
pub mod gateway;
pub mod region;
pub mod releases;
pub mod shuttle;
pub mod telemetry;
