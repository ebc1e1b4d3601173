//! Helm's releases, from the Secrets that Helm keeps them in.

use super::access::Cluster;
use super::get::Get;
use super::rbac::RuleOptions;
use super::request::Obstacle;
use crate::contract::Contract;
use crate::evidence::HelmRelease;

/// Reads the releases that the contract names.
pub(super) async fn collect(_cluster: &Cluster<'_>) -> Result<Vec<HelmRelease>, Obstacle> {
    Ok(Vec::new())
}

/// The requests that it sends.
pub(super) fn requests(_contract: &Contract, _options: RuleOptions) -> Vec<Get> {
    Vec::new()
}
