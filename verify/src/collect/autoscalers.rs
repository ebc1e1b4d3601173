//! HorizontalPodAutoscalers that scale on resource metrics.

use super::access::Cluster;
use super::condition::{self, RawCondition};
use super::get::Get;
use super::list::{Collected, Shape};
use super::obstacle::Obstacle;
use crate::evidence::{Autoscaler, ScaleTarget};
use serde::Deserialize;

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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    metrics: Option<Vec<Metric>>,
    scale_target_ref: Option<ScaleTarget>,
}

/// A metric that it scales on: `resource` and `containerResource` come from the metrics API, the others do not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    resource: Option<Resource>,
    container_resource: Option<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

#[derive(Default, Deserialize)]
struct Status {
    conditions: Option<Vec<RawCondition>>,
}

/// Lists them, sorted by namespace and name. Needs `list horizontalpodautoscalers.autoscaling`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Autoscaler>, Obstacle> {
    let new = || Collected::new(|json| Ok(serde_json::from_slice::<Raw>(json)?.into_autoscaler()));
    let shape = Shape::objects("HorizontalPodAutoscalerList");
    let mut autoscalers = cluster.list(&request(), shape, new).await?.items;
    autoscalers.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(autoscalers)
}

pub(super) fn request() -> Get {
    Get::list("autoscaling", "v2", "horizontalpodautoscalers", None)
}

impl Raw {
    fn into_autoscaler(self) -> Option<Autoscaler> {
        let mut resources: Vec<String> = (self.spec.metrics.unwrap_or_default().into_iter())
            .flat_map(|metric| [metric.resource, metric.container_resource])
            .flatten()
            .map(|resource| resource.name)
            .collect();
        resources.sort_unstable();
        resources.dedup();
        (!resources.is_empty()).then(|| Autoscaler {
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            resources,
            target: self.spec.scale_target_ref,
            scaling_active: condition::find(self.status.conditions.as_deref().unwrap_or_default(), "ScalingActive"),
        })
    }
}
