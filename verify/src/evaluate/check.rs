//! The checks there are.

use super::alloy;
use super::alloy_credentials;
use super::alloy_flow;
use super::cluster;
use super::fluent_bit;
use super::fluent_bit_buffer;
use super::fluent_bit_flow;
use super::gateway;
use super::gateway_crds;
use super::gateway_objects;
use super::kube_state_metrics as ksm;
use super::log_aggregator;
use super::log_store;
use super::metrics;
use super::metrics_server as ms;
use super::metrics_store;
use super::outcome::{Judge, Outcome};
use super::pod_label_rows as rows;
use super::recorded_join;
use super::region_jobs;
use super::registration;
use super::releases;
use super::shuttle;
use super::shuttle_configuration;
use super::shuttle_identity;
use super::shuttle_permissions;
use super::shuttle_status;
use super::subject::Subject;
use super::terraform;
use super::vmagent;
use super::vmagent_flow;
use super::vmagent_scrape;
use crate::contract::StepId;
use crate::evidence::{Source, Vantage};

/// From where a check can be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckVantage {
    /// Only from outside.
    Outside,
    /// Anywhere.
    Both,
}

/// A check: one property of the contract, judged by one function.
#[derive(Debug)]
pub struct Check {
    /// `SF304`. Stable; never reused.
    pub code: &'static str,
    /// `metrics-api-available`.
    pub slug: &'static str,
    /// The property, as a sentence that holds when it passes.
    pub title: &'static str,
    /// The step it belongs to.
    pub step: StepId,
    /// Groups it belongs to, beside its step.
    pub groups: &'static [&'static str],
    /// From where it can be proved.
    pub vantage: CheckVantage,
    /// The sources it reads. A test holds it to them.
    pub reads: &'static [Source],
    /// Further sources that only its advice is made from, or that decide where what it reads cannot. Where they are unknown,
    /// nothing passes by them.
    pub advice: &'static [Source],
    /// The checks it stands behind: where one fails, this one is blocked; where one is unknown, so is this.
    pub requires: &'static [&'static str],
    /// Of a check of Helm's releases: for each release the check that tells whether its component is there, by whatever it
    /// was installed. Where it is not, its missing release is blocked; where it is, only a warning.
    pub present: &'static [(&'static str, &'static str)],
    /// What, why, an example, how to fix: the page that `explain` prints.
    pub page: &'static str,
    /// Judges.
    pub(super) judge: fn(Subject<'_>) -> Judge,
}

/// The check of that code or slug, in any case.
#[must_use]
pub fn check(name: &str) -> Option<&'static Check> {
    CHECKS
        .iter()
        .find(|check| check.code.eq_ignore_ascii_case(name) || check.slug.eq_ignore_ascii_case(name))
}

impl CheckVantage {
    /// Whether it can be proved from there.
    #[must_use]
    pub fn allows(self, vantage: Vantage) -> bool {
        match self {
            Self::Outside => vantage == Vantage::Outside,
            Self::Both => true,
        }
    }
}

impl Check {
    /// Judges, and lets an early verdict count as one.
    pub(super) fn judge(&self, subject: Subject<'_>) -> Outcome {
        (self.judge)(subject).unwrap_or_else(|early| *early)
    }
}

/// Fills in what most checks have in common.
macro_rules! check {
    ($code:literal $slug:literal, $title:literal, $step:ident, releases, present $present:expr, requires $requires:expr, $judge:path) => {
        Check {
            vantage: CheckVantage::Outside,
            present: &$present,
            ..check!($code $slug, $title, $step, "helm", reads [Source::ApiServer, Source::HelmReleases], advice [],
                requires $requires, $judge)
        }
    };
    ($code:literal $slug:literal, $title:literal, $step:ident, $group:literal, outside, reads $reads:expr, requires $requires:expr, $judge:path) => {
        Check {
            vantage: CheckVantage::Outside,
            ..check!($code $slug, $title, $step, $group, reads $reads, advice [], requires $requires, $judge)
        }
    };
    ($code:literal $slug:literal, $title:literal, $step:ident, $group:literal, reads $reads:expr, requires $requires:expr, $judge:path) => {
        check!($code $slug, $title, $step, $group, reads $reads, advice [], requires $requires, $judge)
    };
    ($code:literal $slug:literal, $title:literal, $step:ident, $group:literal, reads $reads:expr, advice $advice:expr, requires $requires:expr, $judge:path) => {
        Check {
            code: $code,
            slug: $slug,
            title: $title,
            step: StepId::$step,
            groups: &[$group],
            vantage: CheckVantage::Both,
            reads: &$reads,
            advice: &$advice,
            requires: &$requires,
            present: &[],
            page: include_str!(concat!("explain/", $code, ".md")),
            judge: $judge,
        }
    };
}

/// Every check, in the contract's order: a check stands after those it requires.
#[rustfmt::skip]
pub static CHECKS: &[Check] = &[
    check!("SF101" "api-server-answers", "the API server answers", One, "cluster",
        reads [Source::ApiServer], requires [], cluster::api_server_answers),
    check!("SF102" "kubernetes-version", "the Kubernetes version is one that the contract accepts", One, "cluster",
        reads [Source::ApiServer], requires ["SF101"], cluster::kubernetes_version),
    check!("SF103" "cluster-is-doks", "every node is a DigitalOcean droplet", One, "cluster",
        reads [Source::Nodes], requires ["SF101"], cluster::is_doks),
    check!("SF104" "nodes-ready", "every node is Ready", One, "cluster",
        reads [Source::ApiServer, Source::Nodes], requires ["SF101"], cluster::nodes_ready),
    check!("SF105" "nodes-in-one-region", "every node is in one region", One, "cluster",
        reads [Source::Nodes], requires ["SF101"], cluster::nodes_in_one_region),
    check!("SF106" "cluster-identity", "the cluster's identity can be read", One, "cluster",
        reads [Source::Identity], requires ["SF101"], cluster::identity),

    check!("SF208" "gateway-crds-present", "the CRDs of the Gateway API and of Envoy Gateway are there", Two, "envoy-gateway",
        reads [Source::GatewayCrds], requires ["SF101"], gateway_crds::present),
    check!("SF202" "gateway-certificates-made", "Envoy Gateway's pods find their certificates", Two, "envoy-gateway",
        reads [Source::ApiServer, Source::EnvoyGatewayWorkloads], requires ["SF101"], gateway::certificates_made),
    check!("SF201" "gateway-controller-runs", "Envoy Gateway's controller is complete", Two, "envoy-gateway",
        reads [Source::EnvoyGatewayWorkloads], advice [Source::Nodes, Source::Pods], requires ["SF208", "SF202"], gateway::runs),
    check!("SF207" "gateway-controller-version", "Envoy Gateway's version is one that the contract accepts", Two, "envoy-gateway",
        reads [Source::EnvoyGatewayWorkloads], requires ["SF101"], gateway::version),
    check!("SF205" "gateway-crds-manager", "DOKS does not put the Gateway API's CRDs back", Two, "envoy-gateway",
        reads [Source::GatewayCrds, Source::EnvoyGatewayWorkloads], requires ["SF208", "SF207"], gateway_crds::manager),
    check!("SF204" "gateway-crds-version", "the Gateway API's CRDs are one bundle, of a version that goes with the controller", Two, "envoy-gateway",
        reads [Source::GatewayCrds, Source::EnvoyGatewayWorkloads], requires ["SF205"], gateway_crds::version),
    check!("SF203" "gateway-class-accepted", "the controller has accepted the GatewayClass", Two, "envoy-gateway",
        reads [Source::GatewayClasses], requires ["SF201"], gateway_objects::class_accepted),
    check!("SF206" "gateways-programmed", "every Gateway of the controller is programmed", Two, "envoy-gateway",
        reads [Source::GatewayClasses, Source::Gateways], requires ["SF203"], gateway_objects::gateways_programmed),
    check!("SF280" "gateway-release-deployed", "Envoy Gateway's Helm release is deployed, and not stuck", Two, releases,
        present [("envoy-gateway", "SF201")], requires ["SF101"], releases::deployed::<2>),
    check!("SF281" "gateway-chart-version", "Envoy Gateway's chart is of a version that the contract accepts", Two, releases,
        present [], requires ["SF280"], releases::chart_versions::<2>),
    check!("SF282" "gateway-values", "Envoy Gateway's values keep the contract", Two, releases,
        present [], requires ["SF280"], releases::values::<2>),

    check!("SF301" "metrics-api-registered", "the metrics API is registered", Three, "metrics-server",
        reads [Source::MetricsApiService], requires ["SF101"], ms::registered),
    check!("SF302" "metrics-api-service", "the metrics API points at a live Service in an accepted namespace", Three, "metrics-server",
        reads [Source::MetricsApiService, Source::MetricsServerServices], requires ["SF301"], ms::service),
    check!("SF303" "metrics-server-runs", "metrics-server's workload is complete", Three, "metrics-server",
        reads [Source::MetricsApiService, Source::MetricsServerServices, Source::MetricsServerWorkloads, Source::MetricsServerEndpoints],
        advice [Source::Nodes, Source::Pods], requires ["SF302"], ms::runs),
    check!("SF304" "metrics-api-available", "the API server calls the metrics API available", Three, "metrics-server",
        reads [Source::MetricsApiService], requires ["SF303"], ms::available),
    check!("SF305" "metrics-api-answers", "the metrics API answers for nodes and pods", Three, "metrics-server",
        reads [Source::NodeMetrics, Source::PodMetrics], requires ["SF304"], metrics::answers),
    check!("SF306" "node-metrics-complete", "every Ready node has metrics", Three, "metrics-server",
        reads [Source::ApiServer, Source::Nodes, Source::NodeMetrics, Source::MetricsServerServices, Source::MetricsServerWorkloads],
        requires ["SF305"], metrics::node_metrics_complete),
    check!("SF307" "node-metrics-fresh", "node metrics are fresh", Three, "metrics-server",
        reads [Source::ApiServer, Source::NodeMetrics, Source::MetricsServerServices, Source::MetricsServerWorkloads],
        requires ["SF305"], metrics::node_metrics_fresh),
    check!("SF308" "pod-metrics-complete", "every running pod has metrics", Three, "metrics-server",
        reads [Source::ApiServer, Source::NodeMetrics, Source::Pods, Source::PodMetrics, Source::MetricsServerServices,
            Source::MetricsServerWorkloads],
        requires ["SF306"], metrics::pod_metrics_complete),
    check!("SF309" "pod-metrics-fresh", "pod metrics are fresh", Three, "metrics-server",
        reads [Source::ApiServer, Source::PodMetrics, Source::MetricsServerServices, Source::MetricsServerWorkloads],
        requires ["SF308"], metrics::pod_metrics_fresh),
    check!("SF310" "metrics-server-version", "metrics-server's version is one that the contract accepts", Three, "metrics-server",
        reads [Source::MetricsServerServices, Source::MetricsServerWorkloads], requires ["SF302"], ms::version),
    check!("SF311" "metrics-server-verifies-kubelets", "metrics-server verifies the kubelets' certificates", Three, "metrics-server",
        reads [Source::MetricsServerServices, Source::MetricsServerWorkloads], requires ["SF302"], ms::verifies_kubelets),
    check!("SF312" "autoscalers-read-metrics", "autoscalers that scale on resource metrics can read them", Three, "metrics-server",
        reads [Source::Autoscalers], requires ["SF309"], ms::autoscalers),

    check!("SF320" "state-metrics-present", "kube-state-metrics stands in an accepted namespace", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices], requires ["SF101"], ksm::present),
    check!("SF321" "state-metrics-runs", "every shard of kube-state-metrics is ready", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices, Source::StateMetricsWorkloads, Source::StateMetricsEndpoints],
        advice [Source::Nodes, Source::Pods], requires ["SF320"], ksm::runs),
    check!("SF322" "state-metrics-version", "kube-state-metrics' version is one that the contract accepts", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices, Source::StateMetricsWorkloads], requires ["SF320"], ksm::version),
    check!("SF323" "state-metrics-answers", "every shard of kube-state-metrics answers a scrape, whole and in time", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices, Source::StateMetricsWorkloads, Source::StateMetricsEndpoints, Source::StateMetricsScrape],
        requires ["SF321"], ksm::answers),
    check!("SF324" "state-metrics-allowlist", "the allow-list puts every contract label on kube_pod_labels", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices, Source::StateMetricsWorkloads],
        advice [Source::Pods, Source::StateMetricsScrape], requires ["SF320"], ksm::allowlist),
    check!("SF325" "pod-label-rows-complete", "every pod has a row of kube_pod_labels", Three, "kube-state-metrics",
        reads [Source::ApiServer, Source::Pods, Source::StateMetricsServices, Source::StateMetricsScrape],
        requires ["SF323", "SF324"], rows::rows_complete),
    check!("SF326" "pod-label-rows-current", "no row of kube_pod_labels is of a pod that is gone", Three, "kube-state-metrics",
        reads [Source::Pods, Source::StateMetricsServices, Source::StateMetricsScrape], requires ["SF323", "SF324"], rows::rows_current),
    check!("SF327" "pod-labels-shown", "every contract label that a pod carries is on its row", Three, "kube-state-metrics",
        reads [Source::Pods, Source::StateMetricsServices, Source::StateMetricsScrape], requires ["SF325"], rows::labels_shown),
    check!("SF328" "pod-labels-unambiguous", "no contract label collides with another label", Three, "kube-state-metrics",
        reads [Source::StateMetricsServices, Source::StateMetricsScrape], requires ["SF323", "SF324"], rows::labels_unambiguous),
    check!("SF329" "metrics-join", "every pod with metrics joins exactly one row of kube_pod_labels", Three, "kube-state-metrics",
        reads [Source::ApiServer, Source::Pods, Source::PodMetrics, Source::StateMetricsServices, Source::StateMetricsScrape],
        requires ["SF308", "SF325"], rows::join),

    check!("SF401" "fluent-bit-present", "Fluent Bit stands in an accepted namespace", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads], requires ["SF101"], fluent_bit::present),
    check!("SF402" "fluent-bit-runs", "Fluent Bit is ready on every node", Four, "fluent-bit",
        reads [Source::ApiServer, Source::Nodes, Source::FluentBitWorkloads], requires ["SF401"], fluent_bit::runs),
    check!("SF403" "fluent-bit-version", "Fluent Bit's version is one that the contract accepts", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads], requires ["SF401"], fluent_bit::version),
    check!("SF404" "fluent-bit-output", "Fluent Bit sends what Vector decodes", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit::output),
    check!("SF405" "fluent-bit-buffer", "Fluent Bit keeps what it cannot send yet, within a bound", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit_buffer::buffer),
    check!("SF406" "fluent-bit-positions", "Fluent Bit remembers what it has read", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit_buffer::positions),
    check!("SF407" "fluent-bit-verifies", "Fluent Bit verifies whom it sends to", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit::verifies),
    check!("SF408" "fluent-bit-credentials", "no credential of Fluent Bit stands in clear", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit::credentials),
    check!("SF409" "fluent-bit-labels", "every record names its cluster and region", Four, "fluent-bit",
        reads [Source::FluentBitWorkloads, Source::FluentBitSettings], requires ["SF401"], fluent_bit::labels),

    check!("SF410" "fluent-bit-answers", "every Fluent Bit shows its metrics", Four, "fluent-bit",
        reads [Source::ApiServer, Source::FluentBitWorkloads, Source::FluentBitMetrics], requires ["SF402"], fluent_bit_flow::answers),
    check!("SF411" "fluent-bit-delivers", "Fluent Bit delivers what it reads", Four, "fluent-bit",
        reads [Source::ApiServer, Source::FluentBitMetrics], requires ["SF410"], fluent_bit_flow::delivers),
    check!("SF412" "fluent-bit-outputs-succeed", "Fluent Bit's outputs need no second try", Four, "fluent-bit",
        reads [Source::ApiServer, Source::FluentBitMetrics], requires ["SF411"], fluent_bit_flow::outputs_succeed),
    check!("SF413" "fluent-bit-buffer-has-room", "Fluent Bit's buffer has room", Four, "fluent-bit",
        reads [Source::ApiServer, Source::FluentBitMetrics], requires ["SF410"], fluent_bit_flow::buffer_has_room),
    check!("SF414" "fluent-bit-nothing-dropped", "Fluent Bit has dropped nothing", Four, "fluent-bit",
        reads [Source::ApiServer, Source::FluentBitMetrics], requires ["SF411"], fluent_bit_flow::nothing_dropped),

    check!("SF421" "vmagent-present", "vmagent stands in an accepted namespace", Four, "vmagent",
        reads [Source::VmagentWorkloads], requires ["SF101"], vmagent::present),
    check!("SF422" "vmagent-runs", "vmagent's workload is complete", Four, "vmagent",
        reads [Source::VmagentWorkloads], requires ["SF421"], vmagent::runs),
    check!("SF423" "vmagent-version", "vmagent's version is one that the contract accepts", Four, "vmagent",
        reads [Source::VmagentWorkloads], requires ["SF421"], vmagent::version),
    check!("SF424" "vmagent-remote-write", "vmagent scrapes, and writes to a store", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent::remote_write),
    check!("SF425" "vmagent-queue", "vmagent's queue outlives its pod, within a bound", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent::queue),
    check!("SF426" "vmagent-honors-labels", "vmagent leaves kube-state-metrics' labels as they are", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent_scrape::honors_labels),
    check!("SF427" "vmagent-reads-kubelets", "vmagent reads cAdvisor of every kubelet directly", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent_scrape::cadvisor),
    check!("SF428" "vmagent-labels", "every series names its cluster and region", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent::labels),
    check!("SF429" "vmagent-credentials", "no credential of vmagent stands in clear", Four, "vmagent",
        reads [Source::VmagentWorkloads, Source::VmagentSettings], requires ["SF421"], vmagent::credentials),

    check!("SF430" "vmagent-answers", "every vmagent shows its metrics", Four, "vmagent",
        reads [Source::ApiServer, Source::VmagentWorkloads, Source::VmagentMetrics], requires ["SF422"], vmagent_flow::answers),
    check!("SF431" "vmagent-scrapes-state-metrics", "vmagent scrapes every shard of kube-state-metrics", Four, "vmagent",
        reads [Source::ApiServer, Source::StateMetricsEndpoints, Source::VmagentMetrics], requires ["SF321", "SF430"],
        vmagent_flow::scrapes_state_metrics),
    check!("SF432" "vmagent-scrapes-kubelets", "vmagent scrapes the kubelet of every Ready node", Four, "vmagent",
        reads [Source::ApiServer, Source::Nodes, Source::VmagentMetrics], requires ["SF430"], vmagent_flow::scrapes_kubelets),
    check!("SF433" "vmagent-keeps-labels", "the running vmagent keeps the labels of kube-state-metrics", Four, "vmagent",
        reads [Source::ApiServer, Source::VmagentMetrics], requires ["SF430"], vmagent_flow::honors_labels),
    check!("SF434" "vmagent-delivers", "the store accepts what vmagent writes", Four, "vmagent",
        reads [Source::ApiServer, Source::VmagentMetrics], requires ["SF430"], vmagent_flow::delivers),
    check!("SF435" "vmagent-queue-has-room", "vmagent's queue has room and does not grow", Four, "vmagent",
        reads [Source::ApiServer, Source::VmagentMetrics], requires ["SF434"], vmagent_flow::queue_has_room),
    check!("SF436" "vmagent-nothing-dropped", "vmagent has dropped nothing", Four, "vmagent",
        reads [Source::ApiServer, Source::VmagentMetrics], requires ["SF434"], vmagent_flow::nothing_dropped),

    check!("SF441" "alloy-present", "Alloy's operator stands in an accepted namespace", Four, "alloy",
        reads [Source::AlloyWorkloads], requires ["SF101"], alloy::present),
    check!("SF442" "alloy-operator-runs", "Alloy's operator is available", Four, "alloy",
        reads [Source::AlloyWorkloads], requires ["SF441"], alloy::operator_runs),
    check!("SF443" "alloy-version", "Alloy's versions are ones that the contract accepts", Four, "alloy",
        reads [Source::AlloyWorkloads], requires ["SF441"], alloy::version),
    check!("SF444" "alloy-reconciled", "the operator has reconciled every Alloy resource", Four, "alloy",
        reads [Source::AlloyResources], requires ["SF442"], alloy::reconciled),
    check!("SF445" "alloy-runs", "every Alloy resource has a complete workload", Four, "alloy",
        reads [Source::ApiServer, Source::Nodes, Source::AlloyResources, Source::AlloyWorkloads], requires ["SF444"], alloy::workloads_run),
    check!("SF446" "one-state-metrics", "there is one kube-state-metrics in the cluster", Four, "alloy",
        reads [Source::StateMetricsServices], requires ["SF320"], alloy::one_state_metrics),
    check!("SF447" "alloy-credentials", "no credential of Alloy stands in clear", Four, "alloy", outside,
        reads [Source::AlloyResources, Source::AlloySettings], requires ["SF101"], alloy_credentials::none_in_clear),

    check!("SF450" "alloy-answers", "every Alloy shows its metrics", Four, "alloy",
        reads [Source::ApiServer, Source::AlloyWorkloads, Source::AlloyMetrics], requires ["SF445"], alloy_flow::answers),
    check!("SF451" "alloy-delivers", "Alloy delivers what it takes in", Four, "alloy",
        reads [Source::ApiServer, Source::AlloyMetrics], requires ["SF450"], alloy_flow::delivers),
    check!("SF452" "alloy-components-healthy", "every component of Alloy is healthy", Four, "alloy",
        reads [Source::ApiServer, Source::AlloyMetrics], requires ["SF450"], alloy_flow::components_healthy),
    check!("SF453" "alloy-nothing-dropped", "Alloy has dropped nothing", Four, "alloy",
        reads [Source::ApiServer, Source::AlloyMetrics], requires ["SF451"], alloy_flow::nothing_dropped),
    check!("SF380" "metrics-releases-deployed", "the Helm releases of step 3 are deployed, and none is stuck", Three, releases,
        present [("metrics-server", "SF302"), ("kube-state-metrics", "SF320")], requires ["SF101"], releases::deployed::<3>),
    check!("SF381" "metrics-chart-versions", "the charts of step 3 are of versions that the contract accepts", Three, releases,
        present [], requires ["SF380"], releases::chart_versions::<3>),
    check!("SF382" "metrics-values", "the values of step 3 keep the contract", Three, releases,
        present [], requires ["SF380"], releases::values::<3>),

    check!("SF480" "collector-releases-deployed", "the Helm releases of step 4 are deployed, and none is stuck", Four, releases,
        present [("fluent-bit", "SF401"), ("vmagent", "SF421"), ("k8s-monitoring", "SF441")], requires ["SF101"],
        releases::deployed::<4>),
    check!("SF481" "collector-chart-versions", "the charts of step 4 are of versions that the contract accepts", Four, releases,
        present [], requires ["SF480"], releases::chart_versions::<4>),
    check!("SF482" "collector-values", "the values of step 4 keep the contract", Four, releases,
        present [], requires ["SF480"], releases::values::<4>),
    check!("SF483" "releases-in-order", "the releases were first deployed in the contract's order", Four, releases,
        present [], requires ["SF101"], releases::order),

    check!("SF501" "shuttle-agent-runs", "Shuttle's Deployment is complete", Five, "shuttle", outside,
        reads [Source::ShuttleAgent, Source::ShuttleStatus, Source::Pods], requires ["SF101"], shuttle::agent_runs),
    check!("SF502" "shuttle-node-runs", "Shuttle's DaemonSet is complete on every Ready node", Five, "shuttle", outside,
        reads [Source::ApiServer, Source::ShuttleNode, Source::Nodes, Source::Pods], requires ["SF101"], shuttle::node_runs),
    check!("SF503" "identities-agree", "status, labels and nodes tell one cluster and one region", Five, "shuttle", outside,
        reads [Source::ShuttleStatus, Source::Identity, Source::Nodes, Source::Pods], requires ["SF105", "SF106"], shuttle_identity::agree),
    check!("SF504" "status-fresh", "Shuttle renews its status", Five, "shuttle",
        reads [Source::ApiServer, Source::ShuttleStatus], requires ["SF101"], shuttle_status::fresh),
    check!("SF505" "canary-proven", "labels flow from a pod of Shuttle's to its row, and metrics with them", Five, "shuttle",
        reads [Source::ShuttleStatus], requires ["SF309", "SF325", "SF504"], shuttle_status::canary_proven),
    check!("SF506" "join-proven", "every node's container metrics join kube_pod_labels", Five, "shuttle",
        reads [Source::ApiServer, Source::Nodes, Source::ShuttleStatus], requires ["SF325", "SF504"], shuttle_status::join_proven),
    check!("SF507" "nodes-proven", "every Ready node proves its own telemetry", Five, "shuttle", outside,
        reads [Source::ApiServer, Source::Nodes], requires ["SF502"], shuttle::nodes_proven),
    check!("SF508" "no-telemetry-configuration", "Shuttle carries no telemetry configuration", Five, "shuttle", outside,
        reads [Source::ShuttleAgent, Source::ShuttleNode, Source::ShuttleConfigMaps], requires ["SF101"], shuttle_configuration::none),
    check!("SF509" "permissions-not-wider", "Shuttle's accounts may do no more than they need", Five, "shuttle", outside,
        reads [Source::ShuttleGrants], requires ["SF101"], shuttle_permissions::not_wider),

    check!("SF601" "registered", "the cluster is registered with Starbase and active", Six, "registration", outside,
        reads [Source::ShuttleStatus, Source::Identity], requires ["SF106", "SF505", "SF506"], registration::registered),
    check!("SF602" "heartbeat-accepted", "Starbase accepts Shuttle's heartbeats", Six, "registration", outside,
        reads [Source::ShuttleStatus], requires ["SF601"], registration::heartbeat_accepted),
    check!("SF603" "starbase-agrees", "Starbase says the same of the registration", Six, "registration", outside,
        reads [Source::ShuttleStatus, Source::Identity, Source::Starbase], requires ["SF601"], registration::starbase_agrees),

    check!("SF701" "metrics-store-answers", "the region's VictoriaMetrics answers", Region, "metrics-store", outside,
        reads [Source::MetricsStore], requires [], metrics_store::answers),
    check!("SF702" "cluster-series-arrive", "the cluster's series arrive in the region's VictoriaMetrics", Region, "metrics-store", outside,
        reads [Source::MetricsStore, Source::Nodes, Source::ApiServer], requires ["SF701"], metrics_store::series_arrive),
    check!("SF703" "kubelet-series-arrive", "every Ready node's container metrics arrive", Region, "metrics-store", outside,
        reads [Source::MetricsStore, Source::Nodes, Source::ApiServer], requires ["SF702"], metrics_store::kubelets_arrive),
    check!("SF704" "pod-label-series-arrive", "pods' labels arrive under their own names", Region, "metrics-store", outside,
        reads [Source::MetricsStore], requires ["SF702"], metrics_store::pod_labels_arrive),
    check!("SF705" "join-recorded", "the join of container metrics with pods' labels is recorded", Region, "metrics-store", outside,
        reads [Source::MetricsStore, Source::Nodes, Source::ApiServer], requires ["SF704"], recorded_join::recorded),
    check!("SF706" "series-identity-agrees", "series carry one cluster and one region", Region, "metrics-store", outside,
        reads [Source::MetricsStore], requires ["SF702"], metrics_store::identity_agrees),
    check!("SF707" "region-jobs-succeed", "the region's jobs succeed, and snapshots are younger than their schedule", Region, "metrics-store", outside,
        reads [Source::MetricsStore], requires ["SF701"], region_jobs::reported),
    check!("SF711" "log-store-answers", "the region's ClickHouse answers", Region, "log-store", outside,
        reads [Source::LogStore], requires [], log_store::answers),
    check!("SF712" "log-schema", "the tables for logs are the contract's", Region, "log-store", outside,
        reads [Source::LogStore], requires ["SF711"], log_store::schema),
    check!("SF713" "cluster-logs-arrive", "the cluster's logs arrive in the region's ClickHouse", Region, "log-store", outside,
        reads [Source::LogStore], requires ["SF712"], log_store::logs_arrive),
    check!("SF714" "no-dead-letters", "every log record could be stored", Region, "log-store", outside,
        reads [Source::LogStore], requires ["SF712"], log_store::no_dead_letters),
    check!("SF721" "log-aggregator-runs", "the region's Vector runs and delivers", Region, "log-aggregator", outside,
        reads [Source::LogAggregator], requires [], log_aggregator::runs),
    check!("SF722" "log-aggregator-loses-nothing", "Vector loses no record", Region, "log-aggregator", outside,
        reads [Source::LogAggregator], requires ["SF721"], log_aggregator::loses_nothing),
    check!("SF723" "log-aggregator-buffer", "Vector's buffer has room", Region, "log-aggregator", outside,
        reads [Source::LogAggregator], requires ["SF721"], log_aggregator::buffer_has_room),
    check!("SF731" "region-complete", "Terraform knows the region's droplets and their VPC", Region, "terraform", outside,
        reads [Source::Terraform], requires [], terraform::complete),
    check!("SF732" "droplet-names-and-sizes", "the droplets have the contract's names and sizes", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::names_and_sizes),
    check!("SF733" "droplets-in-vpc", "every droplet stands in digitalocean_vpc.telemetry", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::in_vpc),
    check!("SF734" "volumes-attached", "every droplet keeps its state on a volume", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::volumes_attached),
    check!("SF735" "droplets-firewalled", "a firewall stands before every droplet", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::firewalled),
    check!("SF736" "region-independent", "nothing in the region depends on a cluster", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::independent),
    check!("SF737" "snapshots-young", "the volumes' snapshots are younger than their schedule", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF734"], terraform::snapshots_young),
    check!("SF738" "no-data-deleted", "the plan deletes nothing that holds data", Region, "terraform", outside,
        reads [Source::Terraform], requires ["SF731"], terraform::nothing_lost),
];
