//! The install contract as data: what a cluster must keep, in order.

mod envoy_gateway;
mod install;
mod label;
mod load;
mod region;
mod release;
mod requirement;
mod shuttle;
mod telemetry;

use jiff::SignedDuration;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use self::envoy_gateway::{BundleTerms, EnvoyGatewayTerms, GatewayCrdTerms};
pub use self::install::{Action, Entry, InstallTerms, SecretTerms, typed_duration};
pub use self::label::LabelKey;
pub use self::load::ContractError;
pub use self::region::{DropletTerms, JobTerms, RegionTerms};
pub use self::release::{EVERY, Must, Release, ValueTerm, push_key};
pub use self::requirement::VersionRequirement;
pub(crate) use self::requirement::parse_version;
pub use self::shuttle::{Permission, ShuttleRole, ShuttleTerms};
pub(crate) use self::telemetry::may_hold_a_credential;
pub use self::telemetry::{OperatorTerms, ScrapeJobTerms, TelemetryTerms};
pub use crate::scalar::Scalar;
pub use crate::step::StepId;

/// The `apiVersion` that this version reads.
pub(crate) const CONTRACT_VERSION: &str = "verify.starform.io/v1";

/// The install contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contract {
    /// Always `verify.starform.io/v1`.
    pub api_version: String,
    /// Always `InstallContract`.
    pub kind: ContractKind,
    /// The label keys that pods in managed namespaces carry, and that `kube_pod_labels` must show.
    pub labels: Vec<LabelKey>,
    /// The steps, in the order in which they are installed.
    pub steps: Vec<Step>,
    /// How they are installed.
    pub install: InstallTerms,
    /// What holds of the cluster itself.
    pub cluster: ClusterTerms,
    /// What holds of each component.
    pub components: Components,
    /// Numbers that checks compare with.
    pub thresholds: Thresholds,
    /// Failures that are accepted for a time.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// `sha256:…` of the text this was read from.
    #[serde(skip)]
    pub digest: String,
}

/// The one kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContractKind {
    /// The install contract.
    InstallContract,
}

/// A step of the contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Which.
    pub id: StepId,
    /// What it installs.
    pub title: String,
    /// What is done before its releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Action>,
    /// The Helm releases it installs, in order.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// What is done after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Action>,
    /// The steps that have to be kept before the next one is begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate: Vec<StepId>,
    /// The checks that judge it, in order.
    pub checks: Vec<CheckTerms>,
}

/// What the contract says of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckTerms {
    /// Its code, `SF304`.
    pub code: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Whether the cluster is not registered while it fails.
    pub gates: bool,
}

/// How bad a failure is; the words are those of OpenReports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing behind it can work.
    Critical,
    /// Data is lost or wrong.
    High,
    /// It works, and will hurt.
    Medium,
    /// Good to know.
    Low,
}

/// What holds of the cluster itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterTerms {
    /// Kubernetes versions.
    pub kubernetes: VersionRequirement,
    /// How long a new node may be not Ready.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub node_ready_grace: SignedDuration,
    /// How long a node may be not Ready again.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub node_not_ready_grace: SignedDuration,
}

/// The components that collectors look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Components {
    /// Envoy Gateway.
    pub envoy_gateway: EnvoyGatewayTerms,
    /// metrics-server.
    pub metrics_server: ComponentTerms,
    /// kube-state-metrics.
    pub kube_state_metrics: ComponentTerms,
    /// Fluent Bit.
    pub fluent_bit: TelemetryTerms,
    /// vmagent.
    pub vmagent: TelemetryTerms,
    /// Alloy.
    pub alloy: TelemetryTerms,
    /// Shuttle.
    pub shuttle: ShuttleTerms,
    /// The region's stores.
    pub region: RegionTerms,
}

/// Where a component may stand and what is read of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentTerms {
    /// Name of its Helm release in `steps`.
    pub release: String,
    /// Label selector of its Services.
    pub selector: String,
    /// Accepted namespaces; the first is the contract's own, another is a warning.
    pub namespaces: Vec<String>,
    /// Accepted versions of the program.
    pub versions: VersionRequirement,
    /// Name of the Service port that is scraped.
    #[serde(default)]
    pub port: Option<String>,
    /// The flags whose values are evidence; no other argument is read.
    pub flags: Vec<String>,
}

/// Numbers that checks compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thresholds {
    /// metrics-server's resolution where its workload does not say.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub metric_resolution: SignedDuration,
    /// A sample older than this many windows is stale.
    pub fresh_windows: u32,
    /// Share of running pods without PodMetrics above which the check fails.
    pub pod_metrics_missing: f64,
    /// Share of running pods without PodMetrics, beside others of their node that have some, above which the check warns.
    pub pod_metrics_scattered: f64,
    /// Share of pods without a row, or of rows without a pod, above which the check fails.
    pub pod_rows_missing: f64,
    /// How far kube-state-metrics may be behind.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub state_metrics_lag: SignedDuration,
    /// How old a sample may be when the kubelet hands it out.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub kubelet_sampling: SignedDuration,
    /// How long a scrape may take.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub scrape_timeout: SignedDuration,
    /// How long after its start a collector may have delivered nothing yet.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub flow_start: SignedDuration,
    /// How long after a metrics page that leaves a question it is read again.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub flow_window: SignedDuration,
    /// How long what flows may take from one move to the next where the collector's configuration does not say.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub flow_rhythm: SignedDuration,
    /// By how much what a metrics page says of its process' start may differ from its container's.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub uptime_agrees: SignedDuration,
    /// How far the newest that was delivered may be behind the newest that was taken in before that is a warning.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub flow_behind_warn: SignedDuration,
    /// How far behind it fails.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub flow_behind_fail: SignedDuration,
    /// The share of Fluent Bit's pods above which their trouble fails the check.
    pub flow_pods_failing: f64,
    /// How full a bounded queue may be before that is a warning, as a share.
    pub queue_filling: f64,
    /// How full a bounded queue may be, as a share.
    pub queue_filled: f64,
    /// How often a container may have been started again.
    pub restarts: u32,
    /// How long ago the last of them has to be for more to be no warning.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub restart_window: SignedDuration,
    /// How old Shuttle's status may be.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub status_age: SignedDuration,
    /// How old Shuttle's proof of canary and join may be when the status is written.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub proof_age: SignedDuration,
    /// How old a node's proof of itself may be.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub node_proof_age: SignedDuration,
    /// How many intervals may pass since the last heartbeat that Starbase accepted.
    pub heartbeat_intervals: u32,
    /// How long Helm may be at work on a release.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub helm_operation: SignedDuration,
    /// How long before its end a certificate or a token is told.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub ends_soon: SignedDuration,
}

/// A failure that is accepted until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The check's code.
    pub check: String,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds (`2026-12-31`), by the API server's clock, in UTC.
    #[schemars(with = "String")]
    pub expires: Date,
}

// === impl Contract ===

impl Contract {
    /// The namespaces into which the contract installs: the first of those that it accepts.
    #[must_use]
    pub fn own_namespaces(&self) -> BTreeSet<&str> {
        let components = &self.components;
        let releases = self.steps.iter().flat_map(|step| &step.releases);
        ([&components.metrics_server, &components.kube_state_metrics].into_iter())
            .filter_map(|terms| terms.namespaces.first())
            .chain([&components.shuttle.namespace])
            .chain(releases.map(|release| &release.namespace))
            .map(String::as_str)
            .collect()
    }

    /// The namespaces in which the contract accepts a component.
    #[must_use]
    pub fn accepted_namespaces(&self) -> BTreeSet<&str> {
        let components = &self.components;
        let releases = self.steps.iter().flat_map(|step| &step.releases);
        ([&components.metrics_server, &components.kube_state_metrics].into_iter())
            .flat_map(|terms| &terms.namespaces)
            .map(String::as_str)
            .chain(releases.flat_map(Release::namespaces))
            .collect()
    }

    /// The release of that name, with its step.
    #[must_use]
    pub fn release(&self, name: &str) -> Option<&Release> {
        self.steps
            .iter()
            .flat_map(|step| &step.releases)
            .find(|release| release.name == name)
    }

    /// What the contract says of a check.
    #[must_use]
    pub fn check(&self, code: &str) -> Option<&CheckTerms> {
        self.steps
            .iter()
            .flat_map(|step| &step.checks)
            .find(|check| check.code == code)
    }

    /// The label keys, as evidence positions them.
    #[must_use]
    pub fn label_keys(&self) -> Vec<String> {
        self.labels.iter().map(|key| key.as_str().to_owned()).collect()
    }
}

impl Severity {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}
