//! What the ConfigMaps of a workload come to.

use super::*;
use rstest::rstest;
use std::fmt::Write as _;

/// A workload as the operator makes it, with more in its container and more volumes.
fn workload(container: &str, volumes: &str) -> Raw {
    let json = format!(
        r#"{{"metadata":{{"name":"alloy","namespace":"telemetry"}},"spec":{{"template":{{"spec":{{
        "containers":[{{"name":"alloy","args":["run","/etc/alloy/config.alloy","--storage.path=/tmp"],
        "volumeMounts":[{{"name":"config","mountPath":"/etc/alloy"}}]{container}}}],
        "volumes":[{{"name":"config","configMap":{{"name":"alloy"}}}}{volumes}]}}}}}}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn maps(texts: &[(&str, &str)]) -> ConfigMaps {
    let data: BTreeMap<&str, &str> = texts.iter().copied().collect();
    let map: ConfigMap = serde_json::from_value(serde_json::json!({ "data": data })).unwrap();
    [("alloy".to_owned(), map)].into()
}

fn judged(raw: &Raw, texts: &[(&str, &str)]) -> AlloySettings {
    let settings = judge(raw, raw.container("alloy").unwrap(), &maps(texts));
    let text = serde_json::to_string(&settings).unwrap();
    assert!(!text.contains("hush"), "a value is evidence: {text}");
    settings
}

/// The credentials of that kind in a configuration, and why it could not be read.
fn found(configuration: &str, kind: CredentialKind) -> (Vec<String>, Option<String>) {
    let settings = judged(&workload("", ""), &[("config.alloy", configuration)]);
    let text = settings.config_maps[0].texts[0].clone();
    let paths = text.credentials.into_iter().filter(|found| found.kind == kind);
    (paths.map(|found| found.path).collect(), text.unread)
}

fn literals(configuration: &str) -> Vec<String> {
    let (paths, unread) = found(configuration, CredentialKind::Literal);
    assert_eq!(unread, None, "{configuration}");
    paths
}

#[rstest]
#[case(
    r#"prometheus.remote_write "cloud" { endpoint { basic_auth { password = "hush" } } }"#,
    r#"prometheus.remote_write "cloud" > endpoint > basic_auth > password"#
)]
#[case(
    r#"loki.write "a" { endpoint { basic_auth { password = nonsensitive("hu" + "sh") } } }"#,
    r#"loki.write "a" > endpoint > basic_auth > password"#
)]
#[case(
    r#"loki.write "a" { endpoint { url = "https://u:hush@logs/push" } }"#,
    r#"loki.write "a" > endpoint > url (in a URL)"#
)]
#[case(
    r#"loki.write "a" { endpoint { headers = {"X-Scope-OrgID" = "1", "Authorization" = "Bearer hush"} } }"#,
    r#"loki.write "a" > endpoint > headers > Authorization"#
)]
#[case(
    r#"prometheus.scrape "a" { http_headers = {"X-Api-Key" = ["hush"]} }"#,
    r#"prometheus.scrape "a" > http_headers > X-Api-Key"#
)]
#[case(
    "otelcol.auth.headers \"a\" { header { key = \"Authorization\"\n value = \"hush\" } }",
    r#"otelcol.auth.headers "a" > header > value"#
)]
#[case(
    r#"prometheus.remote_write "a" { endpoint { tls_config { key_pem = "-----BEGIN PRIVATE KEY-----\nhush" } } }"#,
    r#"prometheus.remote_write "a" > endpoint > tls_config > key_pem"#
)]
#[case(
    r#"local.file_match "a" { path_targets = [{__path__ = "-----BEGIN RSA PRIVATE KEY-----\nhush"}] }"#,
    r#"local.file_match "a" > path_targets (a private key)"#
)]
#[case(
    r#"prometheus.exporter.postgres "a" { data_source_names = ["postgresql://u:hush@db"] }"#,
    r#"prometheus.exporter.postgres "a" > data_source_names"#
)]
#[case(
    r#"prometheus.exporter.blackbox "a" { config = "{modules: {a: {http: {basic_auth: {password: hush}}}}}" }"#,
    r#"prometheus.exporter.blackbox "a" > config: password"#
)]
#[case(
    r#"import.git "a" { ssh_key { key = "hush" } }"#,
    r#"import.git "a" > ssh_key > key"#
)]
#[case(
    r#"declare "a" { argument "token" { default = "hush" } }"#,
    r#"declare "a" > argument "token" > default"#
)]
#[case(
    "declare \"a\" { argument \"b\" { default = \"hush\" }\n c \"d\" { password = argument.b.value } }",
    r#"declare "a" > argument "b" > default"#
)]
#[case(
    "declare \"a\" { argument \"b\" { }\n c \"d\" { password = argument.b.value } }\na \"e\" { b = \"hush\" }",
    r#"a "e" > b"#
)]
#[case(
    "declare \"x\" { argument \"y\" { }\n a \"z\" { b = argument.y.value } }\ndeclare \"a\" { argument \"b\" { }\n c \"d\" { password = argument.b.value } }\nx \"e\" { y = \"hush\" }",
    r#"x "e" > y"#
)]
#[case(
    "import.string \"a\" { content = `declare \"b\" { c \"d\" { password = \"hush\" } }` }",
    r#"import.string "a" > content > declare "b" > c "d" > password"#
)]
#[case::of_an_embedded_module(
    "import.string \"m\" { content = `declare \"a\" { argument \"b\" { }\n c \"d\" { password = argument.b.value } }` }\nm.a \"e\" { b = \"hush\" }",
    r#"m.a "e" > b"#
)]
#[case::of_an_embedded_module_in_another(
    "import.string \"m\" { content = \"import.string \\\"n\\\" { content = `declare \\\"a\\\" { argument \\\"b\\\" { }\\n c \\\"d\\\" { password = argument.b.value } }` }\" }\nm.a \"e\" { b = \"hush\" }",
    r#"m.a "e" > b"#
)]
#[case(
    r#"a "b" { password = remote.kubernetes.configmap.c.data["d"] }"#,
    r#"a "b" > password"#
)]
#[case(r#"a "b" { of = {c = [{password = "hush"}]} }"#, r#"a "b" > of > c > password"#)]
#[case("// password = \"x\"\n/* \" */ a \"b\" { password = `hush` }", r#"a "b" > password"#)]
fn a_credential_in_clear_is_told_with_its_path(#[case] configuration: &str, #[case] path: &str) {
    assert_eq!(literals(configuration), [path]);
}

#[rstest]
#[case(r#"a "b" { password = sys.env("TOKEN") }"#)]
#[case("a \"b\" { bearer_token_file = \"/var/run/token\"\n password_file = \"/a\"\n token_url = \"https://a/b\" }")]
#[case(r#"a "b" { bearer_token_file = "" }"#)]
#[case(r#"a "b" { password = "" }"#)]
#[case(r#"a "b" { url = "https://logs.example.com/push" }"#)]
#[case(r#"a "b" { headers = {"X-Scope-OrgID" = "1", "Authorization" = "Bearer " + sys.env("TOKEN")} }"#)]
#[case("otelcol.auth.headers \"a\" { header { key = \"X-Scope-OrgID\"\n value = \"1\" } }")]
#[case("otelcol.processor.attributes \"a\" { action { key = \"token\"\n value = \"c\"\n action = \"insert\" } }")]
#[case(r#"stage.logfmt { mapping = {"password" = "pw", "token" = ""} }"#)]
#[case(r#"loki.process "a" { stage.replace { expression = "https?://(.*)@(.*)" } }"#)]
#[case("prometheus.remote_write \"a\" { endpoint { sigv4 { access_key = \"AKIA\"\n secret_key = sys.env(\"B\") } } }")]
#[case(r#"prometheus.exporter.blackbox "a" { config = "{modules: {a: {prober: http}}}" }"#)]
fn what_is_no_credential_in_clear_is_not_told(#[case] configuration: &str) {
    assert_eq!(literals(configuration), Vec::<String>::new(), "{configuration}");
}

#[test]
fn of_a_reference_it_is_told_that_it_is_one() {
    let text = r#"a "b" { c { password = sys.env("TOKEN") } }"#;
    assert_eq!(found(text, CredentialKind::Reference).0, [r#"a "b" > c > password"#]);
}

#[test]
fn what_the_real_chart_makes_of_the_contract_s_values_has_references_only() {
    for (answer, component) in [
        (
            include_str!("../../../../../../testdata/answers/alloy-metrics-configmap.json"),
            "prometheus.remote_write \"grafana_cloud_metrics\"",
        ),
        (
            include_str!("../../../../../../testdata/answers/alloy-singleton-configmap.json"),
            "loki.write \"grafana_cloud_logs\"",
        ),
    ] {
        let map: ConfigMap = serde_json::from_str(answer).unwrap();
        let text = map.get("config.alloy").unwrap();
        assert_eq!(literals(text), Vec::<String>::new());
        let (references, _) = found(text, CredentialKind::Reference);
        assert_eq!(references, [format!("{component} > endpoint > basic_auth > password")]);
        // The chart's `secret.embed` writes the value where `sys.env` stands here.
        for embedded in [r#""hush""#, r#"convert.nonsensitive("hush")"#] {
            let embedded = text.replace(r#"sys.env("GRAFANA_CLOUD_TOKEN")"#, embedded);
            assert_eq!(
                literals(&embedded),
                [format!("{component} > endpoint > basic_auth > password")]
            );
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_and_what_stands_before_it_too() {
    let (paths, unread) = found("a \"b\" { password = \"hush\" }\nc = '\n", CredentialKind::Literal);
    assert_eq!(paths, [r#"a "b" > password"#]);
    assert_eq!(unread.as_deref(), Some("line 2: a character that has no meaning there"));
    let (paths, unread) = found("password: hush", CredentialKind::Literal);
    assert_eq!(paths, Vec::<String>::new());
    assert!(unread.is_some());
}

#[test]
fn a_path_holds_names_only() {
    let paths = literals("a \"b\\x1b[2J\" { headers = {\"token \\u202e\" = \"hush\"} }");
    assert_eq!(paths, [r#"a "b2J" > headers > token"#]);
}

#[test]
fn credentials_of_many_are_bounded() {
    let mut text = String::new();
    for count in 0..1000 {
        let _ = writeln!(text, "a \"b{count}\" {{ password = \"hush\" }}");
    }
    assert_eq!(literals(&text).len(), 200);
}

#[test]
fn other_files_are_read_as_what_they_are() {
    let texts = [
        ("config.alloy", ""),
        ("ca.crt", "-----BEGIN CERTIFICATE-----\nhttps://a\nb@c"),
        ("dashboard.json", r#"{"title": "a", "url": "https://a/b"}"#),
        ("module", "a \"b\" {\n password = \"hush\"\n}\n"),
        ("snmp.yml", "auths: {a: {password: hush}}"),
        ("tls.key", "-----BEGIN PRIVATE KEY-----\nhush"),
        ("token", "hush"),
        // Alloy's syntax would have it that `token` refers to something.
        ("token-of-two-parts", "user=hush"),
        ("urls", "see https://u:hush@a"),
    ];
    let settings = judged(&workload("", ""), &texts);
    let texts = settings.config_maps[0].texts.iter();
    let found: Vec<String> = texts
        .flat_map(|text| {
            text.credentials
                .iter()
                .map(move |found| format!("{} {}", text.key, found.path))
        })
        .collect();
    let expected = [
        "module a \"b\" > password",
        "snmp.yml password",
        "tls.key a private key",
        "token ",
        "token-of-two-parts ",
        "urls a URL",
    ];
    assert_eq!(found, expected);
    assert_eq!(settings.unread, None);
}

#[rstest]
#[case(r#","env":[{"name":"A","value":"hush"}]"#, true)]
#[case(r#","env":[{"name":"A","value":"$(B)"},{"name":"B","value":"hush"}]"#, true)]
#[case(
    r#","env":[{"name":"A","value":"$(B)"},{"name":"B","valueFrom":{"secretKeyRef":{}}}]"#,
    false
)]
#[case(r#","env":[{"name":"A","value":"$(A)"}]"#, true)]
#[case(
    r#","env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"b","key":"c"}}}]"#,
    true
)]
#[case(r#","env":[{"name":"A","valueFrom":{"secretKeyRef":{}}}]"#, false)]
#[case(r#","envFrom":[{"prefix":"","configMapRef":{"name":"alloy"}}]"#, true)]
#[case(r#","envFrom":[{"prefix":"B","configMapRef":{"name":"alloy"}}]"#, false)]
#[case("", false)]
fn a_variable_that_a_credential_is_taken_from_does_not_stand_in_clear(#[case] container: &str, #[case] clear: bool) {
    let configuration = r#"a "b" { password = sys.env("A") }"#;
    let settings = judged(
        &workload(container, ""),
        &[("config.alloy", configuration), ("A", "hush")],
    );
    let expected: &[&str] = if clear { &["variable A"] } else { &[] };
    assert_eq!(settings.variables_in_clear, expected);
}

#[test]
fn a_variable_whose_name_is_put_together_is_one_too() {
    let configuration = r#"a "b" { password = sys.env("GRAFANA" + "_CLOUD") }"#;
    let container = r#","env":[{"name":"GRAFANA_CLOUD","value":"hush"}]"#;
    let settings = judged(&workload(container, ""), &[("config.alloy", configuration)]);
    assert_eq!(settings.variables_in_clear, ["variable GRAFANA_CLOUD"]);
    let configuration = r#"a "b" { password = sys.env("GRAFANA" + local.file.c.content) }"#;
    let (_, unread) = found(configuration, CredentialKind::Literal);
    assert!(unread.unwrap().contains("which variable"));
}

#[test]
fn a_variable_that_is_called_like_a_credential_does_not_come_from_a_config_map() {
    let container = r#","env":[{"name":"API_TOKEN","valueFrom":{"configMapKeyRef":{"name":"b","key":"c"}}},
        {"name":"REGION","valueFrom":{"configMapKeyRef":{"name":"b","key":"c"}}}]"#;
    let settings = judged(&workload(container, ""), &[("config.alloy", "")]);
    assert_eq!(settings.variables_in_clear, ["variable API_TOKEN"]);
}

#[test]
fn every_config_map_that_the_pods_have_is_asked_for_once() {
    let raw = workload(
        r#","envFrom":[{"configMapRef":{"name":"variables","optional":true}},{"secretRef":{"name":"s"}}]"#,
        r#",{"name":"p","projected":{"sources":[{"configMap":{"name":"projected"}},{"secret":{"name":"s"}},
        {"configMap":{"name":"alloy","optional":true}},{"configMap":{"name":"kube-root-ca.crt"}}]}}"#,
    );
    let names: Vec<_> = raw.config_maps(raw.container("alloy").unwrap()).into_iter().collect();
    assert_eq!(names, [("alloy", false), ("projected", false), ("variables", true)]);
}

#[rstest]
#[case::no_such_key("/etc/alloy/other.alloy", "", Some("no ConfigMap that its pods mount has the file"))]
#[case::a_folder("/etc/alloy", "", None)]
#[case::of_the_image("/elsewhere/config.alloy", "", Some("its configuration is in no ConfigMap"))]
#[case::of_a_secret("/secret/config.alloy", r#""secret":{"secretName":"s"}"#, None)]
#[case::of_an_empty_folder(
    "/secret/config.alloy",
    r#""emptyDir":{}"#,
    Some("its configuration is in no ConfigMap")
)]
#[case::projected(
    "/secret/a",
    r#""projected":{"sources":[{"configMap":{"name":"alloy","items":[{"key":"config.alloy","path":"a"}]}}]}"#,
    None
)]
#[case::projected_elsewhere(
    "/secret/b",
    r#""projected":{"sources":[{"configMap":{"name":"alloy","items":[{"key":"config.alloy","path":"a"}]}}]}"#,
    Some("its configuration is in no ConfigMap")
)]
fn a_configuration_that_stands_elsewhere_is_not_read(
    #[case] path: &str,
    #[case] volume: &str,
    #[case] unread: Option<&str>,
) {
    let volume = if volume.is_empty() {
        String::new()
    } else {
        format!(r#",{{"name":"more",{volume}}}"#)
    };
    let json = serde_json::json!({"metadata": {"name": "alloy", "namespace": "telemetry"}, "spec": {"template": {"spec": {
        "containers": [{"name": "alloy", "args": ["run", "--storage.path", "/tmp", path], "volumeMounts": [
            {"name": "config", "mountPath": "/etc/alloy"}, {"name": "more", "mountPath": "/secret/"}]}],
        "volumes": serde_json::from_str::<serde_json::Value>(
            &format!(r#"[{{"name":"config","configMap":{{"name":"alloy"}}}}{volume}]"#)).unwrap()}}}});
    let raw: Raw = serde_json::from_value(json).unwrap();
    let settings = judged(&raw, &[("config.alloy", "")]);
    match (settings.unread, unread) {
        (None, None) => {}
        (Some(why), Some(expected)) => assert!(why.starts_with(expected), "{why}"),
        (found, expected) => panic!("{found:?}, not {expected:?}"),
    }
}

#[test]
fn the_file_that_alloy_is_started_with_is_its_configuration_whatever_it_is_called() {
    let raw = workload(r#","command":["alloy","run","/etc/alloy/settings"]"#, "");
    let settings = judged(&raw, &[("settings", "password: hush")]);
    assert!(settings.config_maps[0].texts[0].unread.is_some());
}

#[test]
fn a_module_in_binary_data_is_not_read() {
    let data = serde_json::json!({"data": {"config.alloy": ""}, "binaryData": {"more.alloy": "aHVzaA==", "logo.png": "aHVzaA=="}});
    let maps: ConfigMaps = [("alloy".to_owned(), serde_json::from_value(data).unwrap())].into();
    let raw = workload("", "");
    let settings = judge(&raw, raw.container("alloy").unwrap(), &maps);
    let unread = settings.config_maps[0]
        .texts
        .iter()
        .filter(|text| text.unread.is_some());
    assert_eq!(unread.map(|text| text.key.as_str()).collect::<Vec<_>>(), ["more.alloy"]);
}
