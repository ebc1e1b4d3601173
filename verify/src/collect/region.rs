//! The regional stores, where the audit is to ask them, and what Terraform says of them.

mod log_aggregator;
mod log_store;
mod metrics_store;
mod promql;
mod sql;
mod vector;

use super::Progress;
use super::obstacle::Obstacle;
use super::run::Run;
use super::stores::{self, Store, Stores};
use super::targets::Targets;
use super::terraform::TerraformDocument;
use crate::contract::Contract;
use crate::evidence::{self, Asked, Observed, Reason, Source, StatusRead, StoreCluster, StoreQuestion, Unknown};
use std::time::Duration;

/// What is asked of a region.
#[derive(Clone, Copy)]
pub(super) struct Region<'a> {
    stores: Option<&'a Stores>,
    terraform: Option<&'a TerraformDocument>,
    contract: &'a Contract,
    /// Bounds one request, its body included.
    request_timeout: Duration,
}

/// Reads its sources, as far as they are planned. Needs no permission of the cluster; which cluster the stores are asked
/// about is what its status says, or the stores file.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    region: Region<'_>,
    status: &Observed<StatusRead>,
) -> evidence::Region {
    let shown_by = |which: fn(&Stores) -> &Store| async move {
        match region.stores {
            Some(stores) => which(stores).door().certificate(region.request_timeout).await,
            None => Observed::not_collected(),
        }
    };
    let (metrics_store_certificate, log_store_certificate, metrics_store, log_store, log_aggregator, terraform) = tokio::join!(
        run.beside(Source::MetricsStore, shown_by(Stores::metrics)),
        run.beside(Source::LogStore, shown_by(Stores::logs)),
        run.source(Source::MetricsStore, async {
            match question(region, status, Stores::metrics) {
                Ok((store, asked)) => answered(metrics_store::ask(region, store, asked).await),
                Err(unasked) => *unasked,
            }
        }),
        run.source(Source::LogStore, async {
            match question(region, status, Stores::logs) {
                Ok((store, asked)) => answered(log_store::ask(region, store, asked).await),
                Err(unasked) => *unasked,
            }
        }),
        run.source(Source::LogAggregator, async {
            match region.stores {
                Some(stores) => answered(log_aggregator::ask(stores, region.request_timeout).await),
                None => Observed::Seen(Asked::NotAsked),
            }
        }),
        run.source(Source::Terraform, async {
            Observed::Seen(match region.terraform {
                Some(document) => Asked::Answered(document.evidence().clone()),
                None => Asked::NotAsked,
            })
        }),
    );
    evidence::Region {
        metrics_store,
        metrics_store_certificate,
        log_store,
        log_store_certificate,
        log_aggregator,
        terraform,
    }
}

fn answered<T>(result: Result<T, Obstacle>) -> Observed<Asked<T>> {
    super::obstacle::observed(result.map(Asked::Answered))
}

/// The store to ask, and about which cluster; else why nothing is asked.
fn question<'a, T>(
    region: Region<'a>,
    status: &Observed<StatusRead>,
    which: fn(&Stores) -> &Store,
) -> Result<(&'a Store, StoreQuestion), Box<Observed<Asked<T>>>> {
    let Some(stores) = region.stores else {
        return Err(Box::new(Observed::Seen(Asked::NotAsked)));
    };
    let store = which(stores);
    let asked = |cluster: StoreCluster| StoreQuestion {
        url: store.url().to_owned(),
        region: stores.region().to_owned(),
        cluster,
    };
    if let Some(named) = stores.cluster() {
        return Ok((store, asked(named.clone())));
    }
    if let Some(behind) = status.behind("ConfigMap shuttle-status") {
        return Err(Box::new(behind));
    }
    let Observed::Seen(StatusRead { status, .. }) = status else {
        return Err(Box::new(Observed::Absent));
    };
    // It becomes part of a query's text.
    if !stores::is_label_value(&status.cluster_id) {
        return Err(Box::new(Observed::Unknown(Unknown::new(
            Reason::Malformed,
            "ConfigMap shuttle-status",
            "its clusterId cannot be the value of a label, so that no store can be asked about it",
        ))));
    }
    Ok((
        store,
        asked(StoreCluster {
            id: status.cluster_id.clone(),
            region: Some(status.region.clone()),
            ended: false,
        }),
    ))
}

// === impl Region ===

impl<'a> Region<'a> {
    pub(super) fn of(targets: &'a Targets, contract: &'a Contract, request_timeout: Duration) -> Self {
        Self {
            stores: targets.stores.as_ref(),
            terraform: targets.terraform.as_ref(),
            contract,
            request_timeout,
        }
    }
}
