//! A component as it stands in the cluster: Services, endpoints, and its workloads.

use super::observed::Observed;
use super::workload::Workload;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
