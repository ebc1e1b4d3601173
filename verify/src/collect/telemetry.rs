//! The collectors of step 4: Fluent Bit, vmagent and Alloy.

mod flow;
mod installed;

pub use self::flow::EarlierPages;

use super::Progress;
use super::access::Cluster;
use super::get::Get;
use super::rule_options::RuleOptions;
use super::run::Run;
use crate::contract::Contract;
use crate::evidence::{Source, Telemetry};

/// Reads its sources, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> Telemetry {
    let installed = installed::collect(run, cluster).await;
    flow::collect(run, cluster, installed).await
}

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    match source {
        Source::FluentBitMetrics | Source::VmagentMetrics | Source::AlloyMetrics => {
            flow::requests(source, contract, options)
        }
        _ => installed::requests(source, contract, options),
    }
}
