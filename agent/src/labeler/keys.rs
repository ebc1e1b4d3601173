//! The label keys, and where their values come from.

use crate::parameters::Parameters;
use starform_verify::contract::Contract;
use std::collections::BTreeMap;

/// The contract's label keys that Shuttle can give, in its order. Everything that is known of a key is kept by its place
/// here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys(Vec<Key>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// `starform.io/app`.
    pub(super) name: String,
    /// Where its value comes from.
    pub(super) source: Source,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The parameter `cluster-id`: Shuttle's own.
    ClusterId,
    /// The parameter `region`: Shuttle's own.
    Region,
    /// The namespace's label of the same key.
    Namespace,
    /// The owner's label of the same key, else the namespace's.
    Owner,
}

/// The values of the keys on one object, by the key's place.
pub(super) type Values = Vec<Option<String>>;

/// The values that are the same on every pod of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterLabels {
    pub(super) cluster_id: String,
    pub(super) region: String,
}

// === impl Keys ===

impl Keys {
    /// Those of a contract. A key whose meaning is not known is logged once and given to nobody.
    pub(super) fn of(contract: &Contract) -> Self {
        let known = contract.labels.iter().filter_map(|key| {
            let name = key.as_str();
            let source = match name.rsplit('/').next() {
                Some("cluster-id") => Source::ClusterId,
                Some("region") => Source::Region,
                Some("project") => Source::Namespace,
                Some("app" | "deployment") => Source::Owner,
                _ => {
                    tracing::warn!(
                        key = name,
                        "the contract wants a label whose value is not known; left it out"
                    );
                    return None;
                }
            };
            Some(Key {
                name: name.to_owned(),
                source,
            })
        });
        Self(known.collect())
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.0.iter()
    }

    /// What an object's labels say for these keys.
    pub(super) fn values(&self, labels: Option<&BTreeMap<String, String>>) -> Values {
        let value = |key: &Key| labels?.get(&key.name).cloned();
        self.0.iter().map(value).collect()
    }
}

// === impl Key ===

impl Key {
    /// The value where it is Shuttle's own.
    pub(super) fn own<'own>(&self, cluster: &'own ClusterLabels) -> Option<&'own str> {
        match self.source {
            Source::ClusterId => Some(&cluster.cluster_id),
            Source::Region => Some(&cluster.region),
            Source::Namespace | Source::Owner => None,
        }
    }
}

// === impl ClusterLabels ===

impl ClusterLabels {
    pub(super) fn of(parameters: &Parameters) -> Self {
        Self {
            cluster_id: parameters.cluster_id.as_str().to_owned(),
            region: parameters.region.as_str().to_owned(),
        }
    }
}
