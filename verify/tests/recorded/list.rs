//! The recordings of real clusters.
//!
//! A test includes it with `#[path = "recorded/list.rs"] mod recorded;`.

/// The name of every recording, and the code of the check that tells it.
pub(crate) const RECORDINGS: [(&str, Option<&str>); 12] = [
    ("healthy", None),
    ("metrics-server-absent", Some("SF301")),
    ("metrics-server-scaled-to-zero", Some("SF303")),
    ("apiservice-points-at-nothing", Some("SF302")),
    ("kubelet-certificate-refused", Some("SF306")),
    ("metrics-server-node-metrics-only", Some("SF308")),
    ("kube-state-metrics-absent", Some("SF320")),
    ("kube-state-metrics-wildcard", Some("SF324")),
    ("allowlist-missing", Some("SF324")),
    ("allowlist-lacks-one-key", Some("SF324")),
    ("shard-down", Some("SF321")),
    ("kube-state-metrics-hangs", Some("SF323")),
];
