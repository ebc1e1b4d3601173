//! What is added to evidence of a cluster that did not have it when it was recorded: all as it should be.

use starform_verify::evidence::Evidence;

pub mod flow;
pub mod gateway;
pub mod region;
pub mod releases;
pub mod shuttle;
pub mod telemetry;

/// Everything that the contract asks for beside steps 1 and 3: Envoy Gateway, Shuttle, the collectors and their pages, a
/// region, and Helm's releases.
pub fn everything(evidence: &mut Evidence) {
    gateway::install(evidence);
    shuttle::install(evidence);
    telemetry::install(evidence);
    flow::flow(evidence);
    region::install(evidence);
    releases::install(evidence);
}
