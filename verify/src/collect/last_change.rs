//! Who changed an object last, from `metadata.managedFields`.

use crate::evidence::LastChange;
use jiff::Timestamp;
use serde::Deserialize;

/// An entry of `managedFields`; which fields it is about is not read.
#[derive(Deserialize)]
pub(super) struct ManagedFields {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    time: Option<Timestamp>,
    #[serde(default)]
    subresource: String,
}

/// The newest entry that is not about the status: a status tells what came of a change, and changes with every pod.
pub(super) fn newest(entries: &[ManagedFields]) -> Option<LastChange> {
    let changes = entries.iter().filter(|entry| entry.subresource != "status");
    let (time, newest) = changes
        .filter_map(|entry| Some((entry.time?, entry)))
        .max_by_key(|(time, _)| *time)?;
    Some(LastChange {
        time,
        manager: newest.manager.clone(),
        operation: newest.operation.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_no_change() {
        let entries: Vec<ManagedFields> = serde_json::from_str(
            r#"[{"manager":"helm","operation":"Update","time":"2026-11-22T15:00:00Z","fieldsV1":{"f:spec":{}}},
            {"manager":"kube-controller-manager","operation":"Update","time":"2026-11-22T15:05:00Z","subresource":"status"},
            {"manager":"kubectl-rollout","operation":"Update","time":"2026-11-22T15:01:00Z"},
            {"manager":"before-1.18","operation":"Update"}]"#,
        )
        .unwrap();
        let newest = newest(&entries).unwrap();
        assert_eq!(
            (newest.manager.as_str(), newest.operation.as_str()),
            ("kubectl-rollout", "Update")
        );
        assert_eq!(newest.time, "2026-11-22T15:01:00Z".parse().unwrap());
        assert_eq!(super::newest(&entries[1..2]), None);
    }
}
