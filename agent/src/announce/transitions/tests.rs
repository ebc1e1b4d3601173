use super::*;
use crate::admin::sample;
use crate::announce::fake::{Server, refusal};
use http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

fn metrics() -> (Metrics, Registry) {
    let metrics = Metrics::default();
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    (metrics, registry)
}

fn scrape(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

/// So many transitions, there and back.
fn transitions(count: usize) -> impl Iterator<Item = Transition> {
    let start: jiff::Timestamp = "2026-11-22T17:00:00Z".parse().unwrap();
    (0..count).map(move |number| {
        let pair = [Phase::Active, Phase::Degraded];
        Transition {
            from: pair[number % 2],
            to: pair[(number + 1) % 2],
            reason: format!("the {number}th"),
            at: start + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap()),
        }
    })
}

fn created() -> (StatusCode, serde_json::Value) {
    let event = serde_json::json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "event"}});
    (StatusCode::CREATED, event)
}

#[tokio::test(start_paused = true)]
async fn each_is_one_event_and_one_count() {
    let server = Server::answering([created()]);
    let (metrics, registry) = metrics();
    let events = Some(Events::new(server.client(), sample::identity()));
    let (sender, receiver) = mpsc::channel(4);
    let announcing = tokio::spawn(announce(receiver, Announcements { metrics, events }));
    for transition in transitions(5) {
        sender.send(transition).await.unwrap();
    }
    drop(sender);
    announcing.await.unwrap();
    let notes: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.body["note"].clone())
        .collect();
    assert_eq!(notes.len(), 5);
    assert_eq!(notes[4], "active to degraded: the 4th");
    let names: std::collections::BTreeSet<_> = server
        .requests()
        .iter()
        .map(|request| request.body["metadata"]["name"].to_string())
        .collect();
    assert_eq!(names.len(), 5);
    let text = scrape(&registry);
    assert!(
        text.contains("shuttle_transitions_total{from=\"active\",to=\"degraded\"} 3"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_silent_holds_nobody_up() {
    let server = Server::silent();
    let (metrics, registry) = metrics();
    let events = Some(Events::new(server.client(), sample::identity()));
    let (sender, receiver) = mpsc::channel(1);
    let announcing = tokio::spawn(announce(receiver, Announcements { metrics, events }));
    let before = Instant::now();
    for transition in transitions(200) {
        sender.send(transition).await.unwrap();
    }
    assert!(before.elapsed() < Duration::from_millis(10), "{:?}", before.elapsed());
    drop(sender);
    announcing.await.unwrap();
    assert!(before.elapsed() <= LAST_WITHIN, "{:?}", before.elapsed());
    let text = scrape(&registry);
    // Counted all the same; the Events that found no room are told.
    assert!(
        text.contains("shuttle_transitions_total{from=\"active\",to=\"degraded\"} 100"),
        "{text}"
    );
    assert!(
        text.contains("shuttle_announcements_failed_total{kind=\"event\"} 16"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_refused_does_not_keep_the_next_from_being_told() {
    let server = Server::answering([refusal(StatusCode::FORBIDDEN, "Forbidden"), created()]);
    let (metrics, registry) = metrics();
    let events = Some(Events::new(server.client(), sample::identity()));
    let (sender, receiver) = mpsc::channel(4);
    let announcing = tokio::spawn(announce(receiver, Announcements { metrics, events }));
    for transition in transitions(2) {
        sender.send(transition).await.unwrap();
    }
    drop(sender);
    announcing.await.unwrap();
    assert_eq!(server.requests().len(), 2);
    assert!(scrape(&registry).contains("shuttle_announcements_failed_total{kind=\"event\"} 1"));
}
