//! Step 3: metrics-server, the metrics API that it serves, and kube-state-metrics.

pub(super) mod allowlist;
pub(super) mod autoscalers;
pub(super) mod join;
pub(super) mod kube_state_metrics;
pub(super) mod metrics_api;
pub(super) mod metrics_server;
pub(super) mod pod_label_rows;
pub(super) mod pod_metrics;
mod scale_target;
mod server;
pub(super) mod shards;
mod shown_labels;
