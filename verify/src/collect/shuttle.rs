//! Shuttle, from outside: what it says of itself, and what it is made of.

use super::Progress;
use super::access::Cluster;
use super::run::{self, Run};
use super::starbase::Starbase;
use crate::evidence::{Observed, Shuttle, Source};

pub(super) mod config_maps;
pub(super) mod grants;
pub(super) mod starbase;
pub(super) mod status;
pub(super) mod workload;

use self::workload::Role;

/// Reads its sources, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    starbase: Option<&Starbase>,
) -> Shuttle {
    // The status says under which ID Starbase knows the cluster.
    let registration = async {
        let status = run.source(Source::ShuttleStatus, run::plain(status::collect(cluster)));
        let status = status.await;
        let starbase = run
            .source(
                Source::Starbase,
                starbase::collect(starbase, cluster.request_timeout, &status),
            )
            .await;
        (status, starbase)
    };
    let certificate = async {
        match starbase {
            Some(starbase) => starbase.door().certificate(cluster.request_timeout).await,
            None => Observed::not_collected(),
        }
    };
    let (starbase_certificate, grants, (status, starbase), agent, node, config_maps) = tokio::join!(
        run.beside(Source::Starbase, certificate),
        run.source(Source::ShuttleGrants, run::plain(grants::collect(cluster))),
        registration,
        run.source(
            Source::ShuttleAgent,
            run::plain(workload::collect(cluster, Role::Agent))
        ),
        run.source(Source::ShuttleNode, run::plain(workload::collect(cluster, Role::Node))),
        run.source(Source::ShuttleConfigMaps, run::plain(config_maps::collect(cluster))),
    );
    Shuttle {
        status,
        agent,
        node,
        config_maps,
        grants,
        starbase,
        starbase_certificate,
    }
}
