use super::*;
use rstest::rstest;

const URL: &str = "https://victoriametrics.fra1.telemetry.example.com:8427";

/// A directory with credentials, a region file, and a stores file with that text.
fn read(text: &str) -> Result<Stores, ConnectError> {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("victoriametrics-password", "hush-metrics\n");
    write("clickhouse-password", "hush-logs\n");
    write("two-words", "hush hush");
    write("ca.crt", "no certificate");
    write(
        "fra1.yaml",
        &format!(
            "region: fra1\nstores:\n  metrics: {{write_url: {URL}/api/v1/write, query_url: {URL}}}\n  logs: {{host: h, \
             port: 8080, path: /logs, query_url: 'https://clickhouse.example.com:8443'}}\n"
        ),
    );
    write("stores.yaml", text);
    Stores::read(&directory.path().join("stores.yaml"), Duration::from_secs(1))
}

#[rstest]
#[case::unknown_key("region: fra1\nmetric: {}\n", "metric")]
#[case::unknown_key_below("region: fra1\ncredentials: .\nmetrics: {uri: x}\n", "line 3")]
#[case::no_region("credentials: .\n", "neither `regionFile` nor `region`")]
#[case::no_url("region: fra1\ncredentials: .\n", "no `metrics.url`, and no `regionFile`")]
#[case::no_password(
    "regionFile: fra1.yaml\n",
    "no `metrics.passwordFile`, and no directory `credentials`"
)]
#[case::clear_text(
    "region: a\ncredentials: .\nmetrics: {url: 'http://store.example'}\n",
    "in the clear"
)]
#[case::user(
    "region: a\ncredentials: .\nmetrics: {url: 'https://r:hush@store.example'}\n",
    "no URL of a host"
)]
#[case::query(
    "region: a\ncredentials: .\nmetrics: {url: 'https://a.example/?p=hush'}\n",
    "no URL of a host"
)]
#[case::no_url_at_all(
    "region: a\ncredentials: .\nmetrics:\n  url: ' '\n",
    "`metrics.url` at line 4, column 8 is no URL"
)]
#[case::region_is_no_label("region: 'fra1\"} or up'\n", "`region` at line 1, column 9 is no region")]
#[case::cluster_is_no_label(
    "region: a\ncluster:\n  id: \"b' OR 1\"\n",
    "`cluster.id` at line 3, column 7 cannot"
)]
#[case::two_words(
    "region: a\ncredentials: .\nmetrics: {url: 'http://[::1]', passwordFile: two-words}\n",
    "is no password"
)]
#[case::no_authority("regionFile: fra1.yaml\ncredentials: .\n", "there is no certificate in it")]
#[case::no_such_file("regionFile: nowhere.yaml\n", "nowhere.yaml")]
#[case::no_yaml("{", "stores file")]
#[tokio::test]
async fn what_is_wrong_is_refused_with_its_place(#[case] text: &str, #[case] words: &str) {
    let error = read(text).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.tool_error().hints.is_empty());
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn on_this_machine_no_authority_is_needed_and_no_password_is_shown() {
    let stores = read(
        "region: fra1\ncredentials: .\nmetrics: {url: 'http://127.0.0.1:8427/'}\n\
         logs: {url: 'http://[::1]:8443', username: auditor}\ncluster: {id: blue, ended: true}\n",
    )
    .unwrap();
    assert_eq!(stores.region(), "fra1");
    assert_eq!(stores.metrics().url(), "http://127.0.0.1:8427");
    let blue = StoreCluster {
        id: "blue".to_owned(),
        region: None,
        ended: true,
    };
    assert_eq!(stores.cluster(), Some(&blue));
    assert!(!format!("{stores:?}").contains("hush"), "{stores:?}");
}

#[rstest]
#[case("fra1", true)]
#[case("a.b_c-9", true)]
#[case("", false)]
#[case("-a", false)]
#[case("a b", false)]
#[case("a\"", false)]
#[case("a'", false)]
#[case("a\\", false)]
fn what_can_be_the_value_of_a_label(#[case] text: &str, #[case] can: bool) {
    assert_eq!(is_label_value(text), can);
    assert!(!is_label_value(&"a".repeat(64)));
}
