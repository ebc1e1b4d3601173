//! The managed namespaces, with the labels that their pods take from them.

use super::keys::{Keys, Values};
use super::subject::is_managed;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use std::collections::HashMap;
use std::sync::Arc;

/// Those that are managed now.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    values: HashMap<String, Arc<Values>>,
    /// What a new list has shown so far.
    listed: HashMap<String, Arc<Values>>,
    complete: bool,
}

// === impl Namespaces ===

impl Namespaces {
    /// Takes in what the watch says; the namespaces whose pods have to be looked at for it. After the first list these
    /// are none: all pods are looked at then.
    pub(super) fn take(&mut self, event: Event<PartialObjectMeta<Namespace>>, keys: &Keys) -> Vec<String> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(namespace) => {
                if let Some((name, values)) = read(&namespace, keys) {
                    self.listed.insert(name, values);
                }
            }
            Event::InitDone => {
                let before = std::mem::replace(&mut self.values, std::mem::take(&mut self.listed));
                if std::mem::replace(&mut self.complete, true) {
                    let changed = self
                        .values
                        .iter()
                        .filter(|(name, values)| before.get(*name) != Some(*values));
                    return changed.map(|(name, _)| name.clone()).collect();
                }
            }
            Event::Apply(namespace) => {
                if let Some((name, values)) = read(&namespace, keys) {
                    let before = self.values.insert(name.clone(), Arc::clone(&values));
                    return if before == Some(values) { Vec::new() } else { vec![name] };
                }
                self.values
                    .remove(namespace.metadata.name.as_deref().unwrap_or_default());
            }
            // Also where it is only no longer managed.
            Event::Delete(namespace) => {
                self.values
                    .remove(namespace.metadata.name.as_deref().unwrap_or_default());
            }
        }
        Vec::new()
    }

    /// The labels of a managed namespace.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Values>> {
        self.values.get(name)
    }

    /// Whether they have all been seen once.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

fn read(namespace: &PartialObjectMeta<Namespace>, keys: &Keys) -> Option<(String, Arc<Values>)> {
    let name = namespace.metadata.name.clone()?;
    is_managed(namespace).then(|| (name, Arc::new(keys.values(namespace.metadata.labels.as_ref()))))
}

#[cfg(test)]
mod tests;
