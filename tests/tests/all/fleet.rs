//! The shared cluster that has the collectors and Shuttle on it, and the stores that it sends to.

use std::sync::OnceLock;

use testbed::{Cluster, Sink};

pub(crate) const CLUSTER_ID: &str = "blue";
/// As the testbed's nodes say.
pub(crate) const REGION: &str = "nyc3";

/// The stores of this test run: one for all tests, so that the collectors need not be installed again. They go with this
/// process.
pub(crate) fn sink(cluster: &Cluster) -> &'static Sink {
    static SINK: OnceLock<Sink> = OnceLock::new();
    SINK.get_or_init(|| Sink::of_cluster(cluster.name()).unwrap())
}
