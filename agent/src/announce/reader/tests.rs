use super::*;
use crate::admin::sample;
use crate::announce::fake::{Server, refusal};
use crate::announce::{Facts, status};
use http::StatusCode;
use starform_verify::evidence::Phase;
use std::time::Duration;

fn sample_status() -> ShuttleStatus {
    let view = sample::view(Phase::Active, "healthy");
    status(Facts {
        names: view.names.as_ref(),
        identity: &view.identity,
        uid: None,
        snapshot: &view.snapshot,
        verification: view.verification.as_deref(),
        written: view.now,
    })
}

fn config_map(data: &serde_json::Value) -> serde_json::Value {
    let metadata =
        serde_json::json!({"name": "shuttle-status", "namespace": "starform-system", "resourceVersion": "7"});
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
}

fn list(items: &[serde_json::Value]) -> (StatusCode, serde_json::Value) {
    let metadata = serde_json::json!({"resourceVersion": "7"});
    let body = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items});
    (StatusCode::OK, body)
}

fn parsed(data: &serde_json::Value) -> Result<ShuttleStatus, String> {
    parse(&serde_json::from_value(config_map(data)).unwrap())
}

#[test]
fn what_the_publisher_writes_is_read() {
    let status = sample_status();
    let json = serde_json::to_string(&status).unwrap();
    assert_eq!(parsed(&serde_json::json!({"status.json": json})), Ok(status));
}

#[test]
fn what_cannot_be_read_says_why() {
    assert_eq!(
        parsed(&serde_json::json!({"other": ""})),
        Err("it has no key status.json".to_owned())
    );
    let error = parsed(&serde_json::json!({"status.json": "{"})).unwrap_err();
    assert!(error.starts_with("status.json: "), "{error}");
    let mut later = sample_status();
    later.api_version = "shuttle.starform.io/v2".to_owned();
    let json = serde_json::to_string(&later).unwrap();
    let error = parsed(&serde_json::json!({"status.json": json})).unwrap_err();
    assert!(error.contains("shuttle.starform.io/v2"), "{error}");
}

/// What is published after each answer to the list; the watch that follows is refused, so that it lists again.
async fn published(
    first: Option<ShuttleStatus>,
    answers: Vec<(StatusCode, serde_json::Value)>,
) -> Option<ShuttleStatus> {
    let server = Server::answering(answers);
    let (sender, receiver) = watch::channel(first);
    let stop = CancellationToken::new();
    let reading = tokio::spawn({
        let (client, stop) = (server.client(), stop.clone());
        async move { read(client, "starform-system", sender, stop).await }
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let request = server.requests().into_iter().next().unwrap();
    assert_eq!(request.path, "/api/v1/namespaces/starform-system/configmaps");
    assert!(
        request.query.contains("metadata.name%3Dshuttle-status"),
        "{}",
        request.query
    );
    stop.cancel();
    reading.await.unwrap();
    receiver.borrow().clone()
}

fn gone() -> (StatusCode, serde_json::Value) {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
}

#[tokio::test(start_paused = true)]
async fn it_publishes_what_it_sees_and_keeps_it_while_the_api_server_is_away() {
    let status = sample_status();
    let json = serde_json::to_string(&status).unwrap();
    let seen = list(&[config_map(&serde_json::json!({"status.json": json}))]);
    assert_eq!(published(None, vec![seen, gone()]).await, Some(status));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_or_cannot_be_read_is_none() {
    let first = Some(sample_status());
    assert_eq!(published(first.clone(), vec![list(&[]), gone()]).await, None);
    let broken = list(&[config_map(&serde_json::json!({"status.json": "{"}))]);
    assert_eq!(published(first.clone(), vec![broken, gone()]).await, None);
    // Where nothing was seen at all, what was known stands.
    assert_eq!(published(first.clone(), vec![gone()]).await, first);
}
