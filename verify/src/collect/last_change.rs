//! The last change of an object, by its field managers.

use super::status::bounded;
use crate::evidence::LastChange;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An entry of `metadata.managedFields`.
#[derive(Debug, Deserialize)]
pub(super) struct ManagedFields {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    subresource: String,
    time: Option<Timestamp>,
    #[serde(rename = "fieldsV1")]
    fields: Option<Fields>,
}

/// Whether fields of the spec are among them is all that is read of the fields.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
}

/// The newest of them. What is written to a subresource, as `status`, is what a controller observes and no change of the
/// object.
pub(super) fn last_change(managed_fields: &[ManagedFields]) -> Option<LastChange> {
    newest(managed_fields, |_| true)
}

/// The newest of them that is about the spec: a label or an annotation rolls nothing out.
pub(super) fn last_change_of_spec(managed_fields: &[ManagedFields]) -> Option<LastChange> {
    let is_of_spec = |entry: &ManagedFields| entry.fields.as_ref().is_some_and(|fields| fields.spec.is_some());
    newest(managed_fields, is_of_spec)
}

/// The last change of a spec of which the object says how often it was changed: before the first, that it was made.
pub(super) fn last_change_since(
    managed_fields: &[ManagedFields],
    generation: i64,
    created: Option<Timestamp>,
) -> Option<LastChange> {
    let made = || {
        created.filter(|_| generation == 1).map(|time| LastChange {
            time,
            manager: String::new(),
            operation: "Create".to_owned(),
        })
    };
    last_change_of_spec(managed_fields).or_else(made)
}

// === impl ManagedFields ===

impl ManagedFields {
    /// Who manages them.
    pub(super) fn manager(&self) -> &str {
        &self.manager
    }
}

fn newest(managed_fields: &[ManagedFields], is_wanted: impl Fn(&ManagedFields) -> bool) -> Option<LastChange> {
    let changes = managed_fields
        .iter()
        .filter(|entry| entry.subresource != "status" && is_wanted(entry));
    let (time, entry) = changes
        .filter_map(|entry| Some((entry.time?, entry)))
        .max_by_key(|(time, _)| *time)?;
    Some(LastChange {
        time,
        manager: bounded(&entry.manager),
        operation: bounded(&entry.operation),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_newest_that_is_no_status() {
        let fields: Vec<ManagedFields> = serde_json::from_str(
            r#"[{"manager":"helm","operation":"Update","time":"2026-11-22T15:02:00Z","fieldsV1":{"f:spec":{}}},
                {"manager":"kubectl-edit","operation":"Update","time":"2026-11-22T16:02:00Z"},
                {"manager":"argocd-controller","operation":"Apply","time":"2026-11-22T15:30:00Z"},
                {"manager":"nobody","operation":"Apply"},
                {"manager":"kube-apiserver","operation":"Update","subresource":"status","time":"2026-11-22T17:00:00Z"}]"#,
        )
        .unwrap();
        let last = last_change(&fields).unwrap();
        assert_eq!(
            (last.manager.as_str(), last.operation.as_str()),
            ("kubectl-edit", "Update")
        );
        assert_eq!(last.time.to_string(), "2026-11-22T16:02:00Z");
        assert_eq!(last_change(&fields[4..]), None);
        assert_eq!(last_change_of_spec(&fields).unwrap().manager, "helm");
    }
}
