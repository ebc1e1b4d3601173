//! A component as it stands in the cluster: Services, endpoints, workloads.

use super::observed::Observed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a component stands and how it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// Every Service of the component in the whole cluster, in accepted namespaces or not, sorted by namespace and name.
    pub services: Observed<Vec<Service>>,
    /// The endpoints of the Services in accepted namespaces, sorted.
    pub endpoints: Observed<Vec<Endpoint>>,
    /// The workloads in accepted namespaces whose pods such a Service selects, sorted.
    pub workloads: Observed<Vec<Workload>>,
}

impl Component {
    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        Self {
            services: Observed::not_collected(),
            endpoints: Observed::not_collected(),
            workloads: Observed::not_collected(),
        }
    }
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Whether the contract accepts the component in this namespace. One that it does not accept is reported and never scraped.
    pub accepted: bool,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Its selector; empty where endpoints are made by hand.
    pub selector: BTreeMap<String, String>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePort {
    /// Name; empty where it has none.
    pub name: String,
    /// Port of the Service.
    pub port: u16,
}

/// One address behind a Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// Namespace of the Service.
    pub namespace: String,
    /// Name of the Service.
    pub service: String,
    /// The pod behind the address, where the slice names one.
    pub pod: Option<String>,
    /// The address.
    pub address: String,
    /// Name and number of the port that the component is read on.
    pub ports: Vec<(String, u16)>,
    /// Whether the slice calls it ready.
    pub ready: bool,
    /// The node it runs on.
    pub node: Option<String>,
}

/// The kinds of workload that a component is installed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        })
    }
}

/// A Deployment or StatefulSet of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workload {
    /// Kind.
    pub kind: WorkloadKind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `spec.replicas`.
    pub desired: u32,
    /// `status.readyReplicas`.
    pub ready: u32,
    /// `status.updatedReplicas`.
    pub updated: u32,
    /// Whether the controller has seen the newest generation; until then the status speaks of an older one.
    pub observed: bool,
    /// The image of the component's container: repository and tag or digest, as the object says.
    pub image: String,
    /// The version: the image's tag without `v`, else the label `app.kubernetes.io/version`.
    pub version: Option<String>,
    /// The Helm release that the annotations name (`meta.helm.sh/release-name`).
    pub release: Option<String>,
    /// The flags that the contract names for this component, each with its values in order. A flag without a value has `""`.
    pub flags: BTreeMap<String, Vec<String>>,
    /// Whether flags also come from somewhere that was not read, and from where (a configuration file): then a flag
    /// that is not in `flags` may be set all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_flags: Option<String>,
    /// The arguments that are not known, for a variable in them was not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_arguments: Vec<UnreadArgument>,
    /// The condition that says why it makes no progress (`Progressing=False`, `ReplicaFailure`), as `reason: message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// An argument that is not known, for a variable in it (`$(NAME)`) was not read. In the values of flags it stands as it is
/// written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnreadArgument {
    /// The flag whose value it is; `None` where it may be any flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// Which variable, and where it comes from.
    pub why: String,
}
