//! The cluster itself: API server, nodes, APIService.

use super::certificate::Certificate;
use super::last_change::LastChange;
use super::{Observed, Shared};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `GET /version` told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServer {
    /// `v1.35.4`.
    pub git_version: String,
    /// The `Date` header of the answer: the clock that freshness is judged by.
    pub date: Option<Timestamp>,
}

/// A condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word, from the writer of the condition.
    pub reason: String,
    /// A sentence, cut at a bound.
    pub message: String,
    /// Last transition.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub since: Option<Timestamp>,
}

impl Condition {
    /// Whether the status is `True`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its name.
    pub name: String,
    /// When it registered.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub created: Option<Timestamp>,
    /// The condition `Ready`; `None` where the kubelet has not posted one.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub ready: Option<Condition>,
    /// The scheme of `spec.providerID`: `digitalocean` on DOKS.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub provider: Option<String>,
    /// Label `topology.kubernetes.io/region`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub region: Option<String>,
    /// Label `doks.digitalocean.com/node-pool`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub pool: Option<String>,
    /// `spec.unschedulable`: cordoned, by hand or by a drain.
    pub unschedulable: bool,
    /// `status.nodeInfo.kubeletVersion`.
    pub kubelet: String,
    /// The address of type `InternalIP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `status.daemonEndpoints.kubeletEndpoint.Port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubelet_port: Option<u16>,
    /// The condition that the contract names for Shuttle's proof of the node; `None` where `shuttle node` has not given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Condition>,
    /// When that condition was last renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry_renewed: Option<Timestamp>,
    /// Its taints, in the object's order; `None` where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    /// The conditions that are bad where they are true, in the object's order; `None` where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressures: Option<Vec<NodeCondition>>,
    /// Whether it is being deleted; `None` where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting: Option<bool>,
    /// Its labels, by which workloads select it, but for those whose value is an IP address; `None` where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<Shared, Shared>>,
    /// `status.nodeInfo.operatingSystem`: `linux`, `windows`; `None` where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<Shared>,
}

/// A taint of a node: what keeps pods off it that do not tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// `node.kubernetes.io/unreachable`.
    pub key: String,
    /// Its value; empty where it has none.
    #[serde(default)]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A condition of a node that is bad where it is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeCondition {
    /// `MemoryPressure`, `DiskPressure`, `PIDPressure` or `NetworkUnavailable`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Last transition.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub since: Option<Timestamp>,
}

/// The Service that an APIService or a webhook points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceReference {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Port; 443 where the object names none.
    pub port: u16,
}

/// An APIService.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiService {
    /// `v1beta1.metrics.k8s.io`.
    pub name: String,
    /// `spec.service`; `None` means that the API server itself is to serve it.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub service: Option<ServiceReference>,
    /// `spec.insecureSkipTLSVerify`.
    pub insecure_skip_tls_verify: bool,
    /// The certificates of `spec.caBundle`. Absent where it names none.
    #[serde(default)]
    pub ca_bundle: Observed<Vec<Certificate>>,
    /// The condition `Available`; `None` where the aggregator has not judged yet.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub available: Option<Condition>,
    /// Its last change, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}
