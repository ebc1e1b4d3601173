//! What Shuttle's own work needs beside what its collectors declare: said once, here; the roles are made of it.

/// One rule of a role, and what it is for.
pub(super) struct Permission {
    /// Goes before the rule as a comment.
    pub(super) reason: &'static str,
    /// API group; empty for the core group.
    pub(super) group: &'static str,
    /// Plural, with subresource where there is one.
    pub(super) resources: &'static [&'static str],
    pub(super) verbs: &'static [&'static str],
    /// Object names; empty for all.
    pub(super) names: &'static [&'static str],
}

const fn permission(
    reason: &'static str,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    names: &'static [&'static str],
) -> Permission {
    Permission {
        reason,
        group,
        resources,
        verbs,
        names,
    }
}

/// The agent's, in every namespace.
pub(super) const AGENT: &[Permission] = &[
    permission(
        "Labels, held to five keys by the admission policy `shuttle`; the watch reads metadata only",
        "",
        &["pods"],
        &["get", "list", "watch", "patch"],
        &[],
    ),
    permission(
        "Which namespaces are managed",
        "",
        &["namespaces"],
        &["get", "list", "watch"],
        &[],
    ),
    permission(
        "The owner of a pod names its app and deployment",
        "apps",
        &["daemonsets", "deployments", "replicasets", "statefulsets"],
        &["get"],
        &[],
    ),
    permission("", "batch", &["cronjobs", "jobs"], &["get"], &[]),
    permission(
        "A change of what the checks rest on is seen at once",
        "apps",
        &["deployments", "statefulsets"],
        &["list", "watch"],
        &[],
    ),
    permission("", "discovery.k8s.io", &["endpointslices"], &["list", "watch"], &[]),
    permission(
        "",
        "apiregistration.k8s.io",
        &["apiservices"],
        &["list", "watch"],
        &["v1beta1.metrics.k8s.io"],
    ),
    permission(
        "Every kubelet's cAdvisor endpoint",
        "",
        &["nodes/metrics"],
        &["get"],
        &[],
    ),
    permission(
        "One Event for each transition",
        "events.k8s.io",
        &["events"],
        &["create", "patch"],
        &[],
    ),
];

/// The agent's, in its own namespace.
pub(super) const AGENT_AT_HOME: &[Permission] = &[
    // RBAC cannot name what does not exist yet.
    permission(
        "One replica leads",
        "coordination.k8s.io",
        &["leases"],
        &["create"],
        &[],
    ),
    permission(
        "",
        "coordination.k8s.io",
        &["leases"],
        &["get", "patch", "update"],
        &["shuttle"],
    ),
    permission(
        "What it tells auditors and the standby",
        "",
        &["configmaps"],
        &["create"],
        &[],
    ),
    permission(
        "",
        "",
        &["configmaps"],
        &["get", "list", "patch", "watch"],
        &["shuttle-status"],
    ),
];

/// The node role's.
pub(super) const NODE: &[Permission] = &[
    permission(
        "The condition StarformTelemetryReady, of its own node by the admission policy `shuttle-node`",
        "",
        &["nodes/status"],
        &["patch"],
        &[],
    ),
    permission("Its kubelet's cAdvisor endpoint", "", &["nodes/metrics"], &["get"], &[]),
    permission(
        "One Event for each transition",
        "events.k8s.io",
        &["events"],
        &["create", "patch"],
        &[],
    ),
];

/// The node role's beside that, with the opt-in startup taint.
pub(super) const STARTUP_TAINT: &[Permission] = &[permission(
    "Lifts one taint, of its own node by the admission policy `shuttle-node`",
    "",
    &["nodes"],
    &["get", "patch"],
    &[],
)];
