//! The CustomResourceDefinitions of the Gateway API and of Envoy Gateway. Their metadata only: the definitions
//! themselves are megabytes, and say no more of where they come from.

use crate::collect::access::Cluster;
use crate::collect::get::{Get, METADATA_LIST};
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::status::bounded;
use crate::evidence::GatewayCrd;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The annotations that a bundle of the Gateway API puts on each of its definitions
/// (`sigs.k8s.io/gateway-api/pkg/consts`).
const BUNDLE: &str = "gateway.networking.k8s.io/bundle-version";
const CHANNEL: &str = "gateway.networking.k8s.io/channel";
/// What DOKS puts on what it manages, and what keeps it from doing so (digitalocean/DOKS issue 33).
const MANAGED: &str = "doks.digitalocean.com/managed";
const INSTALL_POLICY: &str = "doks.digitalocean.com/install-policy";

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Lists those of the contract's groups, sorted by name. Needs `list customresourcedefinitions.apiextensions.k8s.io`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<GatewayCrd>, Obstacle> {
    let terms = &cluster.contract.components.envoy_gateway.crds;
    let new = || {
        Collected::new(|json| {
            let crd = serde_json::from_slice::<Raw>(json)?.into_crd();
            let wanted = terms.groups.iter().any(|group| group == crd.group()) || terms.own_group == crd.group();
            Ok(wanted.then_some(crd))
        })
    };
    let shape = Shape::objects("PartialObjectMetadataList");
    let mut crds = cluster.list(&request(), shape, new).await?.items;
    crds.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(crds)
}

pub(super) fn request() -> Get {
    Get::list("apiextensions.k8s.io", "v1", "customresourcedefinitions", None).accept(METADATA_LIST)
}

impl Raw {
    fn into_crd(self) -> GatewayCrd {
        let mut labels = self.metadata.labels.unwrap_or_default();
        let mut annotations = self.metadata.annotations.unwrap_or_default();
        let mut annotation = |key: &str| annotations.remove(key).map(|value| bounded(&value));
        GatewayCrd {
            bundle: annotation(BUNDLE),
            channel: annotation(CHANNEL),
            install_policy: annotation(INSTALL_POLICY),
            managed: labels.remove(MANAGED).map(|value| bounded(&value)),
            name: self.metadata.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_definition_s_metadata_five_things_are_kept() {
        let raw: Raw = serde_json::from_str(
            r#"{"kind":"PartialObjectMetadata","metadata":{"name":"gateways.gateway.networking.k8s.io","uid":"u",
            "labels":{"doks.digitalocean.com/managed":"true","x":"hush"},
            "annotations":{"gateway.networking.k8s.io/bundle-version":"v1.2.1","gateway.networking.k8s.io/channel":"standard",
            "kubectl.kubernetes.io/last-applied-configuration":"hush"}}}"#,
        )
        .unwrap();
        let crd = raw.into_crd();
        assert_eq!(crd.group(), "gateway.networking.k8s.io");
        assert_eq!(crd.bundle.as_deref(), Some("v1.2.1"));
        assert_eq!(crd.channel.as_deref(), Some("standard"));
        assert!(crd.is_reconciled_by_doks());
        assert!(!serde_json::to_string(&crd).unwrap().contains("hush"));
        let external = GatewayCrd {
            install_policy: Some("external".to_owned()),
            ..crd
        };
        assert!(!external.is_reconciled_by_doks());
    }
}
