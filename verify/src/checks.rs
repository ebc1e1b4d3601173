//! The checks there are, as data: what each is called, what it reads, what it stands behind. What judges them is
//! [`crate::evaluate`]; the contract says how bad each is, and collectors what it takes to read what they read.

mod selection;

use crate::evidence::{Source, Vantage};
use crate::step::StepId;

pub use self::selection::{Selection, SelectionError};

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
    /// Which it is, for whoever judges.
    pub(crate) id: Code,
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
    pub(crate) fn allows(self, vantage: Vantage) -> bool {
        match self {
            Self::Outside => vantage == Vantage::Outside,
            Self::Both => true,
        }
    }
}

macro_rules! vantage {
    () => {
        CheckVantage::Both
    };
    (Outside) => {
        CheckVantage::Outside
    };
}

/// Makes [`CHECKS`] of the table below. What a check requires is one of them, or it does not compile.
macro_rules! checks {
    ($($code:ident $slug:literal $title:literal: $step:ident $group:literal $($vantage:ident)?,
        reads [$($read:ident),+] $(advice [$($advice:ident),+])? $(present [$($component:literal $told_by:ident),+])?
        requires [$($required:ident),*];)+) => {
        /// The codes, so that whoever judges forgets none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $($code,)+
        }

        /// Every check, in the contract's order: a check stands after those it requires.
        pub static CHECKS: &[Check] = &[$(Check {
            id: Code::$code,
            code: stringify!($code),
            slug: $slug,
            title: $title,
            step: StepId::$step,
            groups: &[$group],
            vantage: vantage!($($vantage)?),
            reads: &[$(Source::$read),+],
            advice: &[$($(Source::$advice),+)?],
            requires: &[$(stringify!($required)),*],
            present: &[$($(($component, stringify!($told_by))),+)?],
            page: include_str!(concat!("../checks/", stringify!($code), ".md")),
        },)+];

        $($(const _: Code = Code::$required;)*)+
        $($($(const _: Code = Code::$told_by;)+)?)+
    };
}

#[rustfmt::skip]
checks! {
    SF101 "api-server-answers" "the API server answers": One "cluster",
        reads [ApiServer] requires [];
    SF102 "kubernetes-version" "the Kubernetes version is one that the contract accepts": One "cluster",
        reads [ApiServer] requires [SF101];
    SF103 "cluster-is-doks" "every node is a DigitalOcean droplet": One "cluster",
        reads [Nodes] requires [SF101];
    SF104 "nodes-ready" "every node is Ready": One "cluster",
        reads [ApiServer, Nodes] requires [SF101];
    SF105 "nodes-in-one-region" "every node is in one region": One "cluster",
        reads [Nodes] requires [SF101];
    SF106 "cluster-identity" "the cluster's identity can be read": One "cluster",
        reads [Identity] requires [SF101];
    SF107 "credentials-last" "no certificate or token of the connection ends soon": One "cluster" Outside,
        reads [ApiServer, MetricsApiService] requires [SF101];

    SF208 "gateway-crds-present" "the CRDs of the Gateway API and of Envoy Gateway are there": Two "envoy-gateway",
        reads [GatewayCrds] requires [SF101];
    SF202 "gateway-certificates-made" "Envoy Gateway's pods find their certificates": Two "envoy-gateway",
        reads [ApiServer, EnvoyGatewayWorkloads] requires [SF101];
    SF201 "gateway-controller-runs" "Envoy Gateway's controller is complete": Two "envoy-gateway",
        reads [EnvoyGatewayWorkloads] advice [ApiServer, Nodes, Pods] requires [SF208, SF202];
    SF207 "gateway-controller-version" "Envoy Gateway's version is one that the contract accepts": Two "envoy-gateway",
        reads [EnvoyGatewayWorkloads] requires [SF101];
    SF205 "gateway-crds-manager" "DOKS does not put the Gateway API's CRDs back": Two "envoy-gateway",
        reads [GatewayCrds, EnvoyGatewayWorkloads] requires [SF208, SF207];
    SF204 "gateway-crds-version" "the Gateway API's CRDs are one bundle, of a version that goes with the controller": Two "envoy-gateway",
        reads [GatewayCrds, EnvoyGatewayWorkloads] requires [SF205];
    SF203 "gateway-class-accepted" "the controller has accepted the GatewayClass": Two "envoy-gateway",
        reads [GatewayClasses] requires [SF201];
    SF206 "gateways-programmed" "every Gateway of the controller is programmed": Two "envoy-gateway",
        reads [GatewayClasses, Gateways] requires [SF203];
    SF209 "gateway-proxies-current" "every Envoy has taken the configuration of its Gateway": Two "envoy-gateway" Outside,
        reads [ApiServer, GatewayClasses, Gateways, GatewayProxies, GatewayConfiguration] requires [SF203];
    SF280 "gateway-release-deployed" "Envoy Gateway's Helm release is deployed, and not stuck": Two "helm" Outside,
        reads [ApiServer, HelmReleases] present ["envoy-gateway" SF201] requires [SF101];
    SF281 "gateway-chart-version" "Envoy Gateway's chart is of a version that the contract accepts": Two "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF280];
    SF282 "gateway-values" "Envoy Gateway's values keep the contract": Two "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF280];

    SF301 "metrics-api-registered" "the metrics API is registered": Three "metrics-server",
        reads [MetricsApiService] requires [SF101];
    SF302 "metrics-api-service" "the metrics API points at a live Service in an accepted namespace": Three "metrics-server",
        reads [MetricsApiService, MetricsServerServices] requires [SF301];
    SF303 "metrics-server-runs" "metrics-server's workload is complete": Three "metrics-server",
        reads [MetricsApiService, MetricsServerServices, MetricsServerWorkloads, MetricsServerEndpoints]
        advice [ApiServer, Nodes, Pods]
        requires [SF302];
    SF304 "metrics-api-available" "the API server calls the metrics API available": Three "metrics-server",
        reads [MetricsApiService] requires [SF303];
    SF305 "metrics-api-answers" "the metrics API answers for nodes and pods": Three "metrics-server",
        reads [NodeMetrics, PodMetrics] requires [SF304];
    SF306 "node-metrics-complete" "every Ready node has metrics": Three "metrics-server",
        reads [ApiServer, Nodes, NodeMetrics, MetricsApiService, MetricsServerServices, MetricsServerEndpoints, MetricsServerWorkloads]
        requires [SF305];
    SF307 "node-metrics-fresh" "node metrics are fresh": Three "metrics-server",
        reads [ApiServer, NodeMetrics, MetricsServerServices, MetricsServerWorkloads] requires [SF305];
    SF308 "pod-metrics-complete" "every running pod has metrics": Three "metrics-server",
        reads [ApiServer, NodeMetrics, Pods, PodMetrics, MetricsServerServices, MetricsServerWorkloads] requires [SF306];
    SF309 "pod-metrics-fresh" "pod metrics are fresh": Three "metrics-server",
        reads [ApiServer, PodMetrics, MetricsServerServices, MetricsServerWorkloads] requires [SF308];
    SF310 "metrics-server-version" "metrics-server's version is one that the contract accepts": Three "metrics-server",
        reads [MetricsServerServices, MetricsServerWorkloads] advice [MetricsApiService] requires [SF302];
    SF311 "metrics-server-verifies-kubelets" "metrics-server verifies the kubelets' certificates": Three "metrics-server",
        reads [MetricsServerServices, MetricsServerWorkloads] advice [MetricsApiService] requires [SF302];
    SF312 "autoscalers-read-metrics" "autoscalers that scale on resource metrics can read them": Three "metrics-server",
        reads [Autoscalers] advice [ApiServer, Pods, PodMetrics, MetricsServerServices, MetricsServerWorkloads]
        requires [SF309];

    SF320 "state-metrics-present" "kube-state-metrics stands in an accepted namespace": Three "kube-state-metrics",
        reads [StateMetricsServices] advice [StateMetricsWorkloads] requires [SF101];
    SF324 "state-metrics-allowlist" "the allow-list puts every contract label on kube_pod_labels": Three "kube-state-metrics",
        reads [StateMetricsServices, StateMetricsWorkloads] advice [Pods, StateMetricsScrape] requires [SF320];
    SF321 "state-metrics-runs" "every shard of kube-state-metrics is ready": Three "kube-state-metrics",
        reads [StateMetricsServices, StateMetricsWorkloads, StateMetricsEndpoints] advice [ApiServer, Nodes, Pods] requires [SF320];
    SF322 "state-metrics-version" "kube-state-metrics' version is one that the contract accepts": Three "kube-state-metrics",
        reads [StateMetricsServices, StateMetricsWorkloads] requires [SF320];
    SF323 "state-metrics-answers" "every shard of kube-state-metrics answers a scrape, whole and in time": Three "kube-state-metrics",
        reads [StateMetricsServices, StateMetricsWorkloads, StateMetricsEndpoints, StateMetricsScrape] requires [SF321];
    SF325 "pod-label-rows-complete" "every pod has a row of kube_pod_labels": Three "kube-state-metrics",
        reads [ApiServer, Pods, StateMetricsServices, StateMetricsScrape] advice [StateMetricsWorkloads] requires [SF323, SF324];
    SF326 "pod-label-rows-current" "no row of kube_pod_labels is of a pod that is gone": Three "kube-state-metrics",
        reads [Pods, StateMetricsServices, StateMetricsScrape] requires [SF323, SF324];
    SF327 "pod-labels-shown" "every contract label that a pod carries is on its row": Three "kube-state-metrics",
        reads [Pods, StateMetricsServices, StateMetricsScrape] requires [SF325];
    SF328 "pod-labels-unambiguous" "no contract label collides with another label": Three "kube-state-metrics",
        reads [StateMetricsServices, StateMetricsScrape] requires [SF323, SF324];
    SF329 "metrics-join" "every pod with metrics joins exactly one row of kube_pod_labels": Three "kube-state-metrics",
        reads [ApiServer, Pods, PodMetrics, StateMetricsServices, StateMetricsScrape] requires [SF308, SF325];

    SF401 "fluent-bit-present" "Fluent Bit stands in an accepted namespace": Four "fluent-bit",
        reads [FluentBitWorkloads] requires [SF101];
    SF402 "fluent-bit-runs" "Fluent Bit is ready on every node": Four "fluent-bit",
        reads [ApiServer, Nodes, FluentBitWorkloads] requires [SF401];
    SF403 "fluent-bit-version" "Fluent Bit's version is one that the contract accepts": Four "fluent-bit",
        reads [FluentBitWorkloads] requires [SF401];
    SF404 "fluent-bit-output" "Fluent Bit sends what Vector decodes": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];
    SF405 "fluent-bit-buffer" "Fluent Bit keeps what it cannot send yet, within a bound": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];
    SF406 "fluent-bit-positions" "Fluent Bit remembers what it has read": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];
    SF407 "fluent-bit-verifies" "Fluent Bit verifies whom it sends to": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];
    SF408 "fluent-bit-credentials" "no credential of Fluent Bit stands in clear": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];
    SF409 "fluent-bit-labels" "every record names its cluster and region": Four "fluent-bit",
        reads [FluentBitWorkloads, FluentBitSettings] requires [SF401];

    SF410 "fluent-bit-answers" "every Fluent Bit shows its metrics": Four "fluent-bit",
        reads [ApiServer, FluentBitWorkloads, FluentBitMetrics] requires [SF402];
    SF411 "fluent-bit-delivers" "Fluent Bit delivers what it reads": Four "fluent-bit",
        reads [ApiServer, FluentBitMetrics] requires [SF410];
    SF412 "fluent-bit-outputs-succeed" "Fluent Bit's outputs need no second try": Four "fluent-bit",
        reads [ApiServer, FluentBitMetrics] requires [SF411];
    SF413 "fluent-bit-buffer-has-room" "Fluent Bit's buffer has room": Four "fluent-bit",
        reads [ApiServer, FluentBitMetrics] requires [SF410];
    SF414 "fluent-bit-nothing-dropped" "Fluent Bit has dropped nothing": Four "fluent-bit",
        reads [ApiServer, FluentBitMetrics] requires [SF410];

    SF421 "vmagent-present" "vmagent stands in an accepted namespace": Four "vmagent",
        reads [VmagentWorkloads] requires [SF101];
    SF422 "vmagent-runs" "vmagent's workload is complete": Four "vmagent",
        reads [ApiServer, VmagentWorkloads] requires [SF421];
    SF423 "vmagent-version" "vmagent's version is one that the contract accepts": Four "vmagent",
        reads [VmagentWorkloads] requires [SF421];
    SF424 "vmagent-remote-write" "vmagent scrapes, and writes to a store": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];
    SF425 "vmagent-queue" "vmagent's queue outlives its pod, within a bound": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];
    SF426 "vmagent-honors-labels" "vmagent leaves kube-state-metrics' labels as they are": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];
    SF427 "vmagent-reads-kubelets" "vmagent reads cAdvisor of every kubelet directly": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];
    SF428 "vmagent-labels" "every series names its cluster and region": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];
    SF429 "vmagent-credentials" "no credential of vmagent stands in clear": Four "vmagent",
        reads [VmagentWorkloads, VmagentSettings] requires [SF421];

    SF430 "vmagent-answers" "every vmagent shows its metrics": Four "vmagent",
        reads [ApiServer, VmagentWorkloads, VmagentMetrics] requires [SF422];
    SF431 "vmagent-scrapes-state-metrics" "vmagent scrapes every shard of kube-state-metrics": Four "vmagent",
        reads [ApiServer, StateMetricsEndpoints, VmagentMetrics] advice [StateMetricsServices, StateMetricsWorkloads]
        requires [SF321, SF430];
    SF432 "vmagent-scrapes-kubelets" "vmagent scrapes the kubelet of every Ready node": Four "vmagent",
        reads [ApiServer, Nodes, VmagentMetrics] requires [SF430];
    SF433 "vmagent-keeps-labels" "the running vmagent keeps the labels of kube-state-metrics": Four "vmagent",
        reads [ApiServer, VmagentMetrics] requires [SF430];
    SF434 "vmagent-delivers" "the store accepts what vmagent writes": Four "vmagent",
        reads [ApiServer, VmagentMetrics] requires [SF430];
    SF435 "vmagent-queue-has-room" "vmagent's queue has room and does not grow": Four "vmagent",
        reads [ApiServer, VmagentMetrics] requires [SF434];
    SF436 "vmagent-nothing-dropped" "vmagent has dropped nothing": Four "vmagent",
        reads [ApiServer, VmagentMetrics] requires [SF430];

    SF441 "alloy-present" "Alloy's operator stands in an accepted namespace": Four "alloy",
        reads [AlloyWorkloads] requires [SF101];
    SF442 "alloy-operator-runs" "Alloy's operator is available": Four "alloy",
        reads [ApiServer, AlloyWorkloads] requires [SF441];
    SF443 "alloy-version" "Alloy's versions are ones that the contract accepts": Four "alloy",
        reads [AlloyWorkloads] requires [SF441];
    SF444 "alloy-reconciled" "the operator has reconciled every Alloy resource": Four "alloy",
        reads [AlloyResources] requires [SF442];
    SF445 "alloy-runs" "every Alloy resource has a complete workload": Four "alloy",
        reads [ApiServer, Nodes, AlloyResources, AlloyWorkloads] requires [SF444];
    SF446 "one-state-metrics" "there is one kube-state-metrics in the cluster": Four "alloy",
        reads [StateMetricsServices] advice [StateMetricsWorkloads] requires [SF320];
    SF447 "alloy-credentials" "no credential of Alloy stands in clear": Four "alloy" Outside,
        reads [AlloyResources, AlloySettings] requires [SF101];

    SF448 "alloy-sends" "every Alloy collects something, and sends it somewhere": Four "alloy" Outside,
        reads [AlloyWorkloads, AlloySettings] advice [VmagentSettings] requires [SF445];
    SF450 "alloy-answers" "every Alloy shows its metrics": Four "alloy",
        reads [ApiServer, AlloyWorkloads, AlloyMetrics] requires [SF445];
    SF451 "alloy-delivers" "Alloy delivers what it takes in": Four "alloy",
        reads [ApiServer, AlloyMetrics] requires [SF450];
    SF452 "alloy-components-healthy" "every component of Alloy is healthy": Four "alloy",
        reads [ApiServer, AlloyMetrics] requires [SF450];
    SF453 "alloy-nothing-dropped" "Alloy has dropped nothing": Four "alloy",
        reads [ApiServer, AlloyMetrics] requires [SF450];
    SF380 "metrics-releases-deployed" "the Helm releases of step 3 are deployed, and none is stuck": Three "helm" Outside,
        reads [ApiServer, HelmReleases] present ["metrics-server" SF302, "kube-state-metrics" SF320] requires [SF101];
    SF381 "metrics-chart-versions" "the charts of step 3 are of versions that the contract accepts": Three "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF380];
    SF382 "metrics-values" "the values of step 3 keep the contract": Three "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF380];

    SF480 "collector-releases-deployed" "the Helm releases of step 4 are deployed, and none is stuck": Four "helm" Outside,
        reads [ApiServer, HelmReleases] present ["fluent-bit" SF401, "vmagent" SF421, "k8s-monitoring" SF441]
        requires [SF101];
    SF481 "collector-chart-versions" "the charts of step 4 are of versions that the contract accepts": Four "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF480];
    SF482 "collector-values" "the values of step 4 keep the contract": Four "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF480];
    SF483 "releases-in-order" "the releases were first deployed in the contract's order": Four "helm" Outside,
        reads [ApiServer, HelmReleases] requires [SF101];

    SF501 "shuttle-agent-runs" "Shuttle's Deployment is complete": Five "shuttle" Outside,
        reads [ApiServer, ShuttleAgent, ShuttleStatus, Pods] requires [SF101];
    SF502 "shuttle-node-runs" "Shuttle's DaemonSet is complete on every Ready node": Five "shuttle" Outside,
        reads [ApiServer, ShuttleNode, Nodes, Pods] requires [SF101];
    SF503 "identities-agree" "status, labels and nodes tell one cluster and one region": Five "shuttle" Outside,
        reads [ShuttleStatus, Identity, Nodes, Pods] requires [SF105, SF106];
    SF504 "status-fresh" "Shuttle renews its status": Five "shuttle",
        reads [ApiServer, ShuttleStatus] requires [SF101];
    SF505 "canary-proven" "labels flow from a pod of Shuttle's to its row, and metrics with them": Five "shuttle",
        reads [ShuttleStatus] requires [SF309, SF325, SF504];
    SF506 "join-proven" "every node's container metrics join kube_pod_labels": Five "shuttle",
        reads [ApiServer, Nodes, ShuttleStatus] requires [SF325, SF504];
    SF507 "nodes-proven" "every Ready node proves its own telemetry": Five "shuttle" Outside,
        reads [ApiServer, Nodes] requires [SF502];
    SF508 "no-telemetry-configuration" "Shuttle carries no telemetry configuration": Five "shuttle" Outside,
        reads [ShuttleAgent, ShuttleNode, ShuttleConfigMaps] requires [SF101];
    SF509 "permissions-not-wider" "Shuttle's accounts may do no more than they need": Five "shuttle" Outside,
        reads [ShuttleGrants] requires [SF101];

    SF601 "registered" "the cluster is registered with Starbase and active": Six "registration" Outside,
        reads [ShuttleStatus, Identity] requires [SF106, SF505, SF506];
    SF602 "heartbeat-accepted" "Starbase accepts Shuttle's heartbeats": Six "registration" Outside,
        reads [ShuttleStatus] requires [SF601];
    SF603 "starbase-agrees" "Starbase says the same of the registration": Six "registration" Outside,
        reads [ShuttleStatus, Identity, Starbase] requires [SF601];
    SF604 "starbase-certificate-lasts" "Starbase's certificate does not end soon": Six "registration" Outside,
        reads [Starbase] requires [SF101];

    SF701 "metrics-store-answers" "the region's VictoriaMetrics answers": Region "metrics-store" Outside,
        reads [MetricsStore] requires [];
    SF702 "cluster-series-arrive" "the cluster's series arrive in the region's VictoriaMetrics": Region "metrics-store" Outside,
        reads [MetricsStore, Nodes, ApiServer] requires [SF701];
    SF703 "kubelet-series-arrive" "every Ready node's container metrics arrive": Region "metrics-store" Outside,
        reads [MetricsStore, Nodes, ApiServer] requires [SF702];
    SF704 "pod-label-series-arrive" "pods' labels arrive under their own names": Region "metrics-store" Outside,
        reads [MetricsStore] requires [SF702];
    SF705 "join-recorded" "the join of container metrics with pods' labels is recorded": Region "metrics-store" Outside,
        reads [MetricsStore, Nodes, ApiServer] requires [SF704];
    SF706 "series-identity-agrees" "series carry one cluster and one region": Region "metrics-store" Outside,
        reads [MetricsStore] requires [SF702];
    SF707 "region-jobs-succeed" "the region's jobs succeed, and snapshots are younger than their schedule": Region "metrics-store" Outside,
        reads [MetricsStore] requires [SF701];
    SF708 "metrics-store-certificate-lasts" "VictoriaMetrics' certificate does not end soon": Region "metrics-store" Outside,
        reads [MetricsStore] requires [SF701];
    SF711 "log-store-answers" "the region's ClickHouse answers": Region "log-store" Outside,
        reads [LogStore] requires [];
    SF712 "log-schema" "the tables for logs are the contract's": Region "log-store" Outside,
        reads [LogStore] requires [SF711];
    SF713 "cluster-logs-arrive" "the cluster's logs arrive in the region's ClickHouse": Region "log-store" Outside,
        reads [LogStore] requires [SF712];
    SF714 "no-dead-letters" "every log record could be stored": Region "log-store" Outside,
        reads [LogStore] requires [SF712];
    SF715 "log-store-certificate-lasts" "ClickHouse's certificate does not end soon": Region "log-store" Outside,
        reads [LogStore] requires [SF711];
    SF721 "log-aggregator-runs" "the region's Vector runs and delivers": Region "log-aggregator" Outside,
        reads [LogAggregator] requires [];
    SF722 "log-aggregator-loses-nothing" "Vector loses no record": Region "log-aggregator" Outside,
        reads [LogAggregator] requires [SF721];
    SF723 "log-aggregator-buffer" "Vector's buffer has room": Region "log-aggregator" Outside,
        reads [LogAggregator] requires [SF721];
    SF731 "region-complete" "Terraform knows the region's droplets and their VPC": Region "terraform" Outside,
        reads [Terraform] requires [];
    SF732 "droplet-names-and-sizes" "the droplets have the contract's names and sizes": Region "terraform" Outside,
        reads [Terraform] requires [SF731];
    SF733 "droplets-in-vpc" "every droplet stands in digitalocean_vpc.telemetry": Region "terraform" Outside,
        reads [Terraform] requires [SF731];
    SF734 "volumes-attached" "every droplet keeps its state on a volume": Region "terraform" Outside,
        reads [Terraform] requires [SF731];
    SF735 "droplets-firewalled" "a firewall stands before every droplet": Region "terraform" Outside,
        reads [Terraform] requires [SF731];
    SF736 "region-independent" "nothing in the region depends on a cluster": Region "terraform" Outside,
        reads [Terraform] requires [SF731];
    SF737 "snapshots-young" "the volumes' snapshots are younger than their schedule": Region "terraform" Outside,
        reads [Terraform] requires [SF734];
    SF738 "no-data-deleted" "the plan deletes nothing that holds data": Region "terraform" Outside,
        reads [Terraform] requires [];
}
