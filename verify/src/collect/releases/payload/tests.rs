use super::*;
use crate::contract::Contract;
use crate::evidence::ValueSeen;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn twice(bytes: &[u8]) -> String {
    STANDARD.encode(STANDARD.encode(bytes))
}

fn vmagent() -> Release {
    Contract::embedded().unwrap().release("vmagent").unwrap().clone()
}

fn release(config: &Value) -> Value {
    json!({
        "name": "vmagent", "version": 3, "namespace": "telemetry",
        "info": {"first_deployed": "2026-11-20T10:00:00.123456789Z", "last_deployed": "2026-11-21T10:00:00+02:00",
            "deleted": "", "status": "deployed", "description": "password=hush", "notes": "password: hush"},
        "chart": {"metadata": {"name": "victoria-metrics-agent", "version": "0.46.0", "appVersion": "v1.150.0",
            "annotations": {"password": "hush"}}, "templates": [{"name": "x", "data": "hush"}], "values": {"password": "hush"}},
        "config": config, "manifest": "password: hush", "hooks": [{"manifest": "hush"}], "labels": {"password": "hush"},
    })
}

fn decoded(bytes: &[u8]) -> Result<HelmContent, (Reason, String)> {
    let release = vmagent();
    decode(&twice(bytes), &Paths::of(&release)).map_err(|Unreadable(reason, message)| (reason, message))
}

#[test]
fn a_revision_is_read_by_an_allow_list_whatever_else_is_in_it() {
    // Under every name that one could think of, at the top, in maps, in lists, beside what the contract names.
    let names = [
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "token",
        "bearerToken",
        "apiKey",
        "api_key",
        "accessKey",
        "auth",
        "credentials",
        "basicAuth",
        "basicAuth.password",
        "privateKey",
        "tls.key",
        "cert",
        "connectionString",
        "dsn",
        "url",
        "user",
        "username",
        "session",
        "cookie",
        "webhook",
        "extraArgs",
        "env",
        "value",
        "data",
        "stringData",
        "x",
    ];
    let mut config = serde_json::Map::new();
    for name in names {
        config.insert(
            name.to_owned(),
            json!({name: "hush", "list": ["hush", {name: "hush"}], "deep": {"deeper": {name: "hush"}}}),
        );
    }
    let mut write = serde_json::Map::new();
    for name in names {
        write.insert(name.to_owned(), "hush".into());
    }
    write.insert("maxDiskUsagePerURL".to_owned(), "hush".into());
    config.insert("remoteWrite".to_owned(), json!([write, "hush"]));
    config.insert("mode".to_owned(), "statefulSet".into());
    config.insert(
        "persistentVolume".to_owned(),
        json!({"enabled": true, "password": "hush"}),
    );
    config.insert(
        "config".to_owned(),
        json!({"scrape_configs": [{"basic_auth": {"password": "hush"}, "honor_labels": true}]}),
    );
    let json = serde_json::to_vec(&release(&Value::Object(config))).unwrap();
    for bytes in [json.clone(), gzip(&json)] {
        let content = decoded(&bytes).unwrap();
        assert_eq!(
            (content.chart.as_str(), content.version.as_str()),
            ("victoria-metrics-agent", "0.46.0")
        );
        assert_eq!(content.app_version.as_deref(), Some("v1.150.0"));
        assert_eq!(
            content.first_deployed,
            Some("2026-11-20T10:00:00.123456789Z".parse().unwrap())
        );
        assert_eq!(content.last_deployed, Some("2026-11-21T08:00:00Z".parse().unwrap()));
        assert_eq!(
            content.values.len(),
            vmagent()
                .value_terms
                .iter()
                .map(|term| &term.path)
                .collect::<std::collections::BTreeSet<_>>()
                .len()
        );
        let text = serde_json::to_string(&content).unwrap();
        assert!(!text.contains("hush"), "{text}");
        assert!(!format!("{content:?}").contains("hush"));
    }
}

#[test]
fn a_revision_without_values_lacks_all_of_them() {
    for config in [json!(null), json!({})] {
        let content = decoded(&gzip(&serde_json::to_vec(&release(&config)).unwrap())).unwrap();
        assert!(!content.values.is_empty());
        for value in &content.values {
            assert!(
                value.readings.iter().all(|reading| reading.value == ValueSeen::Missing),
                "{value:?}"
            );
        }
    }
    let mut bare = release(&json!({}));
    bare.as_object_mut().unwrap().remove("config");
    let content = decoded(&serde_json::to_vec(&bare).unwrap()).unwrap();
    assert!(
        content
            .values
            .iter()
            .all(|value| value.readings[0].value == ValueSeen::Missing)
    );
}

#[test]
fn what_is_no_revision_is_refused_and_not_repeated() {
    let good = gzip(&serde_json::to_vec(&release(&json!({"password": "hush"}))).unwrap());
    let mut flipped = good.clone();
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    let cases: [(&[u8], Reason); 7] = [
        (b"hush", Reason::Malformed),
        (b"", Reason::Truncated),
        (b"{\"info\":\"hush\"}", Reason::Malformed),
        (b"{}", Reason::Malformed),
        (&good[..good.len() / 2], Reason::Truncated),
        (&gzip(b"hush"), Reason::Malformed),
        (&flipped, Reason::Malformed),
    ];
    for (bytes, reason) in cases {
        let (found, message) = decoded(bytes).unwrap_err();
        assert_eq!(found, reason, "{message}");
        assert!(!message.contains("hush"), "{message}");
    }
    let release = vmagent();
    for text in ["hush!", "aHVzaA=", &STANDARD.encode("hush!")] {
        assert!(decode(text, &Paths::of(&release)).is_err_and(|Unreadable(_, message)| !message.contains("hush")));
    }
}

#[test]
fn a_bomb_is_not_inflated_to_its_end() {
    let mut json = serde_json::to_vec(&release(&json!({}))).unwrap();
    let blanks = usize::try_from(INFLATED).unwrap() + 1;
    json.splice(1..1, std::iter::repeat_n(b' ', blanks));
    let bomb = gzip(&json);
    assert!(bomb.len() < 1 << 20, "a Secret holds it");
    let (reason, message) = decoded(&bomb).unwrap_err();
    assert_eq!(reason, Reason::TooLarge, "{message}");
}
