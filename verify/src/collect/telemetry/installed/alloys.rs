//! Alloy custom resources.

use super::credentials;
use crate::collect::access::Cluster;
use crate::collect::condition::RawCondition;
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::Affinity;
use crate::evidence::{AlloyCondition, AlloyResource, Placement, Toleration, WorkloadKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

const GROUP: &str = "collectors.grafana.com";
const VERSION: &str = "v1alpha1";
const RESOURCE: &str = "alloys";
const DEFINITION: &str = "alloys.collectors.grafana.com";

/// A definition's schema may be long; etcd stores no object above 1.5 MiB.
const BOUND: u64 = 4 << 20;

/// The conditions that the operator gives (operator-framework `helm-operator-plugins`, `pkg/internal/status`).
const CONDITIONS: [&str; 4] = ["Initialized", "Deployed", "ReleaseFailed", "Irreconcilable"];

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
}

/// Of the values of the chart `alloy`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    alloy: Alloy,
    controller: Controller,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Alloy {
    extra_env: Option<Vec<Variable>>,
}

#[derive(Deserialize)]
struct Variable {
    #[serde(default)]
    name: String,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Controller {
    #[serde(rename = "type")]
    kind: Option<String>,
    node_selector: Option<BTreeMap<String, String>>,
    affinity: Option<Affinity>,
    tolerations: Option<Vec<Toleration>>,
}

/// What the operator rendered (`deployedRelease`) is not read: it holds what the values hold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Option<Vec<RawCondition>>,
}

/// Lists them, in the whole cluster, sorted by namespace and name; absent where the API server does not know the kind.
/// Needs `get customresourcedefinitions.apiextensions.k8s.io alloys.collectors.grafana.com` and
/// `list alloys.collectors.grafana.com`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<AlloyResource>, Obstacle> {
    // A list of a kind that nobody defined is a 404 in plain text: a gateway's would be no other.
    let definition = cluster.send(&definition(), BOUND).await?;
    let _: IgnoredAny = definition.object(Some("CustomResourceDefinition")).await?;
    let new = || {
        Collected::new(|json| {
            let raw: Raw = serde_json::from_slice(json)?;
            Ok(Some(raw.into_resource()))
        })
    };
    let mut alloys = cluster.list(&list(), Shape::objects("AlloyList"), new).await?.items;
    alloys.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(alloys)
}

pub(super) fn requests() -> Vec<Get> {
    vec![definition(), list()]
}

fn definition() -> Get {
    Get::object("apiextensions.k8s.io", "v1", "customresourcedefinitions", DEFINITION)
}

fn list() -> Get {
    Get::list(GROUP, VERSION, RESOURCE, None)
}

impl Raw {
    fn into_resource(self) -> AlloyResource {
        let conditions = self.status.conditions.unwrap_or_default().into_iter();
        let conditions = conditions.filter(|condition| CONDITIONS.contains(&condition.kind.as_str()));
        let in_clear = |variable: &Variable| {
            let value = variable.value.as_deref().unwrap_or_default();
            credentials::is_in_clear(&variable.name, value).then(|| format!("variable {}", variable.name))
        };
        let controller = self.spec.controller;
        let affinity = controller.affinity.unwrap_or_default();
        AlloyResource {
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            // The chart's default (`controller.type` of chart `alloy`).
            kind: match controller.kind.as_deref() {
                Some("deployment") => WorkloadKind::Deployment,
                Some("statefulset") => WorkloadKind::StatefulSet,
                _ => WorkloadKind::DaemonSet,
            },
            conditions: conditions
                .map(|condition| AlloyCondition {
                    kind: condition.kind,
                    status: condition.status,
                    reason: condition.reason.unwrap_or_default(),
                })
                .collect(),
            credentials_in_clear: self
                .spec
                .alloy
                .extra_env
                .iter()
                .flatten()
                .filter_map(in_clear)
                .collect(),
            placement: Some(Placement {
                node_selector: controller.node_selector.unwrap_or_default(),
                required: affinity.required(),
                tolerations: controller.tolerations.unwrap_or_default(),
                operating_system: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_resource_no_value_is_kept() {
        let raw: Raw = serde_json::from_str(
            r#"{"metadata":{"name":"k8s-monitoring-alloy-metrics","namespace":"telemetry"},
            "spec":{"alloy":{"extraEnv":[{"name":"LOKI_TOKEN","value":"hush"},{"name":"TOKEN","valueFrom":{}},
            {"name":"REGION","value":"hush"}]},"controller":{"type":"statefulset","nodeSelector":{"pool":"web"}}},
            "status":{"conditions":[{"type":"Irreconcilable","status":"True","reason":"ReconcileError","message":"hush"},
            {"type":"Odd","status":"True"}],"deployedRelease":{"manifest":"hush"}}}"#,
        )
        .unwrap();
        let resource = raw.into_resource();
        assert_eq!(resource.kind, WorkloadKind::StatefulSet);
        assert_eq!(resource.placement.as_ref().unwrap().node_selector["pool"], "web");
        assert_eq!(resource.conditions.len(), 1);
        assert_eq!(resource.credentials_in_clear, ["variable LOKI_TOKEN"]);
        assert!(!serde_json::to_string(&resource).unwrap().contains("hush"));
    }
}
