//! The checks there are.

use super::cluster;
use super::kube_state_metrics as ksm;
use super::metrics;
use super::metrics_server as ms;
use super::outcome::{Judge, Outcome};
use super::pod_label_rows as rows;
use super::registration;
use super::releases;
use super::shuttle;
use super::shuttle_configuration;
use super::shuttle_identity;
use super::shuttle_permissions;
use super::shuttle_status;
use super::subject::Subject;
use crate::contract::StepId;
use crate::evidence::{Source, Vantage};

/// From where a check can be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckVantage {
    /// Only in the cluster.
    Inside,
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
    /// Further sources that only its advice is made from. Where they are unknown, so be it.
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
            Self::Inside => vantage == Vantage::Inside,
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
        reads [Source::StateMetricsServices, Source::StateMetricsWorkloads], requires ["SF320"], ksm::allowlist),
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
];
