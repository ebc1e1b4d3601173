//! What the labeler keeps of a pod while it waits: a few hundred bytes.

use super::desired::Current;
use super::keys::Keys;
use super::{FIELD_MANAGER, MANAGED};
use k8s_openapi::api::core::v1::{Namespace, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, OwnerReference};
use kube::core::PartialObjectMeta;
use std::sync::Arc;

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: Uid,
    /// The resourceVersion of which `current` tells.
    pub(super) version: String,
    pub(super) controller: Option<Controller>,
    /// By the key's place.
    pub(super) current: Vec<Current>,
}

/// A UID; cheap to copy.
pub(super) type Uid = Arc<str>;

/// A controller as its child names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Controller {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) uid: Uid,
}

/// Whether a namespace's labels say that its pods are Starform's.
pub(super) fn is_managed(namespace: &PartialObjectMeta<Namespace>) -> bool {
    let labels = namespace.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(MANAGED))
        .is_some_and(|value| value == "true")
}

// === impl Subject ===

impl Subject {
    /// What is to be kept of a pod; `None` where it has no UID or name, or is on its way out.
    pub(super) fn of(pod: &PartialObjectMeta<Pod>, keys: &Keys) -> Option<Self> {
        let meta = &pod.metadata;
        if meta.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            namespace: meta.namespace.clone()?,
            name: meta.name.clone()?,
            uid: meta.uid.as_deref()?.into(),
            version: meta.resource_version.clone()?,
            controller: Controller::among(meta.owner_references.as_deref().unwrap_or_default()),
            current: current(meta, keys),
        })
    }

    /// As Events refer to it.
    pub(super) fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            namespace: Some(self.namespace.clone()),
            name: Some(self.name.clone()),
            uid: Some(self.uid.to_string()),
            ..ObjectReference::default()
        }
    }
}

/// The pod's values, and whose they are (`metadata.managedFields`).
fn current(meta: &ObjectMeta, keys: &Keys) -> Vec<Current> {
    let values = keys.values(meta.labels.as_ref());
    let entries = meta.managed_fields.as_deref().unwrap_or_default();
    let pair = keys.iter().zip(values);
    pair.map(|(key, value)| {
        if value.is_none() {
            return Current::default();
        }
        let field = format!("f:{}", key.name);
        let mut owners = entries.iter().filter(|entry| has_label(entry, &field)).peekable();
        // Without any owner (somebody cleared the fields) the first apply makes one, `before-first-apply`, of what is
        // there.
        let nobody = owners.peek().is_none();
        let (mut own, mut other) = (false, nobody.then(String::new));
        for owner in owners {
            if is_shuttle(owner) {
                own = true;
            } else {
                other.get_or_insert_with(|| owner.manager.clone().unwrap_or_default());
            }
        }
        Current { value, own, other }
    })
    .collect()
}

fn is_shuttle(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

fn has_label(entry: &ManagedFieldsEntry, field: &str) -> bool {
    let labels = entry
        .fields_v1
        .as_ref()
        .map(|fields| &fields.0["f:metadata"]["f:labels"]);
    labels.is_some_and(|labels| labels.get(field).is_some())
}

// === impl Controller ===

impl Controller {
    /// The one owner that is marked as the controller.
    pub(super) fn among(owners: &[OwnerReference]) -> Option<Self> {
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        Some(Self {
            api_version: owner.api_version.clone(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
            uid: owner.uid.as_str().into(),
        })
    }
}

#[cfg(test)]
mod tests;
