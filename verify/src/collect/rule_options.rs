//! What the roles are to cover.

use super::get::{Accept, Get};
use crate::evidence::Vantage;
use crate::step::StepId;
use std::collections::BTreeSet;

/// What else the roles are to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleOptions<'a> {
    /// Where the collectors stand. Inside the cluster a scrape needs no permission.
    pub vantage: Vantage,
    /// Also the namespaces that the contract accepts beside its own.
    pub accepted_namespaces: bool,
    /// Also a sharded kube-state-metrics: its pods have names that are not known beforehand, so that this allows
    /// `pods/proxy` of every pod in the namespace.
    pub shards: bool,
    /// The steps whose Helm releases are read.
    pub releases: &'a BTreeSet<StepId>,
}

// === impl RuleOptions ===

impl RuleOptions<'_> {
    /// The requests for a page of pods in these namespaces, the contract's own first. Pods have names that are not known
    /// beforehand, so that the permission is for every pod of the namespace; inside the cluster there is no need of one.
    pub(super) fn pod_pages(self, namespaces: &[String], page: &str) -> Vec<Get> {
        let count = match (self.vantage, self.accepted_namespaces) {
            (Vantage::Inside, _) => 0,
            (Vantage::Outside, true) => namespaces.len(),
            (Vantage::Outside, false) => 1,
        };
        let any_pod = |namespace: &String| Get::proxied_pod(namespace, "", page, Accept::Exposition).of_any_name();
        namespaces.iter().take(count).map(any_pod).collect()
    }
}
