//! Envoy Gateway as it stands in the cluster.

use super::component::Service;
use super::last_change::LastChange;
use super::observed::Observed;
use super::pod::Termination;
use super::workload::Workload;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The controller, and the Gateway API's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// The controller.
    #[serde(default)]
    pub controller: Observed<GatewayController>,
    /// Every GatewayClass, sorted by name.
    #[serde(default)]
    pub classes: Observed<Vec<GatewayClass>>,
    /// Every Gateway, of whatever class, sorted by namespace and name.
    #[serde(default)]
    pub gateways: Observed<Vec<GatewayObject>>,
    /// The CustomResourceDefinitions of the groups that the contract names, sorted by name.
    #[serde(default)]
    pub crds: Observed<Vec<GatewayCrd>>,
    /// The Envoys that the controller has made, sorted by namespace and pod.
    #[serde(default)]
    pub proxies: Observed<Vec<GatewayProxy>>,
    /// The routes, policies and others that their configuration is made of, sorted by kind, namespace and name.
    #[serde(default)]
    pub configuration: Observed<Vec<GatewayConfiguration>>,
    /// Of which kinds these are all that there are, sorted; a kind that nobody defined has none. Beside the policies that the
    /// controller judges, the others are listed only where an Envoy has refused something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_kinds: Vec<String>,
}

/// The kinds that the controller attaches to routes and listeners, and judges (Envoy Gateway v1.9.0:
/// internal/provider/kubernetes/controller.go, `watchResources`).
pub(crate) const POLICIES: [&str; 4] = [
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "SecurityPolicy",
];
/// The others that it makes an Envoy's configuration of, Gateways and built-in objects left out (the same). It has no use for
/// XListenerSet.
pub(crate) const OTHER_CONFIGURATION: [&str; 11] = [
    "Backend",
    "BackendTLSPolicy",
    "EnvoyPatchPolicy",
    "EnvoyProxy",
    "GRPCRoute",
    "HTTPRoute",
    "HTTPRouteFilter",
    "ListenerSet",
    "TCPRoute",
    "TLSRoute",
    "UDPRoute",
];

/// An Envoy that the controller has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayProxy {
    /// Namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The Gateway that it is of, as `namespace/name`; `None` where it serves all of a class.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub gateway: Option<String>,
    /// How often its containers were started again.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub restarts: Option<u32>,
    /// How a container of it ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_termination: Option<Termination>,
    /// What it says of the configuration that the controller has sent it. Not collected outside of the namespaces where the
    /// contract accepts the controller.
    pub updates: Observed<Vec<ProxyUpdates>>,
}

/// The updates that an Envoy was sent of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyUpdates {
    /// `lds`, listeners; `cds`, clusters; `rds`, routes; `sds`, secrets.
    pub service: String,
    /// Which route configuration or secret; empty of listeners and clusters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// How many it has refused since it started.
    pub rejected: u64,
    /// When it took the last one; `None` where it has taken none.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub taken: Option<Timestamp>,
}

/// A route, a policy, or something else that an Envoy's configuration is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayConfiguration {
    /// `HTTPRoute`, `ClientTrafficPolicy`, …
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What controllers say of a policy, for each object that it is attached to.
    pub ancestors: Vec<PolicyAncestor>,
    /// Whether it is a route of which nothing stands in a listener, as far as it says itself.
    #[serde(default)]
    pub makes_no_listener: bool,
    /// The last change of its spec that is known.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub last_change: Option<LastChange>,
}

/// What a controller says of a policy where it is attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAncestor {
    /// The controller.
    pub controller_name: String,
    /// What the policy is attached to, as `namespace/name`.
    pub object: String,
    /// The condition `Accepted`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub accepted: Option<GatewayCondition>,
}

/// Envoy Gateway's controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayController {
    /// Its Services in the whole cluster, in accepted namespaces or not, sorted by namespace and name.
    pub services: Vec<Service>,
    /// The Deployments in accepted namespaces whose pods such a Service selects, sorted.
    pub workloads: Vec<ControllerWorkload>,
    /// The last of the kubelets' complaints for each pod that could not mount the certificates, sorted.
    pub failed_mounts: Vec<FailedMount>,
}

/// A Deployment of the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerWorkload {
    /// The Deployment.
    pub workload: Workload,
    /// Whether its pods mount the Secret that the contract names, and do not start without it.
    pub mounts_certificates: bool,
}

/// An Event `FailedMount` that names the Secret of the certificates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedMount {
    /// Namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// When the kubelet complained last; `None` where the Event does not say.
    pub last: Option<Timestamp>,
    /// Whether the pod still waits: its phase is `Pending`. An Event outlives what it tells of.
    pub waits: bool,
}

/// A condition of the Gateway API, which says of which generation it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayCondition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence, cut at a bound.
    pub message: String,
    /// Whether it speaks of the object's newest generation.
    pub current: bool,
}

/// A GatewayClass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayClass {
    /// Name.
    pub name: String,
    /// `spec.controllerName`.
    pub controller_name: String,
    /// The condition `Accepted`; `None` where no controller has judged it.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub accepted: Option<GatewayCondition>,
}

/// A Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayObject {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `spec.gatewayClassName`.
    pub class: String,
    /// The condition `Accepted`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub accepted: Option<GatewayCondition>,
    /// The condition `Programmed`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub programmed: Option<GatewayCondition>,
    /// Its listeners, in the order of the spec.
    pub listeners: Vec<GatewayListener>,
    /// The last change of its spec that is known.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub last_change: Option<LastChange>,
}

/// A listener of a Gateway, with what the status says of the one of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayListener {
    /// Name.
    pub name: String,
    /// The condition `Accepted`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub accepted: Option<GatewayCondition>,
    /// The condition `Programmed`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub programmed: Option<GatewayCondition>,
    /// The condition `ResolvedRefs`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub resolved_refs: Option<GatewayCondition>,
    /// The condition `Conflicted`: the one that is bad where it is `True`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub conflicted: Option<GatewayCondition>,
}

/// A CustomResourceDefinition, as far as its metadata says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayCrd {
    /// `gateways.gateway.networking.k8s.io`.
    pub name: String,
    /// Annotation `gateway.networking.k8s.io/bundle-version`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub bundle: Option<String>,
    /// Annotation `gateway.networking.k8s.io/channel`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub channel: Option<String>,
    /// Label `doks.digitalocean.com/managed`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub managed: Option<String>,
    /// Annotation `doks.digitalocean.com/install-policy`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub install_policy: Option<String>,
}

// === impl Gateway ===

impl Gateway {
    /// Nothing was tried.
    #[must_use]
    pub(crate) fn not_collected() -> Self {
        Self {
            controller: Observed::not_collected(),
            classes: Observed::not_collected(),
            gateways: Observed::not_collected(),
            crds: Observed::not_collected(),
            proxies: Observed::not_collected(),
            configuration: Observed::not_collected(),
            configuration_kinds: Vec::new(),
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self::not_collected()
    }
}

// === impl GatewayCondition ===

impl GatewayCondition {
    /// Whether the status is `True`, of the newest generation.
    #[must_use]
    pub(crate) fn is_true(&self) -> bool {
        self.current && self.status == "True"
    }
}

// === impl GatewayCrd ===

impl GatewayCrd {
    /// Its API group: what stands behind the plural in its name.
    #[must_use]
    pub(crate) fn group(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, group)| group)
    }

    /// Whether DOKS puts it back to what DOKS ships.
    #[must_use]
    pub(crate) fn is_reconciled_by_doks(&self) -> bool {
        self.managed.as_deref() == Some("true") && self.install_policy.as_deref() != Some("external")
    }
}
