//! Where the file is that Alloy is started with.

use super::ConfigMaps;
use crate::collect::workloads::{ConfigMapVolume, Container, Raw, Volume};
use std::collections::BTreeMap;
use std::path::Path;

/// The file that the image is started with where no argument says otherwise (`Dockerfile` of grafana/alloy 1.18.1).
const DEFAULT: &str = "/etc/alloy/config.alloy";

/// The ConfigMap that Kubernetes puts into every namespace: the cluster's authority, and none of Alloy's configuration.
const AUTHORITY: &str = "kube-root-ca.crt";

/// Where the configuration is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In one of these ConfigMaps, at that key; in a folder at any.
    ConfigMaps(Vec<(String, Option<String>)>),
    /// In a Secret: what is in there does not stand in clear.
    Secret,
    /// In neither.
    Elsewhere,
}

/// Whether a key is named as a configuration is; `.river` is what it was before Alloy.
pub(super) fn is_configuration(key: &str) -> bool {
    let extension = Path::new(key).extension();
    extension.is_some_and(|extension| extension == "alloy" || extension == "river")
}

// === impl Place ===

impl Place {
    pub(super) fn of(raw: &Raw, container: &Container) -> Self {
        let arguments = raw.arguments(container);
        let line = arguments.iter().map(|argument| argument.text.as_str());
        let after = line.skip_while(|argument| *argument != "run").skip(1);
        // A flag's value may stand behind it: the path is the one that is mounted.
        let mut paths: Vec<&str> = after.filter(|argument| !argument.starts_with('-')).collect();
        if paths.is_empty() {
            paths.push(DEFAULT);
        }
        let places = paths.into_iter().filter_map(|path| {
            let (volume, rest) = raw.mounted(container, path)?;
            Some(volume.place(&rest))
        });
        places
            .into_iter()
            .find(|place| *place != Self::Elsewhere)
            .unwrap_or(Self::Elsewhere)
    }

    /// Whether a key is it.
    pub(super) fn is(&self, map: &str, key: &str) -> bool {
        match self {
            Self::ConfigMaps(places) => places
                .iter()
                .any(|(name, at)| name == map && at.as_ref().is_some_and(|at| at == key)),
            Self::Secret | Self::Elsewhere => false,
        }
    }

    /// Why it could not be read.
    pub(super) fn unread(&self, maps: &ConfigMaps) -> Option<String> {
        match self {
            Self::Secret => None,
            Self::Elsewhere => {
                Some("its configuration is in no ConfigMap that its pods mount, and in no Secret".to_owned())
            }
            Self::ConfigMaps(places) => {
                let there = |(name, key): &(String, Option<String>)| {
                    let map = maps.get(name);
                    map.is_some_and(|map| match key {
                        Some(key) => map.get(key).is_some(),
                        None => map.keys().any(is_configuration),
                    })
                };
                (!places.iter().any(there))
                    .then(|| "no ConfigMap that its pods mount has the file that Alloy is started with".to_owned())
            }
        }
    }
}

// === impl Volume ===

impl Volume {
    fn place(&self, path: &str) -> Place {
        let at = |map: &ConfigMapVolume| {
            let key = match (&map.items, path) {
                (_, "") => Some(None),
                (Some(items), path) => {
                    let item = items.iter().find(|item| item.path == path)?;
                    Some(Some(item.key.clone()))
                }
                (None, path) => Some(Some(path.to_owned())),
            };
            key.map(|key| (map.name.clone(), key))
        };
        if self.secret.is_some() {
            return Place::Secret;
        }
        let places: Vec<_> = self.config_maps().filter_map(at).collect();
        if places.is_empty() {
            Place::Elsewhere
        } else {
            Place::ConfigMaps(places)
        }
    }

    /// The ConfigMaps that it is made of.
    fn config_maps(&self) -> impl Iterator<Item = &ConfigMapVolume> {
        let projected = self
            .projected
            .iter()
            .flat_map(|projected| projected.sources.iter().flatten());
        let projected = projected.filter_map(|source| source.config_map.as_ref());
        self.config_map.iter().chain(projected)
    }
}

// === impl Raw ===

impl Raw {
    /// The names of the ConfigMaps that its pods mount, and of those that the container takes all its variables from; and
    /// whether each may be missing.
    pub(super) fn config_maps<'a>(&'a self, container: &'a Container) -> BTreeMap<&'a str, bool> {
        let mounted = (self.pod().volumes.iter().flatten())
            .flat_map(Volume::config_maps)
            .map(|map| (map.name.as_str(), map.optional));
        let variables = (container.env_from.iter().flatten())
            .filter_map(|from| from.config_map_ref.as_ref())
            .map(|map| (map.name.as_str(), map.optional));
        let mut names = BTreeMap::new();
        for (name, optional) in mounted.chain(variables).filter(|(name, _)| *name != AUTHORITY) {
            *names.entry(name).or_insert(true) &= optional;
        }
        names
    }
}
