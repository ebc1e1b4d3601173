//! What is known of each source as a whole.

use super::Evidence;
use super::observed::{Observed, Unknown};
use super::source::Source;
use super::trouble::Trouble;

impl Evidence {
    /// An answer of the API server's, or of something behind it, that came too slowly.
    pub(crate) fn slow(&self) -> Option<&Unknown> {
        let whole = Source::ALL.into_iter().filter(|source| source.is_of_api_server());
        let whole = whole.filter_map(|source| self.unknown(source));
        let scrapes = match &self.scrapes {
            Observed::Seen(scrapes) => scrapes.as_slice(),
            Observed::Absent | Observed::Unknown(_) => &[],
        };
        let telemetry = &self.telemetry;
        let pages = [&telemetry.fluent_bit, &telemetry.vmagent, &telemetry.alloy].into_iter();
        let pages = pages.flat_map(|component| match &component.metrics {
            Observed::Seen(pages) => pages.as_slice(),
            Observed::Absent | Observed::Unknown(_) => &[],
        });
        let mut all = whole
            .chain(scrapes.iter().filter_map(|scrape| scrape.rows.unknown()))
            .chain(pages.filter_map(|page| page.first.unknown()));
        all.find(|unknown| unknown.trouble == Some(Trouble::Slow))
    }

    /// Why a source is unknown; `None` where it was seen or is absent.
    #[must_use]
    pub fn unknown(&self, source: Source) -> Option<&Unknown> {
        let telemetry = &self.telemetry;
        match source {
            Source::ApiServer => self.api_server.unknown(),
            Source::Identity => self.identity.unknown(),
            Source::Nodes => self.nodes.unknown(),
            Source::MetricsApiService => self.metrics_api_service.unknown(),
            Source::NodeMetrics => self.node_metrics.unknown(),
            Source::PodMetrics => self.pod_metrics.unknown(),
            Source::Autoscalers => self.autoscalers.unknown(),
            Source::MetricsServerServices => self.metrics_server.services.unknown(),
            Source::MetricsServerEndpoints => self.metrics_server.endpoints.unknown(),
            Source::MetricsServerWorkloads => self.metrics_server.workloads.unknown(),
            Source::StateMetricsServices => self.kube_state_metrics.services.unknown(),
            Source::StateMetricsEndpoints => self.kube_state_metrics.endpoints.unknown(),
            Source::StateMetricsWorkloads => self.kube_state_metrics.workloads.unknown(),
            Source::Pods => self.pods.unknown(),
            Source::StateMetricsScrape => self.scrapes.unknown(),
            Source::ShuttleStatus => self.shuttle.status.unknown(),
            Source::ShuttleAgent => self.shuttle.agent.unknown(),
            Source::ShuttleNode => self.shuttle.node.unknown(),
            Source::ShuttleConfigMaps => self.shuttle.config_maps.unknown(),
            Source::ShuttleGrants => self.shuttle.grants.unknown(),
            Source::Starbase => self.shuttle.starbase.unknown(),
            Source::EnvoyGatewayWorkloads => self.gateway.controller.unknown(),
            Source::GatewayClasses => self.gateway.classes.unknown(),
            Source::Gateways => self.gateway.gateways.unknown(),
            Source::GatewayCrds => self.gateway.crds.unknown(),
            Source::GatewayProxies => self.gateway.proxies.unknown(),
            Source::GatewayConfiguration => self.gateway.configuration.unknown(),
            Source::FluentBitWorkloads => telemetry.fluent_bit.workloads.unknown(),
            Source::FluentBitSettings => telemetry.fluent_bit_settings.unknown(),
            Source::FluentBitMetrics => telemetry.fluent_bit.metrics.unknown(),
            Source::VmagentWorkloads => telemetry.vmagent.workloads.unknown(),
            Source::VmagentSettings => telemetry.vmagent_settings.unknown(),
            Source::VmagentMetrics => telemetry.vmagent.metrics.unknown(),
            Source::AlloyResources => telemetry.alloys.unknown(),
            Source::AlloyWorkloads => telemetry.alloy.workloads.unknown(),
            Source::AlloySettings => telemetry.alloy_settings.unknown(),
            Source::AlloyMetrics => telemetry.alloy.metrics.unknown(),
            Source::HelmReleases => self.releases.unknown(),
            Source::MetricsStore => self.region.metrics_store.unknown(),
            Source::LogStore => self.region.log_store.unknown(),
            Source::LogAggregator => self.region.log_aggregator.unknown(),
            Source::Terraform => self.region.terraform.unknown(),
        }
    }
}
