//! What the contract says of Envoy Gateway.

use super::{ComponentTerms, VersionRequirement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The controller, the class it serves, and the definitions of the resources it reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvoyGatewayTerms {
    /// The controller. Its Service is where proxies find it.
    pub controller: ComponentTerms,
    /// The Secrets that the chart's job `certgen` makes, all of one authority; the controller mounts the first. Their
    /// names only: no Secret is read.
    pub certificates: Vec<String>,
    /// The GatewayClass of the contract.
    pub class: String,
    /// `spec.controllerName` of it.
    pub controller_name: String,
    /// The file that makes it, beside the values files.
    pub class_manifest: String,
    /// The CustomResourceDefinitions.
    pub crds: GatewayCrdTerms,
}

/// The CustomResourceDefinitions of the Gateway API and of Envoy Gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayCrdTerms {
    /// API groups of the Gateway API: their definitions are one bundle, of one version.
    pub groups: Vec<String>,
    /// API group of Envoy Gateway's own.
    pub own_group: String,
    /// Those that the controller does not start without.
    pub required: Vec<String>,
    /// The others of the chart: without one of them, its kind cannot be used.
    pub others: Vec<String>,
    /// Which versions of the bundle go with which versions of the controller.
    pub bundles: Vec<BundleTerms>,
}

/// A row of the compatibility matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleTerms {
    /// Versions of the controller.
    pub controller: VersionRequirement,
    /// Versions of the Gateway API that it is built for.
    pub bundle: VersionRequirement,
}

// === impl EnvoyGatewayTerms ===

impl EnvoyGatewayTerms {
    /// The Secret that the controller mounts.
    #[must_use]
    pub(crate) fn own_certificate(&self) -> &str {
        self.certificates.first().map(String::as_str).unwrap_or_default()
    }
}
