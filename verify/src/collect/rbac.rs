//! The permissions that collectors need: the least roles, from the requests themselves.
//!
//! Every rule is the permission that a request declares, so that this list cannot drift from what is sent. `GET /version`
//! needs none of its own: Kubernetes binds the ClusterRole `system:public-info-viewer` to every identity, authenticated
//! or not. Where an administrator took that binding away, add the non-resource URL `/version`.

use super::component::{self, Kind};
use super::get::Get;
use super::shuttle::workload::Role;
use super::{
    apiservice, autoscalers, endpoints, gateway, identity, metrics, nodes, pods, releases, shuttle, state_metrics,
    telemetry, workloads,
};
use crate::checks::Selection;
use crate::contract::{ComponentTerms, Contract};
use crate::evidence::{Source, Vantage};
use std::collections::BTreeSet;

pub use super::rule_options::RuleOptions;

/// One rule of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The namespace of its Role; `None` for a rule of the ClusterRole.
    pub namespace: Option<String>,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural resource, with subresource where there is one: `services/proxy`.
    pub resource: String,
    /// `get` or `list`.
    pub verbs: Vec<String>,
    /// Object names; empty for all. That of a proxied Service is `NAME:PORT`, as it stands in the request's path.
    pub names: Vec<String>,
    sources: BTreeSet<Source>,
}

/// The rules that the given sources need under a contract, those of the ClusterRole first, then by namespace.
#[must_use]
pub fn rules(sources: &BTreeSet<Source>, contract: &Contract, options: RuleOptions<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for source in sources {
        for get in requests(*source, contract, options) {
            let Some(access) = get.access else {
                continue;
            };
            let same = |rule: &&mut Rule| {
                rule.namespace == access.namespace
                    && rule.group == access.group
                    && rule.resource == access.resource
                    && rule.names.is_empty() == access.name.is_none()
                    && rule.verbs.contains(&access.verb)
            };
            if let Some(rule) = rules.iter_mut().find(same) {
                rule.names.extend(access.name.filter(|name| !rule.names.contains(name)));
                rule.sources.insert(*source);
            } else {
                rules.push(Rule {
                    // What has no namespace, and what is listed in all, is a matter of the ClusterRole.
                    namespace: access.namespace,
                    group: access.group,
                    resource: access.resource,
                    verbs: vec![access.verb],
                    names: access.name.into_iter().collect(),
                    sources: BTreeSet::from([*source]),
                });
            }
        }
    }
    let mut rules = without_covered(rules);
    rules.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    rules
}

/// The rules that the agent needs for all that it collects ([`Selection::inside`]): what its manifests grant beside the
/// contract's permissions for its own writes and watches. With `accepted_namespaces` also where the contract accepts a
/// component beside its own namespace, which may be a namespace that does not exist.
#[must_use]
pub fn inside(contract: &Contract, accepted_namespaces: bool) -> Vec<Rule> {
    let options = RuleOptions {
        vantage: Vantage::Inside,
        accepted_namespaces,
        shards: false,
        releases: &Selection::inside().releases(),
    };
    rules(&Selection::inside().collected(), contract, options)
}

impl Rule {
    /// Whether a source needs it.
    #[must_use]
    pub fn for_source(&self, source: Source) -> bool {
        self.sources.contains(&source)
    }
}

/// Leaves out what a rule for all namespaces allows anyway.
fn without_covered(rules: Vec<Rule>) -> Vec<Rule> {
    let (mut everywhere, in_one): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(|rule| rule.namespace.is_none());
    let mut kept = Vec::new();
    for rule in in_one {
        let covers = |wide: &&mut Rule| {
            wide.names.is_empty()
                && (&wide.group, &wide.resource, &wide.verbs) == (&rule.group, &rule.resource, &rule.verbs)
        };
        if let Some(wide) = everywhere.iter_mut().find(covers) {
            wide.sources.extend(rule.sources);
        } else {
            kept.push(rule);
        }
    }
    everywhere.extend(kept);
    everywhere
}

/// The requests that a source sends.
fn requests(source: Source, contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    let each = |kind: Kind, request: &dyn Fn(&str) -> Vec<Get>| -> Vec<Get> {
        namespaces(kind.terms(contract), options).flat_map(request).collect()
    };
    let of_workloads = |kind: Kind| -> Vec<Get> {
        each(kind, &|namespace| {
            let kinds = kind.workloads().iter();
            kinds.map(|workload| workloads::request(*workload, namespace)).collect()
        })
    };
    match source {
        Source::ApiServer => vec![Get::version()],
        Source::Identity => vec![identity::request()],
        Source::Nodes => vec![nodes::request()],
        Source::MetricsApiService => vec![apiservice::request()],
        Source::NodeMetrics => vec![metrics::nodes_request()],
        Source::PodMetrics => vec![metrics::pods_request()],
        Source::Autoscalers => vec![autoscalers::request()],
        Source::MetricsServerServices | Source::StateMetricsServices => vec![component::request()],
        Source::MetricsServerEndpoints => each(Kind::MetricsServer, &|namespace| vec![endpoints::request(namespace)]),
        Source::StateMetricsEndpoints => each(Kind::StateMetrics, &|namespace| vec![endpoints::request(namespace)]),
        Source::MetricsServerWorkloads => of_workloads(Kind::MetricsServer),
        Source::StateMetricsWorkloads => of_workloads(Kind::StateMetrics),
        Source::Pods => vec![pods::request()],
        Source::ShuttleStatus => vec![shuttle::status::request(contract)],
        Source::ShuttleAgent => vec![shuttle::workload::request(contract, Role::Agent)],
        Source::ShuttleNode => vec![shuttle::workload::request(contract, Role::Node)],
        Source::ShuttleConfigMaps => vec![shuttle::config_maps::request(contract)],
        Source::ShuttleGrants => shuttle::grants::requests(),
        Source::EnvoyGatewayWorkloads
        | Source::GatewayClasses
        | Source::Gateways
        | Source::GatewayCrds
        | Source::GatewayProxies
        | Source::GatewayConfiguration => gateway::requests(source, contract, options),
        Source::FluentBitWorkloads
        | Source::FluentBitSettings
        | Source::FluentBitMetrics
        | Source::VmagentWorkloads
        | Source::VmagentSettings
        | Source::VmagentMetrics
        | Source::AlloyResources
        | Source::AlloyWorkloads
        | Source::AlloySettings
        | Source::AlloyMetrics => telemetry::requests(source, contract, options),
        Source::HelmReleases => releases::requests(contract, options),
        // Starbase and the stores have credentials of their own; Terraform's state is a file.
        Source::Starbase | Source::MetricsStore | Source::LogStore | Source::LogAggregator | Source::Terraform => {
            Vec::new()
        }
        Source::StateMetricsScrape if options.vantage == Vantage::Inside => Vec::new(),
        Source::StateMetricsScrape => each(Kind::StateMetrics, &|namespace| {
            let mut scrapes = vec![scrape(contract, namespace)];
            if options.shards {
                scrapes.push(state_metrics::any_pod_request(namespace));
            }
            scrapes
        }),
    }
}

/// The namespaces that the roles cover: the contract's own, and on request all that it accepts.
fn namespaces<'t>(terms: &'t ComponentTerms, options: RuleOptions<'_>) -> impl Iterator<Item = &'t str> {
    let count = if options.accepted_namespaces { usize::MAX } else { 1 };
    terms.namespaces.iter().take(count).map(String::as_str)
}

/// The scrape of the Service that the contract's release makes.
fn scrape(contract: &Contract, namespace: &str) -> Get {
    let terms = &contract.components.kube_state_metrics;
    let chart = Kind::StateMetrics.name();
    // The charts' `fullname` template: the release's name where it has the chart's in it.
    let service = if terms.release.contains(chart) {
        terms.release.clone()
    } else {
        format!("{}-{chart}", terms.release)
    };
    state_metrics::service_request(namespace, &service, terms.port.as_deref().unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::StepId;

    fn text(options: RuleOptions<'_>) -> Vec<String> {
        let sources = Source::ALL.into_iter().collect();
        let contract = Contract::embedded().unwrap();
        rules(&sources, &contract, options)
            .into_iter()
            .map(|rule| {
                let place = rule.namespace.as_deref().unwrap_or("-");
                format!(
                    "{place} {:?} {}/{} {:?}",
                    rule.verbs, rule.group, rule.resource, rule.names
                )
            })
            .collect()
    }

    #[test]
    fn the_rules_are_the_least() {
        let options = RuleOptions {
            vantage: Vantage::Outside,
            accepted_namespaces: false,
            shards: false,
            releases: &StepId::ALL.into_iter().collect(),
        };
        let expected = [
            r#"- ["get"] /namespaces ["kube-system"]"#,
            r#"- ["list"] /nodes []"#,
            r#"- ["get"] apiregistration.k8s.io/apiservices ["v1beta1.metrics.k8s.io"]"#,
            r#"- ["list"] metrics.k8s.io/nodes []"#,
            r#"- ["list"] metrics.k8s.io/pods []"#,
            r#"- ["list"] autoscaling/horizontalpodautoscalers []"#,
            r#"- ["list"] /services []"#,
            r#"- ["list"] /pods []"#,
            r#"- ["list"] rbac.authorization.k8s.io/clusterrolebindings []"#,
            r#"- ["list"] rbac.authorization.k8s.io/rolebindings []"#,
            r#"- ["list"] rbac.authorization.k8s.io/clusterroles []"#,
            r#"- ["list"] rbac.authorization.k8s.io/roles []"#,
            r#"- ["list"] gateway.networking.k8s.io/gatewayclasses []"#,
            r#"- ["list"] gateway.networking.k8s.io/gateways []"#,
            r#"- ["list"] apiextensions.k8s.io/customresourcedefinitions []"#,
            r#"- ["list"] gateway.envoyproxy.io/backendtrafficpolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/clienttrafficpolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/envoyextensionpolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/securitypolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/backends []"#,
            r#"- ["list"] gateway.networking.k8s.io/backendtlspolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/envoypatchpolicies []"#,
            r#"- ["list"] gateway.envoyproxy.io/envoyproxies []"#,
            r#"- ["list"] gateway.networking.k8s.io/grpcroutes []"#,
            r#"- ["list"] gateway.networking.k8s.io/httproutes []"#,
            r#"- ["list"] gateway.envoyproxy.io/httproutefilters []"#,
            r#"- ["list"] gateway.networking.k8s.io/listenersets []"#,
            r#"- ["list"] gateway.networking.k8s.io/tcproutes []"#,
            r#"- ["list"] gateway.networking.k8s.io/tlsroutes []"#,
            r#"- ["list"] gateway.networking.k8s.io/udproutes []"#,
            r#"- ["list"] apps/daemonsets []"#,
            r#"- ["list"] apps/deployments []"#,
            r#"- ["list"] apps/statefulsets []"#,
            r#"- ["get"] apiextensions.k8s.io/customresourcedefinitions ["alloys.collectors.grafana.com"]"#,
            r#"- ["list"] collectors.grafana.com/alloys []"#,
            r#"envoy-gateway-system ["list"] /events []"#,
            r#"envoy-gateway-system ["get"] /pods/proxy []"#,
            r#"envoy-gateway-system ["list"] /secrets []"#,
            r#"kube-system ["list"] discovery.k8s.io/endpointslices []"#,
            r#"kube-system ["get"] /services/proxy ["kube-state-metrics:http"]"#,
            r#"kube-system ["list"] /secrets []"#,
            r#"starform-system ["get"] /configmaps ["shuttle-status"]"#,
            r#"starform-system ["get"] apps/deployments ["shuttle"]"#,
            r#"starform-system ["get"] apps/daemonsets ["shuttle-node"]"#,
            r#"starform-system ["list"] /configmaps []"#,
            r#"telemetry ["get"] /configmaps ["fluent-bit", "vmagent-config", "vmagent-region", "k8s-monitoring-alloy-metrics", "k8s-monitoring-alloy-singleton"]"#,
            r#"telemetry ["get"] /pods/proxy []"#,
            r#"telemetry ["list"] /secrets []"#,
        ];
        assert_eq!(text(options), expected);
        let inside = RuleOptions {
            vantage: Vantage::Inside,
            ..options
        };
        assert!(!text(inside).iter().any(|rule| rule.contains("/proxy ")));
        let all = text(RuleOptions {
            accepted_namespaces: true,
            shards: true,
            ..options
        });
        assert!(all.iter().any(|rule| rule.contains("pods/proxy []")), "{all:?}");
        assert!(all.iter().any(|rule| rule.starts_with("metrics-server ")), "{all:?}");
    }
}
