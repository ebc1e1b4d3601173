//! What the stores of a region are asked, with what, and what is made of answers that are not what they seem.

use rstest::rstest;
use starform_verify::collect::Targets;
use starform_verify::contract::Contract;
use starform_verify::evidence::{Asked, Evidence, Observed, Reason, Source, Unknown};
use testdata::{Fault, Mock, PASSWORDS, collect, plan};

const JSON: &str = "application/json";

async fn audit(targets: &Targets) -> Evidence {
    collect(targets, &Contract::embedded().unwrap(), &plan()).await
}

fn answered<T>(observed: &Observed<Asked<T>>) -> &T {
    match observed {
        Observed::Seen(Asked::Answered(value)) => value,
        Observed::Seen(Asked::NotAsked) => panic!("it was not asked"),
        Observed::Absent => panic!("it is absent"),
        Observed::Unknown(unknown) => panic!("{unknown}"),
    }
}

fn unknown<T>(observed: &Observed<Asked<T>>) -> &Unknown {
    match observed {
        Observed::Unknown(unknown) => unknown,
        _ => panic!("it was seen"),
    }
}

fn basic(password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("reader:{password}");
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * position)) as usize & 63];
            encoded.push(if position > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    format!("Basic {encoded}")
}

#[tokio::test]
async fn each_store_is_shown_its_own_password_and_nobody_else_any() {
    let mock = Mock::start().await;
    let evidence = audit(&mock.targets()).await;
    let store = answered(&evidence.region.metrics_store);
    assert_eq!(store.asked.cluster.id, "testbed");
    assert_eq!(store.asked.cluster.region.as_deref(), Some("nyc3"));
    let (mut metrics, mut logs) = (0, 0);
    for head in mock.log() {
        let shown = PASSWORDS.map(|password| head.contains(&basic(password)));
        let wanted = [
            head.starts_with("GET /api/v1/query?"),
            head.starts_with("GET /?wait_end_of_query=1&"),
        ];
        assert_eq!(shown, wanted, "{head}");
        metrics += usize::from(wanted[0]);
        logs += usize::from(wanted[1]);
    }
    assert_eq!((metrics, logs), (4, 3));
    let text = serde_json::to_string(&evidence).unwrap();
    assert!(
        PASSWORDS
            .iter()
            .all(|password| !text.contains(password) && !text.contains(&basic(password)))
    );
}

#[tokio::test]
async fn the_stores_are_not_asked_where_nobody_says_so() {
    let mock = Mock::start().await;
    let evidence = audit(&mock.cluster()).await;
    assert_eq!(evidence.region.metrics_store, Observed::Seen(Asked::NotAsked));
    assert_eq!(evidence.region.log_store, Observed::Seen(Asked::NotAsked));
    assert_eq!(evidence.region.log_aggregator, Observed::Seen(Asked::NotAsked));
    assert_eq!(evidence.region.terraform, Observed::Seen(Asked::NotAsked));
    assert!(mock.log().iter().all(|head| !head.contains("query")));
}

#[tokio::test]
async fn a_cluster_that_is_named_is_asked_about_without_any_cluster() {
    let mock = Mock::start().await;
    let stores = mock.stores("cluster: {id: blue, ended: true}\n");
    let targets = Targets {
        stores: Some(stores),
        ..Targets::default()
    };
    let mut plan = plan();
    plan.sources.retain(|source| source.is_of_region());
    // Lines of a cluster that is gone are counted where they are, not in the view of the last hour.
    let lines = testdata::asked("logs: lines").body().to_owned();
    mock.answer("logs: lines", vec![(200, JSON, lines)]);
    let evidence = collect(&targets, &Contract::embedded().unwrap(), &plan).await;
    let asked = &answered(&evidence.region.metrics_store).asked;
    assert_eq!((asked.cluster.id.as_str(), asked.cluster.ended), ("blue", true));
    assert_eq!(
        evidence.timings.keys().copied().collect::<Vec<_>>(),
        [
            Source::MetricsStore,
            Source::LogStore,
            Source::LogAggregator,
            Source::Terraform
        ]
    );
    let log = mock.log();
    assert!(
        log.iter()
            .all(|head| head.starts_with("GET /api/v1/query?") || head.starts_with("GET /?wait"))
    );
    // Thirty days of the store of metrics.
    assert!(
        log.iter()
            .any(|head| head.contains("up%7Bcluster%3D%22blue%22%7D%5B2592000s%5D")),
        "{log:#?}"
    );
}

#[tokio::test]
async fn an_id_that_no_label_can_have_is_put_into_no_query() {
    let mock = Mock::start().await;
    let status = testdata::asked("shuttle's status").body();
    let hostile = status.replace(r#"\"clusterId\": \"testbed\""#, r#"\"clusterId\": \"x' OR 1\""#);
    assert_ne!(status, hostile);
    mock.answer("shuttle's status", vec![(200, JSON, hostile)]);
    let evidence = audit(&mock.targets()).await;
    for unknown in [
        unknown(&evidence.region.metrics_store),
        unknown(&evidence.region.log_store),
    ] {
        assert_eq!(unknown.reason, Reason::Malformed);
        assert!(unknown.message.contains("cannot be the value of a label"), "{unknown}");
    }
    // What is no matter of the cluster is seen all the same.
    assert_eq!(answered(&evidence.region.log_aggregator).up, 1);
}

#[rstest]
#[case::error_with_200(r#"{"status":"error","errorType":"422","error":"hush"}"#, Reason::Malformed)]
#[case::matrix(
    r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
    Reason::Malformed
)]
#[case::partial(
    r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#,
    Reason::Truncated
)]
#[case::not_a_number(
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"fact":"renamed"},"value":[1,"NaN"]}]}}"#,
    Reason::Malformed
)]
#[case::nothing_where_there_is_always_something(
    r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
    Reason::Malformed
)]
#[tokio::test]
async fn an_answer_of_victoriametrics_that_is_no_whole_vector_is_none(#[case] body: &str, #[case] reason: Reason) {
    let mock = Mock::start().await;
    mock.answer("store: series", vec![(200, JSON, body.to_owned())]);
    let evidence = audit(&mock.targets()).await;
    let unknown = unknown(&evidence.region.metrics_store);
    assert_eq!(unknown.reason, reason, "{unknown}");
    assert!(unknown.request.contains("the cluster's series"), "{unknown}");
    assert!(!unknown.message.contains("hush"), "{unknown}");
}

#[rstest]
#[case::ended_by_an_error(
    r#"{"meta":[{"name":"a"}],"data":[],"rows":0,"exception":"Code: 241. DB::Exception: memory"}"#
)]
#[case::fewer_rows_than_said(r#"{"meta":[{"name":"a"}],"data":[],"rows":3}"#)]
#[case::no_columns(r#"{"meta":[],"data":[],"rows":0}"#)]
#[tokio::test]
async fn an_answer_of_clickhouse_that_is_no_whole_result_is_none(#[case] body: &str) {
    let mock = Mock::start().await;
    mock.answer("logs: lines", vec![(200, JSON, body.to_owned())]);
    let evidence = audit(&mock.targets()).await;
    let unknown = unknown(&evidence.region.log_store);
    assert_eq!(unknown.reason, Reason::Malformed, "{unknown}");
    assert!(unknown.request.contains("the cluster's lines"), "{unknown}");
}

#[tokio::test]
async fn tables_that_are_not_there_are_not_asked() {
    let mock = Mock::start().await;
    let columns = testdata::asked("logs: columns").body();
    let without = columns.replace(r#""table":"clusters""#, r#""table":"others""#);
    assert_ne!(columns, without);
    mock.answer("logs: columns", vec![(200, JSON, without)]);
    let evidence = audit(&mock.targets()).await;
    let store = answered(&evidence.region.log_store);
    assert_eq!(store.lines, None);
    assert_eq!(store.dead_letters, Some(Vec::new()));
    assert!(
        !store.tables.contains_key("others"),
        "only what the contract names is evidence"
    );
    assert!(mock.log().iter().all(|head| !head.contains("logs.clusters")));
}

#[tokio::test]
async fn the_words_of_a_door_before_a_store_are_not_repeated() {
    let mock = Mock::start().await;
    for (fault, reason) in [
        (Fault::Plain(401), Reason::Unauthorized),
        (Fault::Plain(403), Reason::Forbidden),
    ] {
        mock.fault("store: jobs", fault);
        mock.fault("logs: columns", fault);
        let evidence = audit(&mock.targets()).await;
        for unknown in [
            unknown(&evidence.region.metrics_store),
            unknown(&evidence.region.log_store),
        ] {
            assert_eq!(unknown.reason, reason);
            assert!(unknown.message.starts_with("the answer is 40"), "{unknown}");
        }
    }
    mock.fault("logs: columns", Fault::Status(500));
    let evidence = audit(&mock.targets()).await;
    let unknown = unknown(&evidence.region.log_store);
    assert!(
        unknown.message.contains("Code: 500. DB::Exception: the mock says 500"),
        "{unknown}"
    );
}
