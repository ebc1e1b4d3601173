//! The metrics API: NodeMetrics and PodMetrics.

use super::access::Cluster;
use super::get::Get;
use super::intern::Interner;
use super::list::{Collected, Shape};
use super::obstacle::Obstacle;
use crate::evidence::{NodeMetrics, NodeMetricsAgain, PodMetrics, Vantage};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Error, IgnoredAny};
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::timeout;

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    timestamp: Timestamp,
    #[serde(borrow)]
    window: Cow<'a, str>,
    #[serde(default)]
    containers: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
}

/// Lists NodeMetrics, sorted by name. Needs `list nodes.metrics.k8s.io`.
pub(super) async fn nodes(cluster: &Cluster<'_>) -> Result<Vec<NodeMetrics>, Obstacle> {
    let new = || {
        Collected::new(|json| {
            let raw: Raw<'_> = serde_json::from_slice(json)?;
            Ok(Some(NodeMetrics {
                name: raw.metadata.name.to_string(),
                timestamp: raw.timestamp,
                window_ms: raw.window_ms()?,
            }))
        })
    };
    let mut nodes = cluster
        .list(&nodes_request(), shape("NodeMetricsList"), new)
        .await?
        .items;
    nodes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

/// Lists NodeMetrics until two answers have different timestamps, so that two pods of metrics-server have answered; seven times
/// more at most, for the API server may ask the same one each time, and all of them within the time of one request. Inside of the cluster once
/// more, and soon: the next round asks again.
pub(super) async fn nodes_again(cluster: &Cluster<'_>, first: &[NodeMetrics]) -> Result<NodeMetricsAgain, Obstacle> {
    const SOON: Duration = Duration::from_secs(3);
    let (most, within) = match cluster.vantage {
        Vantage::Inside => (2, SOON.min(cluster.request_timeout)),
        Vantage::Outside => (8, cluster.request_timeout),
    };
    let stamps = |nodes: &[NodeMetrics]| -> Vec<(String, Timestamp)> {
        nodes.iter().map(|node| (node.name.clone(), node.timestamp)).collect()
    };
    let known = stamps(first);
    let mut readings = 1;
    let reading = async {
        while readings < most {
            let read = nodes(cluster).await?;
            readings += 1;
            if stamps(&read) != known {
                return Ok::<_, Obstacle>(Some(read));
            }
        }
        Ok(None)
    };
    let other = match timeout(within, reading).await {
        Ok(read) => read?,
        Err(_elapsed) => None,
    };
    Ok(NodeMetricsAgain { readings, other })
}

/// Lists PodMetrics of all namespaces, sorted by namespace and name. Needs `list pods.metrics.k8s.io`.
pub(super) async fn pods(cluster: &Cluster<'_>) -> Result<Vec<PodMetrics>, Obstacle> {
    let new = || {
        let mut interner = Interner::default();
        Collected::new(move |json| {
            let raw: Raw<'_> = serde_json::from_slice(json)?;
            Ok(Some(PodMetrics {
                namespace: interner.share(&raw.metadata.namespace),
                name: raw.metadata.name.as_ref().into(),
                timestamp: raw.timestamp,
                window_ms: raw.window_ms()?,
                containers: u32::try_from(raw.containers.as_ref().map_or(0, Vec::len)).unwrap_or(u32::MAX),
            }))
        })
    };
    let mut pods = cluster.list(&pods_request(), shape("PodMetricsList"), new).await?.items;
    pods.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    pods.shrink_to_fit();
    Ok(pods)
}

pub(super) fn nodes_request() -> Get {
    Get::list("metrics.k8s.io", "v1beta1", "nodes", None)
}

pub(super) fn pods_request() -> Get {
    Get::list("metrics.k8s.io", "v1beta1", "pods", None)
}

/// metrics-server ignores `limit` and answers with everything at once (`pkg/api/pod.go`, `List`).
const fn shape(kind: &'static str) -> Shape {
    Shape {
        page: None,
        ..Shape::objects(kind)
    }
}

// === impl Raw ===

impl Raw<'_> {
    fn window_ms(&self) -> Result<u64, serde_json::Error> {
        milliseconds(&self.window).ok_or_else(|| serde_json::Error::custom("no duration"))
    }
}

/// Reads a duration as Go writes one (`time.Duration.String`): `15.041s`, `1m0s`, `500ms`.
fn milliseconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1000.0,
            "ms" => 1.0,
            "us" | "µs" | "μs" => 1e-3,
            "ns" => 1e-6,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[end..];
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast to the nearest integer there is, and none of the parts is negative"
    )]
    (!text.is_empty()).then_some(total.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("15.041s", Some(15_041))]
    #[case("1m0s", Some(60_000))]
    #[case("1h2m3.5s", Some(3_723_500))]
    #[case("500ms", Some(500))]
    #[case("999.6µs", Some(1))]
    #[case("0s", Some(0))]
    #[case("0", Some(0))]
    #[case("", None)]
    #[case("15", None)]
    #[case("-15s", None)]
    #[case("1.2.3s", None)]
    #[case("s", None)]
    #[case("1y", None)]
    fn windows_are_read_as_go_writes_them(#[case] text: &str, #[case] ms: Option<u64>) {
        assert_eq!(milliseconds(text), ms);
    }
}
