//! The APIService of the metrics API.

use super::access::Cluster;
use super::certificates;
use super::condition::{self, RawCondition};
use super::get::Get;
use super::last_change::{ManagedFields, last_change};
use super::obstacle::Obstacle;
use crate::evidence::{ApiService, Observed, ServiceReference};
use serde::Deserialize;

/// The APIService that metrics-server registers.
pub(super) const NAME: &str = "v1beta1.metrics.k8s.io";

const BOUND: u64 = 1 << 20;
/// What `spec.service.port` is where the object names none (`k8s.io/kube-aggregator` `apiregistration/v1` types).
const DEFAULT_PORT: u16 = 443;

#[derive(Deserialize)]
struct RawApiService {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    managed_fields: Vec<ManagedFields>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    service: Option<Reference>,
    #[serde(default, rename = "insecureSkipTLSVerify")]
    insecure_skip_tls_verify: bool,
    ca_bundle: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    port: Option<u16>,
}

#[derive(Default, Deserialize)]
struct Status {
    conditions: Option<Vec<RawCondition>>,
}

/// Gets it. Needs `get apiservices.apiregistration.k8s.io v1beta1.metrics.k8s.io`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<ApiService, Obstacle> {
    let answer = cluster.send(&request(), BOUND).await?;
    let raw: RawApiService = answer.object(Some("APIService")).await?;
    let ca_bundle = match raw.spec.ca_bundle.filter(|bundle| !bundle.is_empty()) {
        Some(bundle) => certificates::bundle(&bundle, &format!("APIService {NAME}")),
        None => Observed::Absent,
    };
    Ok(ApiService {
        ca_bundle,
        last_change: last_change(&raw.metadata.managed_fields),
        name: raw.metadata.name,
        service: raw.spec.service.map(|service| ServiceReference {
            namespace: service.namespace,
            name: service.name,
            port: service.port.unwrap_or(DEFAULT_PORT),
        }),
        insecure_skip_tls_verify: raw.spec.insecure_skip_tls_verify,
        available: condition::find(raw.status.conditions.as_deref().unwrap_or_default(), "Available"),
    })
}

pub(super) fn request() -> Get {
    Get::object("apiregistration.k8s.io", "v1", "apiservices", NAME)
}
