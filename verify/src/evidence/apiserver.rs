//! The cluster itself: API server, nodes, APIService.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What `GET /version` told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiServer {
    /// `v1.35.4`.
    pub git_version: String,
    /// The `Date` header of the answer: the clock that freshness is judged by.
    pub date: Option<Timestamp>,
}

/// A condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word, from the writer of the condition.
    #[serde(default)]
    pub reason: String,
    /// A sentence, cut at a bound.
    #[serde(default)]
    pub message: String,
    /// Last transition.
    #[serde(default)]
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// When it registered.
    pub created: Option<Timestamp>,
    /// The condition `Ready`; `None` where the kubelet has not posted one.
    pub ready: Option<Condition>,
    /// The scheme of `spec.providerID`: `digitalocean` on DOKS.
    pub provider: Option<String>,
    /// Label `topology.kubernetes.io/region`.
    pub region: Option<String>,
    /// Label `doks.digitalocean.com/node-pool`.
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
}

/// The Service that an APIService or a webhook points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiService {
    /// `v1beta1.metrics.k8s.io`.
    pub name: String,
    /// `spec.service`; `None` means that the API server itself is to serve it.
    pub service: Option<ServiceReference>,
    /// `spec.insecureSkipTLSVerify`.
    pub insecure_skip_tls_verify: bool,
    /// The condition `Available`; `None` where the aggregator has not judged yet.
    pub available: Option<Condition>,
}
