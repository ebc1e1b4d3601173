//! A component as it stands in the cluster: Services, endpoints, and its workloads.

use super::apiserver::ApiService;
use super::last_change::LastChange;
use super::observed::Observed;
use super::workload::Workload;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a component stands and how it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Every Service of the component in the whole cluster, in accepted namespaces or not, sorted by namespace and name.
    #[serde(default)]
    pub services: Observed<Vec<Service>>,
    /// The endpoints of the Services in accepted namespaces, sorted.
    #[serde(default)]
    pub endpoints: Observed<Vec<Endpoint>>,
    /// The workloads in accepted namespaces whose pods such a Service selects, sorted.
    #[serde(default)]
    pub workloads: Observed<Vec<Workload>>,
    /// The workloads in accepted namespaces that run it and that no Service of it selects, each with the Services that do, sorted.
    /// Looked for only where no Service leads to a source of pods' rows: of kube-state-metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfound: Vec<Workload>,
}

impl Component {
    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        Self {
            services: Observed::not_collected(),
            endpoints: Observed::not_collected(),
            workloads: Observed::not_collected(),
            unfound: Vec::new(),
        }
    }
}

impl Component {
    /// How many pods are ready behind the Service that an APIService points at, as far as that is known.
    pub(crate) fn ready_behind(&self, api_service: &Observed<ApiService>) -> usize {
        let (Observed::Seen(endpoints), Observed::Seen(api_service)) = (&self.endpoints, api_service) else {
            return 0;
        };
        let reference = api_service.service.as_ref();
        let is_own = |endpoint: &&Endpoint| {
            reference.is_some_and(|own| endpoint.namespace == own.namespace && endpoint.service == own.name)
        };
        ready_pods(endpoints.iter().filter(is_own))
    }
}

impl Default for Component {
    fn default() -> Self {
        Self::not_collected()
    }
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// Its last change, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Name; empty where it has none.
    pub name: String,
    /// Port of the Service.
    pub port: u16,
}

/// What stands behind a Service: a pod, by one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Namespace of the Service.
    pub namespace: String,
    /// Name of the Service.
    pub service: String,
    /// The pod, where the slice names one.
    pub pod: Option<String>,
    /// Its UID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// Its address; of a pod that has one in each of two families the first in order, which is that of IPv4.
    pub address: String,
    /// Name and number of the port that the component is read on.
    pub ports: Vec<(String, u16)>,
    /// Whether a slice calls it ready.
    pub ready: bool,
    /// The node it runs on.
    pub node: Option<String>,
}

/// What tells what stands behind one endpoint from what stands behind another: the pod, else the address.
pub(crate) type EndpointKey<'a> = (&'a str, Option<&'a str>, &'a str);

/// How many of what stands behind these endpoints are ready.
fn ready_pods<'e>(endpoints: impl IntoIterator<Item = &'e Endpoint>) -> usize {
    let ready = endpoints.into_iter().filter(|endpoint| endpoint.ready);
    ready.map(Endpoint::key).collect::<BTreeSet<_>>().len()
}

// === impl Endpoint ===

impl Endpoint {
    /// One of a pod of two address families has two addresses, and pods on the node's network share one; so where a pod is
    /// named, the pod tells.
    pub(crate) fn key(&self) -> EndpointKey<'_> {
        match &self.pod {
            Some(pod) => (&self.namespace, self.pod_uid.as_deref(), pod),
            None => (&self.namespace, None, &self.address),
        }
    }
}
