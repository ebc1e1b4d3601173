//! What was seen of a cluster, as plain data: everything a report is made from.
//!
//! Evidence is built by allow-list, field by field. It never holds a Secret's value, a token, or an argument that the
//! contract does not name. `--record` writes it, `--evidence` reads it, and both give the same report.

mod apiserver;
mod certificate;
mod component;
mod gateway;
mod keeper;
mod last_change;
mod members;
mod metrics;
mod node;
mod observed;
mod pod;
mod pod_name;
mod read;
mod reason;
mod region;
mod release;
mod second_look;
mod selection;
mod sharding;
mod shuttle;
mod source;
mod state;
mod telemetry;
mod trouble;
mod workload;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::apiserver::{ApiServer, ApiService, Condition, Node, NodeCondition, ServiceReference, Taint};
pub use self::certificate::{Certificate, Credential, TokenTime};
pub(crate) use self::component::EndpointKey;
pub use self::component::{Component, Endpoint, Service, ServicePort};
pub use self::gateway::{
    ControllerWorkload, FailedMount, Gateway, GatewayClass, GatewayCondition, GatewayConfiguration, GatewayController,
    GatewayCrd, GatewayListener, GatewayObject, GatewayProxy, PolicyAncestor, ProxyUpdates,
};
pub(crate) use self::gateway::{OTHER_CONFIGURATION, POLICIES};
pub use self::keeper::Keeper;
pub use self::last_change::LastChange;
pub use self::metrics::{Autoscaler, NodeMetrics, NodeMetricsAgain, PodMetrics, ScaleTarget};
pub use self::observed::{Access, Observed, Unknown, Waited};
pub use self::pod::{Pod, PodLabelRows, PodRow, Scrape, Termination, WaitingContainer};
pub use self::pod_name::PodName;
pub use self::reason::Reason;
pub use self::region::{
    Asked, Attachment, Buffer, ClusterReference, ClusterSeries, ComponentEvents, DeadLetters, Droplet, Firewall,
    InboundRule, JobReport, KubeletSeries, Link, LogAggregator, LogLines, LogStore, MetricsStore, PlannedChange,
    RecordedJoin, RecordedSeries, Region, RegionJobs, RegionRows, RegionSample, RuleSource, SnapshotReport,
    StoreCluster, StoreQuestion, Tag, Terraform, TerraformCheck, TerraformKind, TerraformResources, Volume,
    VolumeSnapshot, Vpc,
};
pub use self::release::{HelmContent, HelmHistory, HelmRelease, HelmValue, ImmutableObject, ValueReading, ValueSeen};
pub use self::second_look::{Passing, PodAgain, RowAgain, SecondLook};
pub use self::selection::{Named, RecordedSelection, SelectionRequest};
pub use self::shuttle::{
    Canary, ContainerNames, GateVerdict, Grant, Join, NodeJoin, NodesProven, Phase, PolicyRule, Registration,
    STATUS_CONFIG_MAP, STATUS_KEY, STATUS_NAMES, STATUS_VERSION, Shuttle, ShuttleStatus, ShuttleWorkload, StarbaseRead,
    StarbaseRegistration, StatusRead,
};
pub use self::source::{Source, Timing};
pub(crate) use self::telemetry::CLUSTER_LABELS;
pub use self::telemetry::{
    AlloyCondition, AlloyConfigMap, AlloyCredential, AlloyDestination, AlloyPipelines, AlloyResource, AlloySettings,
    AlloyText, CredentialKind, FluentBitPlugin, FluentBitSettings, Hidden, KeepRule, LeftoverPod, Metrics, MetricsPage,
    MetricsSample, MountedVolume, RemoteWrite, RunningJob, ScrapeConfig, ScrapeJob, Telemetry, TelemetryComponent,
    TelemetryPod, TelemetryWorkload, VmagentSettings, VolumeKind,
};
pub(crate) use self::trouble::SLOW;
pub use self::trouble::Trouble;
pub use self::workload::{
    ContainerImage, NodeRequirement, NodeTerm, OwnCommand, Owner, Placement, Rollout, RolloutCondition, Toleration,
    UnreadArgument, Workload, WorkloadKind,
};

pub(crate) use self::members::{Members, Shows};
pub(crate) use self::sharding::is_sharded;

/// The format of an evidence file; a reader refuses any other.
///
/// A field that is added does not raise it: a reader takes what it knows, and such a field is unknown where it is missing. A
/// field that the version began with is there, also where it says that there is nothing: a file without it is refused, for
/// its absence must not pass for that.
pub const EVIDENCE_VERSION: &str = "verify.starform.io/evidence/v2";

/// Where a collector stands: what it can prove differs (a scrape goes through the API server, or direct).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vantage {
    /// In a pod of the cluster that is looked at.
    Inside,
    /// Anywhere else: everything goes through the API server.
    Outside,
}

/// How the cluster was addressed, so that printed commands address it the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The kubeconfig context in use; `None` inside a cluster.
    pub context: Option<String>,
    /// Whether the context was named on the command line: then printed commands name it too.
    pub context_named: bool,
    /// The kubeconfig file, only where it was named on the command line.
    pub kubeconfig: Option<String>,
    /// The API server's address, without what may stand in it of a user and a password. `None` inside a cluster, and in evidence
    /// that was recorded before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The kubeconfig files that were read, as `KUBECONFIG` has them, with `~` for the home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_from: Option<String>,
    /// Where the collectors stood.
    pub vantage: Vantage,
}

/// Everything that one audit saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Always [`EVIDENCE_VERSION`].
    pub api_version: String,
    /// Version of the tool that collected.
    pub tool_version: String,
    /// How the cluster was addressed.
    pub target: Target,
    /// What the audit was asked for. `None` where that is not known: then all of it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<RecordedSelection>,
    /// Digest of the contract it was collected under (`sha256:…`).
    pub contract: String,
    /// The label keys that `labels` of [`Pod`] and [`PodRow`] are positions of, in order.
    pub label_keys: Vec<String>,
    /// The collecting machine's clock at the start. Freshness is never judged by it; see [`Evidence::now`].
    pub collected: Timestamp,
    /// When each source was read, in milliseconds since `collected`.
    #[serde(default, deserialize_with = "read::known_keys")]
    pub timings: BTreeMap<Source, Timing>,
    /// `GET /version`.
    #[serde(default)]
    pub api_server: Observed<ApiServer>,
    /// The certificate that the API server showed. Absent where it speaks no TLS.
    #[serde(default)]
    pub api_server_certificate: Observed<Certificate>,
    /// What the API server knows the audit by, as far as it ends by a date and nothing renews it. Absent where nothing does.
    #[serde(default)]
    pub credentials: Observed<Vec<Credential>>,
    /// The UID of the namespace `kube-system`, the settled identity of a cluster.
    #[serde(default)]
    pub identity: Observed<String>,
    /// The nodes.
    #[serde(default)]
    pub nodes: Observed<Vec<Node>>,
    /// The APIService `v1beta1.metrics.k8s.io`.
    #[serde(default)]
    pub metrics_api_service: Observed<ApiService>,
    /// NodeMetrics of the metrics API.
    #[serde(default)]
    pub node_metrics: Observed<Vec<NodeMetrics>>,
    /// NodeMetrics read again, where several pods of metrics-server are ready. `None` where there is one, or where nobody read
    /// them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_metrics_again: Option<Observed<NodeMetricsAgain>>,
    /// PodMetrics of the metrics API.
    #[serde(default)]
    pub pod_metrics: Observed<Vec<PodMetrics>>,
    /// HorizontalPodAutoscalers that scale on resource metrics.
    #[serde(default)]
    pub autoscalers: Observed<Vec<Autoscaler>>,
    /// metrics-server: Services, endpoints, workloads.
    #[serde(default)]
    pub metrics_server: Component,
    /// kube-state-metrics: Services, endpoints, workloads.
    #[serde(default)]
    pub kube_state_metrics: Component,
    /// All pods of the cluster.
    #[serde(default)]
    pub pods: Observed<Vec<Pod>>,
    /// `kube_pod_labels`, one entry a scrape target.
    #[serde(default)]
    pub scrapes: Observed<Vec<Scrape>>,
    /// What a second look said of pods and rows that the first list and the scrapes did not both have. `None` where they
    /// left no doubt, or where nobody looked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_look: Option<Observed<SecondLook>>,
    /// Shuttle.
    #[serde(default)]
    pub shuttle: Shuttle,
    /// Envoy Gateway and the Gateway API's objects.
    #[serde(default)]
    pub gateway: Gateway,
    /// Fluent Bit, vmagent and Alloy.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// Helm's releases of the contract's charts.
    #[serde(default)]
    pub releases: Observed<Vec<HelmRelease>>,
    /// The regional stores.
    #[serde(default)]
    pub region: Region,
}

// === impl Target ===

impl Target {
    /// Nothing of a cluster, from outside.
    #[must_use]
    pub fn outside() -> Self {
        Self {
            context: None,
            context_named: false,
            kubeconfig: None,
            address: None,
            read_from: None,
            vantage: Vantage::Outside,
        }
    }

    /// The cluster of the pod that looks at it.
    #[must_use]
    pub fn inside() -> Self {
        Self {
            vantage: Vantage::Inside,
            ..Self::outside()
        }
    }

    /// Where was looked, in words and as far as it is known: `https://127.0.0.1:6443, context testbed, kubeconfig ~/.kube/config`.
    pub(crate) fn tried(&self) -> Option<String> {
        let labelled = |label: &str, value: &Option<String>| value.as_ref().map(|value| format!("{label}{value}"));
        let parts = [
            self.address.clone(),
            labelled("context ", &self.context),
            labelled("kubeconfig ", &self.read_from),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

// === impl Evidence ===

impl Evidence {
    /// Evidence in which nothing was collected yet: every source is unknown.
    #[must_use]
    pub(crate) fn empty(target: Target, contract: String, label_keys: Vec<String>, collected: Timestamp) -> Self {
        Self {
            api_version: EVIDENCE_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            target,
            selection: None,
            contract,
            label_keys,
            collected,
            timings: BTreeMap::new(),
            api_server: Observed::not_collected(),
            api_server_certificate: Observed::not_collected(),
            credentials: Observed::not_collected(),
            identity: Observed::not_collected(),
            nodes: Observed::not_collected(),
            metrics_api_service: Observed::not_collected(),
            node_metrics: Observed::not_collected(),
            node_metrics_again: None,
            pod_metrics: Observed::not_collected(),
            autoscalers: Observed::not_collected(),
            metrics_server: Component::not_collected(),
            kube_state_metrics: Component::not_collected(),
            pods: Observed::not_collected(),
            scrapes: Observed::not_collected(),
            second_look: None,
            shuttle: Shuttle::not_collected(),
            gateway: Gateway::not_collected(),
            telemetry: Telemetry::not_collected(),
            releases: Observed::not_collected(),
            region: Region::not_collected(),
        }
    }

    /// Puts the agent's own status where the auditor has what it read of the ConfigMap: both are judged by the same
    /// checks. It counts as read and stored when all else had been read; where the API server told no time, its age is as
    /// unknown as any other.
    #[must_use]
    pub fn with_own_status(mut self, status: ShuttleStatus) -> Self {
        let ended_ms = self.timings.values().map(|timing| timing.ended_ms).max();
        let ended_ms = ended_ms.unwrap_or_default();
        let started_ms = ended_ms;
        self.timings
            .insert(Source::ShuttleStatus, Timing { started_ms, ended_ms });
        let stored = self.now(Source::ShuttleStatus);
        self.shuttle.status = Observed::Seen(StatusRead { status, stored });
        self
    }

    /// The API server's clock at the moment `source` had been read: its `Date` header, carried on by the time that
    /// passed. `None` where the API server told no time.
    #[must_use]
    pub fn now(&self, source: Source) -> Option<Timestamp> {
        let read = self.timings.get(&source)?.ended_ms;
        let told = self.timings.get(&Source::ApiServer)?.ended_ms;
        self.at(i64::try_from(read.max(told)).ok()?)
    }

    /// The API server's clock so many milliseconds after the collection began.
    #[must_use]
    pub(crate) fn at(&self, milliseconds: i64) -> Option<Timestamp> {
        let Observed::Seen(server) = &self.api_server else {
            return None;
        };
        let told = i64::try_from(self.timings.get(&Source::ApiServer)?.ended_ms).ok()?;
        let passed = milliseconds.checked_sub(told)?;
        server.date?.checked_add(jiff::SignedDuration::from_millis(passed)).ok()
    }
}

/// A string that many pods share: a namespace, a node, a label's value.
pub type Shared = Arc<str>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_s_own_status_is_of_this_moment() {
        let target = Target::inside();
        let mut evidence = Evidence::empty(target, String::new(), Vec::new(), Timestamp::UNIX_EPOCH);
        let date: Timestamp = "2026-11-22T15:00:00Z".parse().unwrap();
        evidence.api_server = Observed::Seen(ApiServer {
            git_version: "v1.35.4".to_owned(),
            date: Some(date),
        });
        let timing = |started_ms, ended_ms| Timing { started_ms, ended_ms };
        evidence.timings.insert(Source::ApiServer, timing(0, 100));
        evidence.timings.insert(Source::Pods, timing(0, 2_100));
        let status: ShuttleStatus = serde_json::from_value(serde_json::json!({
            "apiVersion": STATUS_VERSION, "version": "0.1.0", "pod": "shuttle-0", "clusterId": "c", "region": "nyc3",
            "uid": "u", "phase": "verifying", "since": date, "reason": "", "registration": null, "verdict": null,
            "canary": Canary::default(), "join": Join::default(), "nodes": NodesProven::default(), "written": date,
        }))
        .unwrap();
        let evidence = evidence.with_own_status(status.clone());
        let stored = Some("2026-11-22T15:00:02Z".parse().unwrap());
        assert_eq!(evidence.now(Source::ShuttleStatus), stored);
        assert_eq!(evidence.shuttle.status, Observed::Seen(StatusRead { status, stored }));
    }
}
