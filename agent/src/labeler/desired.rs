//! What has to change on one pod. Pure: a function of the keys, the parameters, the labels of namespace and owner, and what
//! the pod carries and by whose hand.

use super::keys::{ClusterLabels, Key, Keys, Source, Values};
use std::collections::BTreeMap;

/// What is known of a pod's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The pod has none, or none of a kind that Shuttle reads.
    None,
    /// Its values, and the keys that it selects its pods by.
    Seen {
        /// Labels of the topmost controller.
        values: Values,
        /// Whether the direct controller's selector names the key.
        selects: Vec<bool>,
    },
    /// It is gone, or another of its name has come: nothing new is to be learned.
    Gone,
    /// It could not be read.
    Unknown,
}

/// What a pod carries for one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) value: Option<String>,
    /// Whether Shuttle's server-side apply owns it.
    pub(super) own: bool,
    /// Another field manager that owns it, the first one; empty where an owner has no name.
    pub(super) other: Option<String>,
}

/// Something about one key of a pod, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It gets a value, in place of none or of an older one of Shuttle's.
    Set(usize, String),
    /// Shuttle's own key has a wrong value by another's hand: it is corrected by force.
    Correct(usize, String),
    /// Shuttle gave it, and its source no longer has it.
    Remove(usize),
    /// Another gave it another value, and may: it is left.
    Conflict(usize, String),
    /// The pod's controller selects its pods by this key: a change would make it lose this pod and create another,
    /// which would be changed in turn, without end. It is left, with the value that it should have.
    Selected(usize, String),
    /// No source has a value: it is left out.
    NoSource(usize),
}

/// What has to change.
pub(super) fn desired(
    keys: &Keys,
    cluster: &ClusterLabels,
    namespace: &Values,
    owner: &Owner,
    current: &[Current],
) -> Vec<Change> {
    let per_key = keys.iter().zip(current).enumerate();
    per_key
        .filter_map(|(place, (key, current))| {
            let change = change(place, key, cluster, namespace, owner, current)?;
            let selects = match owner {
                Owner::Seen { selects, .. } => selects.get(place).copied().unwrap_or_default(),
                _ => false,
            };
            Some(match change {
                Change::Set(_, value) | Change::Correct(_, value) if selects => Change::Selected(place, value),
                Change::Remove(_) if selects => return None,
                change => change,
            })
        })
        .collect()
}

fn change(
    place: usize,
    key: &Key,
    cluster: &ClusterLabels,
    namespace: &Values,
    owner: &Owner,
    current: &Current,
) -> Option<Change> {
    let of = |values: &Values| values.get(place).cloned().flatten();
    let forced = key.own(cluster).map(str::to_owned);
    let is_own = forced.is_some();
    let wanted = match (key.source, owner) {
        (Source::Owner, Owner::Unknown) => return None,
        // While a Deployment is deleted, its pods keep what they were given.
        (Source::Owner, Owner::Gone) if current.own => return None,
        (Source::Owner, Owner::Seen { values, .. }) => of(values).or_else(|| of(namespace)),
        (Source::Owner | Source::Namespace, _) => of(namespace),
        (Source::ClusterId | Source::Region, _) => forced,
    };
    let sole = current.own && current.other.is_none();
    match (wanted, &current.value) {
        (Some(wanted), Some(value)) if wanted == *value => None,
        (Some(wanted), None) => Some(Change::Set(place, wanted)),
        (Some(wanted), Some(_)) if sole => Some(Change::Set(place, wanted)),
        (Some(wanted), Some(_)) if is_own => Some(Change::Correct(place, wanted)),
        (Some(wanted), Some(_)) => Some(Change::Conflict(place, wanted)),
        (None, None) => Some(Change::NoSource(place)),
        (None, Some(_)) if sole => Some(Change::Remove(place)),
        // Another gave it, and no source contradicts.
        (None, Some(_)) => None,
    }
}

/// The labels that server-side apply is to carry; `None` where nothing has to be written. All that Shuttle already owns
/// is among them, for what an apply leaves out is removed; what others own and is right is not, it stays theirs.
pub(super) fn applied(keys: &Keys, current: &[Current], changes: &[Change]) -> Option<BTreeMap<String, String>> {
    if !changes.iter().any(Change::writes) {
        return None;
    }
    let mut labels = BTreeMap::new();
    for (place, (key, current)) in keys.iter().zip(current).enumerate() {
        let change = changes.iter().find(|change| change.place() == place);
        let value = match change {
            Some(Change::Set(_, value) | Change::Correct(_, value)) => Some(value),
            Some(Change::Remove(_)) => None,
            // Owned with another who gave it the same value: as it is, it conflicts with nobody.
            _ => current.value.as_ref().filter(|_| current.own),
        };
        labels.extend(value.map(|value| (key.name.clone(), value.clone())));
    }
    Some(labels)
}

// === impl Change ===

impl Change {
    /// The key's place.
    pub(super) fn place(&self) -> usize {
        match self {
            Self::Set(place, _)
            | Self::Correct(place, _)
            | Self::Remove(place)
            | Self::Conflict(place, _)
            | Self::Selected(place, _)
            | Self::NoSource(place) => *place,
        }
    }

    /// Whether the pod has to be written for it.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Set(..) | Self::Correct(..) | Self::Remove(_))
    }
}

#[cfg(test)]
mod tests;
