use super::*;
use crate::contract::{Release, Scalar, ValueTerm};
use serde_json::json;

fn release(terms: &str) -> Release {
    let terms: Vec<ValueTerm> = serde_saphyr::from_str(terms).unwrap();
    let mut contract = crate::contract::Contract::embedded().unwrap();
    let mut release = contract.steps[1].releases.remove(0);
    release.value_terms = terms;
    release
}

fn read(terms: &str, values: &serde_json::Value) -> Vec<HelmValue> {
    Paths::of(&release(terms)).read(values).unwrap()
}

fn readings(value: &HelmValue) -> Vec<(&str, ValueSeen)> {
    value
        .readings
        .iter()
        .map(|reading| (reading.at.as_str(), reading.value.clone()))
        .collect()
}

fn text(text: &str) -> ValueSeen {
    ValueSeen::Scalar(Scalar::Text(text.to_owned()))
}

#[test]
fn a_scalar_is_kept_only_where_it_is_compared() {
    let terms = "[{path: [mode], must: {equal: a}, why: w}, {path: [url], must: beSet, why: w}]";
    let read = read(
        terms,
        &json!({"mode": "deployment", "url": "https://u:hush@x", "password": "hush"}),
    );
    assert_eq!(readings(&read[0]), [("mode", text("deployment"))]);
    assert_eq!(readings(&read[1]), [("url", ValueSeen::Hidden)]);
}

#[test]
fn every_place_that_a_path_leads_to_is_a_reading_and_so_is_one_that_it_lacks() {
    let terms = "[{path: [remoteWrite, '*', limit], must: beSet, why: w}]";
    let values = json!({"remoteWrite": [{"limit": 1}, {"other": 2}, "x"]});
    let read = read(terms, &values);
    assert_eq!(
        readings(&read[0]),
        [
            ("remoteWrite[0].limit", ValueSeen::Hidden),
            ("remoteWrite[1].limit", ValueSeen::Missing),
            ("remoteWrite[2].limit", ValueSeen::Missing),
        ]
    );
    for nothing in [
        json!({}),
        json!({"remoteWrite": []}),
        json!({"remoteWrite": null}),
        json!({"remoteWrite": {}}),
    ] {
        let read = self::read(terms, &nothing);
        assert_eq!(
            readings(&read[0]),
            [("remoteWrite[*].limit", ValueSeen::Missing)],
            "{nothing}"
        );
    }
}

#[test]
fn a_named_key_is_no_other() {
    let terms = "[{path: [a, '*'], must: beSet, why: w}, {path: [a, b], must: beSet, why: w}]";
    let read = read(terms, &json!({"a": {"b": 1}}));
    assert_eq!(readings(&read[0]), [("a[*]", ValueSeen::Missing)]);
    assert_eq!(readings(&read[1]), [("a.b", ValueSeen::Hidden)]);
    let read = self::read(terms, &json!({"a": {"c": ""}}));
    assert_eq!(readings(&read[0]), [("a.c", ValueSeen::Empty)]);
    assert_eq!(readings(&read[1]), [("a.b", ValueSeen::Missing)]);
}

#[test]
fn words_are_found_at_any_depth_but_not_in_comments() {
    let terms = "[{path: [config], must: {contain: [storage.path, DB, never]}, why: w}, {path: [config], must: {lack: [es]}, why: w}]";
    let values =
        json!({"config": {"service": "[SERVICE]\n  # never\n  storage.path /x", "more": [{"DB": 1}]}, "es": 1});
    let read = read(terms, &values);
    assert_eq!(read.len(), 1);
    assert_eq!(readings(&read[0]), [("config", ValueSeen::Map)]);
    let words: Vec<(&str, bool)> = read[0]
        .words
        .iter()
        .map(|(word, found)| (word.as_str(), *found))
        .collect();
    assert_eq!(
        words,
        [("DB", true), ("es", false), ("never", false), ("storage.path", true)]
    );
    assert!(!serde_json::to_string(&read).unwrap().contains("/x"));
}

#[test]
fn the_scalars_of_a_list_are_readings_and_so_is_the_image_s_tag() {
    let terms = "[{path: [allow], must: {showLabels: {patternsSince: 8.4.0}}, why: w}]";
    let read = read(
        terms,
        &json!({"allow": ["pods=[a]", {"x": "hush"}], "image": {"tag": "v2.18.0", "pullSecret": "hush"}}),
    );
    assert_eq!(
        readings(&read[0]),
        [("allow[0]", text("pods=[a]")), ("allow", ValueSeen::List)]
    );
    assert_eq!(readings(&read[1]), [("image.tag", text("v2.18.0"))]);
}

#[test]
fn nothing_at_all_lacks_every_path() {
    let release = release("[{path: [a, b], must: beSet, why: w}, {path: [c], must: {contain: [x]}, why: w}]");
    let read = Paths::of(&release).nothing();
    assert_eq!(readings(&read[0]), [("a.b", ValueSeen::Missing)]);
    assert_eq!(readings(&read[1]), [("c", ValueSeen::Missing)]);
    assert_eq!(read, Paths::of(&release).read(&json!({})).unwrap());
}

#[test]
fn what_is_longer_than_a_value_ever_is_is_not_kept() {
    let terms = "[{path: [a], must: {equal: x}, why: w}, {path: [b, '*'], must: beSet, why: w}]";
    let long = "x".repeat(TEXT + 1);
    let read = read(terms, &json!({"a": long, "b": vec![1; READINGS + 10]}));
    assert_eq!(readings(&read[0]), [("a", ValueSeen::Hidden)]);
    assert_eq!(read[1].readings.len(), READINGS);
}
