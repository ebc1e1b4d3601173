//! The contract's reader: what could be misread is refused, with its place.

use starform_verify::contract::Contract;

fn refuse(replace: &str, with: &str) -> String {
    let text = Contract::embedded_text();
    assert!(text.contains(replace), "{replace:?} is not in the embedded contract");
    let text = text.replacen(replace, with, 1);
    Contract::parse(&text, "test.yaml")
        .expect_err("the contract should have been refused")
        .to_string()
}

#[test]
fn the_embedded_contract_is_accepted() {
    let contract = Contract::embedded().unwrap();
    assert!(contract.digest.starts_with("sha256:"));
    assert_eq!(contract.labels.len(), 5);
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let error = refuse("nodeReadyGrace:", "nodeReadyGrce:");
    assert!(error.contains("nodeReadyGrce") && error.contains("line"), "{error}");
}

#[test]
fn a_duplicate_code_is_refused_with_both_places() {
    let error = refuse(
        "{code: SF102, severity: high, gates: false}",
        "{code: SF101, severity: high, gates: false}",
    );
    assert!(
        error.contains("SF101 stands twice, first at line 19, column 16 and again at line 20, column 16"),
        "{error}"
    );
}

#[test]
fn an_unknown_step_is_refused_with_its_place() {
    let error = refuse("id: \"2\"", "id: \"7\"");
    assert!(error.contains('7') && error.contains("line"), "{error}");
}

#[test]
fn a_step_twice_is_refused_with_both_places() {
    let error = refuse("id: \"2\"", "id: \"1\"");
    assert!(error.contains("step \"1\" stands twice, first at line"), "{error}");
}

#[test]
fn an_unknown_code_is_refused_with_its_place() {
    let error = refuse("code: SF102", "code: SF199");
    assert!(error.contains("code \"SF199\" at line 20, column 16"), "{error}");
}

#[test]
fn a_check_in_the_wrong_step_is_refused() {
    let error = refuse("code: SF102", "code: SF301");
    assert!(
        error.contains("check SF301 at line 20, column 16 belongs to step 3, not 1"),
        "{error}"
    );
}

#[test]
fn a_check_that_is_left_out_is_refused() {
    let error = refuse("      - {code: SF105, severity: medium, gates: false}\n", "");
    assert!(error.contains("SF105 stands in no step"), "{error}");
}

#[test]
fn a_waiver_of_an_unknown_check_is_refused() {
    let error = refuse(
        "waivers: []",
        "waivers:\n  - {check: SF999, reason: tried, owner: sre, expires: 2026-12-31}",
    );
    assert!(error.contains("waiver at line") && error.contains("SF999"), "{error}");
}

#[test]
fn a_release_that_no_step_has_is_refused() {
    let error = refuse("release: kube-state-metrics", "release: ksm");
    assert!(
        error.contains("components.kubeStateMetrics.release is \"ksm\""),
        "{error}"
    );
}

#[test]
fn a_shuttle_label_that_is_no_label_of_the_contract_is_refused() {
    let error = refuse("regionLabel: starform.io/region", "regionLabel: starform.io/zone");
    assert!(
        error.contains("components.shuttle.regionLabel is starform.io/zone"),
        "{error}"
    );
}

#[test]
fn a_permission_that_would_allow_everything_is_refused() {
    let error = refuse(
        "{resource: nodes/metrics, verbs: [get]}",
        "{resource: nodes/metrics, verbs: [\"*\"]}",
    );
    assert!(error.contains("is a wildcard"), "{error}");
    let error = refuse(
        "{resource: nodes/metrics, verbs: [get]}",
        "{resource: nodes/metrics, verbs: []}",
    );
    assert!(error.contains("has no verb"), "{error}");
    let error = refuse("{resource: nodes/metrics, verbs: [get]}", "{verbs: [get]}");
    assert!(error.contains("not one of resource and urls"), "{error}");
}

#[test]
fn heartbeats_that_may_never_be_late_are_refused() {
    let error = refuse("heartbeatIntervals: 3", "heartbeatIntervals: 0");
    assert!(error.contains("every heartbeat would be late"), "{error}");
}

#[test]
fn a_contract_survives_being_written_and_read() {
    let contract = Contract::embedded().unwrap();
    let text = serde_saphyr::to_string(&contract).unwrap();
    let mut again = Contract::parse(&text, "again.yaml").unwrap();
    again.digest.clone_from(&contract.digest);
    assert_eq!(again, contract);
}

#[test]
fn the_schema_names_every_key_of_the_contract() {
    let schema = serde_json::to_value(schemars::schema_for!(Contract)).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for key in [
        "apiVersion",
        "kind",
        "labels",
        "steps",
        "cluster",
        "components",
        "thresholds",
        "waivers",
    ] {
        assert!(properties.contains_key(key), "{key} is missing");
    }
    assert_eq!(schema["additionalProperties"], serde_json::Value::Bool(false));
}
