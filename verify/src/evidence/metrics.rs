//! What the metrics API serves, and who depends on it.

use super::Shared;
use super::apiserver::Condition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// NodeMetrics of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeMetrics {
    /// The node.
    pub name: String,
    /// When the later of the two points was taken, by the kubelet's clock.
    pub timestamp: Timestamp,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
}

/// NodeMetrics read several times, of a metrics-server of which several pods are ready: each answers with what it has read
/// itself, and which of them is asked the API server chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeMetricsAgain {
    /// How often they were read, the first time counted.
    pub readings: u32,
    /// The first that had other timestamps than the first of all, sorted by name; `None` where all had the same.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub other: Option<Vec<NodeMetrics>>,
}

/// PodMetrics of one pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMetrics {
    /// Namespace.
    pub namespace: Shared,
    /// Name.
    pub name: Box<str>,
    /// The earliest container's point.
    pub timestamp: Timestamp,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
    /// How many containers it speaks of: a container that restarted is silently left out of a pod that is still served.
    pub containers: u32,
}

/// A HorizontalPodAutoscaler that scales on resource metrics (`Resource` or `ContainerResource`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaler {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The resources it scales on: `cpu`, `memory`.
    pub resources: Vec<String>,
    /// What it scales; `None` where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ScaleTarget>,
    /// The condition `ScalingActive`; `None` where the controller has not judged yet.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub scaling_active: Option<Condition>,
}

/// What an autoscaler scales, in its own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleTarget {
    /// `Deployment`, `StatefulSet`, …
    pub kind: String,
    /// Name.
    pub name: String,
}
