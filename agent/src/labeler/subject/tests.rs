use super::*;
use serde_json::{Value, json};
use starform_verify::contract::Contract;

fn pod(metadata: &Value) -> PartialObjectMeta<Pod> {
    serde_json::from_value(json!({ "metadata": metadata })).unwrap()
}

fn managed_fields(manager: &str, operation: &str, subresource: &str, keys: &[&str]) -> Value {
    let labels: serde_json::Map<_, _> = keys.iter().map(|key| (format!("f:{key}"), json!({}))).collect();
    json!({
        "manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "v1",
        "fieldsType": "FieldsV1", "fieldsV1": { "f:metadata": { "f:labels": labels } },
    })
}

fn subject(mut metadata: Value) -> Option<Subject> {
    for (key, value) in [
        ("namespace", "shop"),
        ("name", "a"),
        ("uid", "u1"),
        ("resourceVersion", "7"),
    ] {
        metadata[key] = json!(value);
    }
    Subject::of(&pod(&metadata), &Keys::of(&Contract::embedded().unwrap()))
}

#[test]
fn a_pod_that_is_being_deleted_is_no_subject() {
    assert_eq!(subject(json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" })), None);
}

#[test]
fn each_label_is_known_with_the_hands_that_set_it() {
    let subject = subject(json!({
        "labels": {
            "starform.io/cluster-id": "c1", "starform.io/region": "nyc3",
            "starform.io/project": "p", "starform.io/app": "a",
        },
        "managedFields": [
            managed_fields("shuttle", "Apply", "", &["starform.io/cluster-id", "starform.io/project"]),
            // The same name by another way of writing is another owner.
            managed_fields("shuttle", "Update", "", &["starform.io/region"]),
            managed_fields("kubectl-label", "Update", "", &["starform.io/project"]),
        ],
    }))
    .unwrap();
    let current = |value: &str, own, other: Option<&str>| Current {
        value: Some(value.to_owned()),
        own,
        other: other.map(str::to_owned),
    };
    let expected = [
        current("c1", true, None),
        current("nyc3", false, Some("shuttle")),
        current("p", true, Some("kubectl-label")),
        // Whose fields were cleared.
        current("a", false, Some("")),
        Current::default(),
    ];
    assert_eq!(subject.current, expected);
}

#[test]
fn the_owner_is_the_one_that_controls() {
    let reference = |name: &str, controller: bool| json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": name, "controller": controller });
    let references = json!([reference("other", false), reference("rs", true)]);
    let subject = subject(json!({ "ownerReferences": references })).unwrap();
    assert_eq!(subject.controller.unwrap().name, "rs");
}
