//! What the roles are to cover.

use crate::evidence::Vantage;

/// What else the roles are to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleOptions {
    /// Where the collectors stand. Inside the cluster a scrape needs no permission.
    pub vantage: Vantage,
    /// Also the namespaces that the contract accepts beside its own.
    pub accepted_namespaces: bool,
    /// Also a sharded kube-state-metrics: its pods have names that are not known beforehand, so that this allows
    /// `pods/proxy` of every pod in the namespace.
    pub shards: bool,
}
