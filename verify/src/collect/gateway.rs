//! Envoy Gateway: its controller, and the Gateway API's objects.

mod condition;
mod configuration;
mod controller;
mod crds;
mod objects;
mod proxies;

use super::Progress;
use super::access::Cluster;
use super::component;
use super::get::Get;
use super::obstacle::{Obstacle, observed};
use super::rule_options::RuleOptions;
use super::run::{self, Run};
use crate::contract::Contract;
use crate::evidence::{Gateway, GatewayObject, Observed, Source};

/// Reads its sources, as far as they are planned.
pub(super) async fn collect<P: Fn(Progress) + Send + Sync>(run: &Run<'_, P>, cluster: &Cluster<'_>) -> Gateway {
    let of_gateways = async {
        let gateways = async {
            let gateways = run
                .source(Source::Gateways, run::plain(objects::gateways(cluster)))
                .await;
            // Without a Gateway there is no Envoy, and nothing is attached to one.
            let proxies = of_gateways(&gateways, proxies::collect(cluster));
            let proxies = run.source(Source::GatewayProxies, proxies).await;
            (gateways, proxies)
        };
        let ((gateways, proxies), crds) = tokio::join!(
            gateways,
            run.source(Source::GatewayCrds, run::plain(crds::collect(cluster))),
        );
        let configuration = of_gateways(&gateways, configuration::collect(cluster, &crds, &proxies));
        let configuration = run.source(Source::GatewayConfiguration, configuration).await;
        (gateways, proxies, crds, configuration)
    };
    let (controller, classes, (gateways, proxies, crds, configuration)) = tokio::join!(
        run.source(
            Source::EnvoyGatewayWorkloads,
            run::plain(controller::collect(cluster, &run.workloads))
        ),
        run.source(Source::GatewayClasses, run::plain(objects::classes(cluster))),
        Box::pin(of_gateways),
    );
    let (configuration, configuration_kinds) = match configuration {
        Observed::Seen(listed) => (Observed::Seen(listed.objects), listed.kinds),
        Observed::Absent => (Observed::Absent, Vec::new()),
        Observed::Unknown(unknown) => (Observed::Unknown(unknown), Vec::new()),
    };
    Gateway {
        controller,
        classes,
        gateways,
        crds,
        proxies,
        configuration,
        configuration_kinds,
    }
}

/// What is found through Gateways.
async fn of_gateways<T>(
    gateways: &Observed<Vec<GatewayObject>>,
    read: impl Future<Output = Result<T, Obstacle>>,
) -> Observed<T> {
    if let Some(behind) = gateways.behind("Gateways") {
        return behind;
    }
    match gateways {
        Observed::Seen(gateways) if !gateways.is_empty() => observed(read.await),
        _ => Observed::Absent,
    }
}

/// The requests that a source sends.
pub(super) fn requests(source: Source, contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
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
        Source::GatewayProxies => proxies::requests(contract, options),
        Source::GatewayConfiguration => configuration::requests(),
        _ => Vec::new(),
    }
}
