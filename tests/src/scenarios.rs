//! The states that a cluster can be put into. A state's name is the name of its recording.

use clap::ValueEnum;

/// A state of the cluster. The text of each says what is broken and how clusters come to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Nothing is broken: both components answer for every node and pod, and all five labels flow
    Healthy,
    /// No release of metrics-server: DOKS does not bundle it, and this is the step that teams miss
    MetricsServerAbsent,
    /// Its Deployment has no replica: somebody scaled it away during an incident, and the APIService stayed
    MetricsServerScaledToZero,
    /// The APIService names a Service that does not exist: an earlier installation under another name left it behind,
    /// and Helm does not correct it, because it compares only its own two manifests for kinds that it does not know
    #[value(name = "apiservice-points-at-nothing")]
    ApiServicePointsAtNothing,
    /// One node's kubelet serves a certificate that the cluster's authority has not issued, so metrics-server gets
    /// nothing from that node while everything reports Ready: a node that was rebuilt without its serving certificate
    KubeletCertificateRefused,
    /// metrics-server 0.8.0 is Ready as soon as it has nodes or pods, and kubelets whose container runtime gives no
    /// statistics give nodes only: the API is Available and has no pods
    MetricsServerNodeMetricsOnly,
    /// No release of kube-state-metrics
    KubeStateMetricsAbsent,
    /// 2.18.0 with `pods=[starform.io/*]`, which means something only from 2.20.0 on: rows without a single label
    KubeStateMetricsWildcard,
    /// Installed without the values file: no --metric-labels-allowlist, no kube_pod_labels
    AllowlistMissing,
    /// The allow-list lacks starform.io/project: the values file is of before that key
    AllowlistLacksOneKey,
    /// Two shards that must not share a node, and one node drained for maintenance: half of the pods have no row
    ShardDown,
    /// kube-state-metrics takes connections and answers none of them, while the kubelet's probes pass: its pod is Ready
    KubeStateMetricsHangs,
}

impl Scenario {
    /// Every state, the healthy one first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name on the command line and of its recording.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// What is broken, and how clusters come to be so.
    #[must_use]
    pub fn story(self) -> String {
        self.to_possible_value()
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }
}
