//! Step 4: Fluent Bit, vmagent and Alloy, as they are installed, and whether they deliver.

pub(super) mod alloy;
pub(super) mod alloy_credentials;
pub(super) mod alloy_flow;
pub(super) mod alloy_pipelines;
mod collector;
mod every_node;
mod flow;
pub(super) mod fluent_bit;
pub(super) mod fluent_bit_buffer;
pub(super) mod fluent_bit_flow;
mod fluent_bit_routes;
pub(super) mod vmagent;
pub(super) mod vmagent_flow;
pub(super) mod vmagent_scrape;
