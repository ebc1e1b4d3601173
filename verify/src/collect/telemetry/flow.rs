//! Whether it flows: the collectors' own metrics pages.

use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::rbac::RuleOptions;
use crate::collect::run::Run;
use crate::contract::Contract;
use crate::evidence::{Source, Telemetry};

/// Adds the metrics pages of the pods that were found, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(
    _run: &Run<'_, P>,
    _cluster: &Cluster<'_>,
    installed: Telemetry,
) -> Telemetry {
    installed
}

/// The requests that a source sends.
pub(super) fn requests(_source: Source, _contract: &Contract, _options: RuleOptions) -> Vec<Get> {
    Vec::new()
}
