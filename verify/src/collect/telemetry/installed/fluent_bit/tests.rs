use super::*;
use rstest::rstest;

const CLASSIC: &str = "
@SET region=nyc3
[SERVICE]
    Flush 1
    HTTP_Server  On
    storage.path /var/log/flb-storage/   
@INCLUDE input-*.conf
@INCLUDE /elsewhere/more.conf
[PARSER]
    Name docker
    DB never
[FILTER]
    Name   record_modifier
    Match  *
    Record cluster ${CLUSTER}
    Record region  nyc3
    Record more    hush
# [OUTPUT]
[OUTPUT]
    name http
    Match *
    Host 10.10.0.4
    http_User fluent-bit
    http_Passwd hush
    Retry_Limit no_limits
";

const YAML: &str = "
service:
  storage.path: /var/log/flb-storage/
  http_server: true
env:
  password: hush
pipeline:
  inputs:
    - name: tail
      tag: kube.*
      db: /var/log/tail.db
      processors:
        logs:
          - name: content_modifier
            action: upsert
            key: cluster
            value: c1
  filters:
    - name: record_modifier
      match: '*'
      record: [cluster c1, region nyc3, more hush]
  outputs:
    - name: http
      match: '*'
      http_passwd: ${PASSWORD}
      retry_limit: no_limits
";

fn map(files: &[(&str, &str)]) -> ConfigMap {
    serde_json::from_value(serde_json::json!({"data": files.iter().copied().collect::<BTreeMap<_, _>>()})).unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    (pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    .collect()
}

#[test]
fn the_classic_form_is_read_with_what_it_includes() {
    let input = "[INPUT]\n Name tail\n DB /var/log/tail.db\n Exclude_Path hush";
    let map = map(&[
        ("fluent-bit.conf", CLASSIC),
        ("input-a.conf", input),
        ("input-b.txt", input),
    ]);
    let settings = settings(document(&map, "fluent-bit.conf").unwrap());
    assert_eq!(settings.service["storage.path"], "/var/log/flb-storage/");
    assert_eq!(settings.service["http_server"], "On");
    assert_eq!(settings.inputs.len(), 1);
    assert_eq!(settings.inputs[0].name, "tail");
    assert_eq!(settings.inputs[0].settings["db"], "/var/log/tail.db");
    assert_eq!(
        settings.filters[0].labels,
        labels(&[("cluster", "${CLUSTER}"), ("region", "nyc3")])
    );
    assert_eq!(settings.outputs[0].settings["retry_limit"], "no_limits");
    assert_eq!(settings.credentials_in_clear, ["output http: http_passwd"]);
    assert_eq!(settings.unread, ["/elsewhere/more.conf"]);
    assert!(!serde_json::to_string(&settings).unwrap().contains("hush"));
}

#[test]
fn the_form_in_yaml_is_read() {
    let map = map(&[("fluent-bit.yaml", YAML)]);
    let settings = settings(document(&map, "fluent-bit.yaml").unwrap());
    assert_eq!(settings.service["http_server"], "true");
    assert_eq!(settings.inputs[0].settings["tag"], "kube.*");
    let labelled: Vec<_> = settings.filters.iter().map(|filter| filter.labels.clone()).collect();
    let both = labels(&[("cluster", "c1"), ("region", "nyc3")]);
    assert_eq!(labelled.len(), 2);
    assert!(
        labelled.contains(&labels(&[("cluster", "c1")])) && labelled.contains(&both),
        "{labelled:?}"
    );
    assert_eq!(settings.credentials_in_clear, ["variable password"]);
    assert!(!serde_json::to_string(&settings).unwrap().contains("hush"));
}

#[test]
fn broken_yaml_is_told_without_quoting_it() {
    let map = map(&[("fluent-bit.yaml", "pipeline: {password: hush")]);
    assert_eq!(
        document(&map, "fluent-bit.yaml").err().unwrap(),
        "fluent-bit.yaml is no YAML"
    );
}

#[rstest]
#[case("a", "a", true)]
#[case("a", "ab", false)]
#[case("*", "", true)]
#[case("input-*.conf", "input-a.conf", true)]
#[case("input-*.conf", "input-a.txt", false)]
#[case("a*b*c", "a-b-c", true)]
#[case("a*b*c", "a-c", false)]
#[case("b*", "a-b", false)]
fn patterns(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
    assert_eq!(document::matches(pattern, name), expected);
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts() {
    let classic = "[OUTPUT]\n Name http\n Match *\n Retry_Limit no_limits\n Retry_Limit 3\n";
    let read = settings(document(&map(&[("a.conf", classic)]), "a.conf").unwrap());
    assert_eq!(read.outputs[0].settings["retry_limit"], "3");
    let yaml = "pipeline:\n  outputs:\n    - name: http\n      retry_limit: no_limits\n      retry_limit: 3\n";
    let read = settings(document(&map(&[("a.yaml", yaml)]), "a.yaml").unwrap());
    assert_eq!(read.outputs[0].settings["retry_limit"], "3");
}

#[test]
fn a_key_in_camel_case_is_the_same_key_in_yaml() {
    let yaml = "pipeline:\n  outputs:\n    - name: http\n      retryLimit: 7\n";
    let read = settings(document(&map(&[("a.yaml", yaml)]), "a.yaml").unwrap());
    assert_eq!(read.outputs[0].settings["retry_limit"], "7");
}

#[test]
fn a_variable_that_is_known_is_filled_in_and_no_credential_is() {
    let classic = "@SET retries=no_limits\n@SET password=hush\n[OUTPUT]\n Name http\n Retry_Limit ${retries}\n
        Match ${password}\n Host ${elsewhere}\n";
    let read = settings(document(&map(&[("a.conf", classic)]), "a.conf").unwrap());
    let output = &read.outputs[0].settings;
    assert_eq!(
        [&output["retry_limit"], &output["match"], &output["host"]],
        ["no_limits", "${password}", "${elsewhere}"]
    );
}

#[test]
fn a_processor_of_an_input_without_a_tag_is_its_own() {
    let yaml = "pipeline:\n  inputs:\n    - name: tail\n      processors:\n        logs:\n          - name: lua\n";
    let read = settings(document(&map(&[("a.yaml", yaml)]), "a.yaml").unwrap());
    assert_eq!(read.filters[0].settings["match"], "tail.*");
}

#[test]
fn a_processor_acts_on_some_records_where_it_has_a_condition_and_on_metadata_where_it_says_so() {
    let yaml = "pipeline:\n  inputs:\n    - name: tail\n      processors:\n        logs:\n          - name: content_modifier\n            \
        action: upsert\n            key: cluster\n            value: blue\n            condition:\n              op: and\n              \
        rules: []\n          - name: content_modifier\n            context: attributes\n            action: insert\n            \
        key: cluster\n            value: blue\n";
    let read = settings(document(&map(&[("a.yaml", yaml)]), "a.yaml").unwrap());
    assert!(read.filters[0].settings.contains_key("condition"));
    assert_eq!(read.filters[0].labels["cluster"], "blue");
    assert!(read.filters[1].labels.is_empty());
}
