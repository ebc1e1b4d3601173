//! Envoy Gateway: its controller, and the Gateway API's objects.

use super::Progress;
use super::access::Cluster;
use super::get::Get;
use super::rbac::RuleOptions;
use super::run::Run;
use crate::contract::Contract;
use crate::evidence::{Gateway, Source};

/// Reads its sources, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(_run: &Run<'_, P>, _cluster: &Cluster<'_>) -> Gateway {
    Gateway::not_collected()
}

/// The requests that a source sends.
pub(super) fn requests(_source: Source, _contract: &Contract, _options: RuleOptions) -> Vec<Get> {
    Vec::new()
}
