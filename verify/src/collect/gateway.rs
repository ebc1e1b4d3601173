//! Envoy Gateway: its controller, and the Gateway API's objects.

mod condition;
mod controller;
mod crds;
mod objects;

use super::Progress;
use super::access::Cluster;
use super::component;
use super::get::Get;
use super::rule_options::RuleOptions;
use super::run::{self, Run};
use crate::contract::Contract;
use crate::evidence::{Gateway, Source};

/// Reads its sources, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> Gateway {
    let (controller, classes, gateways, crds) = tokio::join!(
        run.source(
            Source::EnvoyGatewayWorkloads,
            run::plain(controller::collect(cluster, &run.workloads))
        ),
        run.source(Source::GatewayClasses, run::plain(objects::classes(cluster))),
        run.source(Source::Gateways, run::plain(objects::gateways(cluster))),
        run.source(Source::GatewayCrds, run::plain(crds::collect(cluster))),
    );
    Gateway {
        controller,
        classes,
        gateways,
        crds,
    }
}

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions) -> Vec<Get> {
    match source {
        Source::EnvoyGatewayWorkloads => {
            let namespaces = &contract.components.envoy_gateway.controller.namespaces;
            let count = if options.accepted_namespaces { usize::MAX } else { 1 };
            let own = namespaces.iter().take(count).flat_map(|namespace| {
                [
                    controller::deployments_request(namespace),
                    controller::events_request(namespace),
                    controller::pending_request(namespace),
                ]
            });
            std::iter::once(component::request()).chain(own).collect()
        }
        Source::GatewayClasses => vec![objects::classes_request()],
        Source::Gateways => vec![objects::gateways_request()],
        Source::GatewayCrds => vec![crds::request()],
        _ => Vec::new(),
    }
}
