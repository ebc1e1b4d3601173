//! The registrar over a transport that answers as it is told: what is asked, and what is believed. Against a real server
//! it is tested by `tests/tests/starbase.rs`.

use http::{Method, Request, Response};
use rstest::rstest;
use serde_json::{Value, json};
use shuttle::lifecycle::{Granted, Phase, SetbackKind};
use shuttle::parameters::{ClusterId, Parameters, Region, Token};
use shuttle::registrar::{About, HttpRegistrar, Registrar, Told, Transport, TransportError};
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

const TOKEN: &str = "starbase_0123456789abcdef";
const UID: &str = "3f0c9a5e-7d0e-4f3c-9a53-0c6f0c1c7a11";

/// Status, headers, body.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// Answers everything alike, and keeps what it was asked.
#[derive(Clone)]
struct Scripted {
    answer: Result<Answer, String>,
    asked: Arc<Mutex<Vec<Request<Vec<u8>>>>>,
}

impl Scripted {
    fn answer(status: u16, media: &str, body: impl Display) -> Self {
        Self {
            answer: Ok((status, vec![("content-type", media.to_owned())], format!("{body}"))),
            asked: Arc::default(),
        }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::answer(status, "application/json", body)
    }

    fn problem(status: u16, further: &Value) -> Self {
        let mut body =
            json!({ "type": "https://starform.io/problems/x", "title": "X", "status": status, "detail": "so it is" });
        for (key, value) in further.as_object().unwrap() {
            body[key] = value.clone();
        }
        Self::answer(status, "application/problem+json", body)
    }

    fn unreachable(message: &str) -> Self {
        Self {
            answer: Err(message.to_owned()),
            asked: Arc::default(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.answer.as_mut().unwrap().1.push((name, value.to_owned()));
        self
    }
}

impl Transport for Scripted {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        self.asked.lock().unwrap().push(request);
        let (status, headers, body) = self.answer.clone().map_err(|message| TransportError { message })?;
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(body.into_bytes()).unwrap())
    }
}

fn parameters(token: &str) -> Arc<Parameters> {
    Arc::new(Parameters {
        cluster_id: ClusterId::new("fra1-blue").unwrap(),
        region: Region::new("fra1").unwrap(),
        token: Token::new(token).unwrap(),
    })
}

fn registrar(transport: Scripted) -> (HttpRegistrar<Scripted>, watch::Sender<Arc<Parameters>>) {
    let (sender, receiver) = watch::channel(parameters(TOKEN));
    let about = About {
        instance: "shuttle-0".to_owned(),
        contract: "sha256:0".to_owned(),
    };
    let address = "https://starbase.example".parse().unwrap();
    (HttpRegistrar::new(transport, address, receiver, about), sender)
}

fn told() -> Told {
    Told {
        uid: UID.to_owned(),
        phase: Phase::Registering,
        reason: "every gating check passes".to_owned(),
        report: None,
    }
}

fn granted() -> Value {
    json!({
        "clusterId": "fra1-blue", "uid": UID, "state": "active", "generation": 7,
        "heartbeatIntervalSeconds": 30, "graceSeconds": 90,
    })
}

#[tokio::test]
async fn a_registration_is_asked_for_as_the_document_says() {
    let transport = Scripted::json(201, &granted());
    let (registrar, _parameters) = registrar(transport.clone());
    let found = registrar.register(&told()).await.unwrap();
    assert_eq!(
        found,
        Granted {
            generation: 7,
            interval: Duration::from_secs(30)
        }
    );
    let asked = transport.asked.lock().unwrap();
    let request = asked.first().unwrap();
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(request.uri(), "/v1/clusters/fra1-blue/registration");
    assert_eq!(request.headers()["authorization"], format!("Bearer {TOKEN}"));
    assert!(request.headers()["authorization"].is_sensitive());
    assert!(!format!("{request:?}").contains(TOKEN));
    assert!(
        !request.headers().contains_key("if-match"),
        "a registration fences, it is not fenced"
    );
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["uid"], UID);
    assert_eq!(body["region"], "fra1");
    assert_eq!(
        body["agent"],
        json!({ "version": env!("CARGO_PKG_VERSION"), "instance": "shuttle-0" })
    );
    assert_eq!(body["phase"], "registering");
    assert_eq!(body["report"], Value::Null);
}

#[tokio::test]
async fn a_heartbeat_carries_the_generation_and_the_interval_is_taken_over() {
    let transport = Scripted::json(200, &json!({ "generation": 7, "heartbeatIntervalSeconds": 12 }));
    let (registrar, _parameters) = registrar(transport.clone());
    assert_eq!(registrar.heartbeat(7, &told()).await.unwrap(), Duration::from_secs(12));
    let asked = transport.asked.lock().unwrap();
    assert_eq!(asked[0].uri(), "/v1/clusters/fra1-blue/heartbeat");
    assert_eq!(asked[0].headers()["if-match"], "\"7\"");
}

#[tokio::test]
async fn a_changed_token_goes_out_with_the_next_request() {
    let transport = Scripted::json(200, &granted());
    let (registrar, sender) = registrar(transport.clone());
    registrar.register(&told()).await.unwrap();
    sender.send_replace(parameters("starbase_second"));
    registrar.register(&told()).await.unwrap();
    let asked = transport.asked.lock().unwrap();
    let tokens: Vec<_> = asked
        .iter()
        .map(|request| &request.headers()["authorization"])
        .collect();
    assert_eq!(tokens, [&format!("Bearer {TOKEN}"), "Bearer starbase_second"]);
}

#[rstest]
#[case::unknown_token(401, SetbackKind::Rejected, "put it into the Secret `shuttle`")]
#[case::foreign_token(403, SetbackKind::Rejected, "have to belong together")]
#[case::taken(409, SetbackKind::Rejected, "`shuttle deregister` there")]
#[case::wants_more(422, SetbackKind::VerifyAgain, "verified again")]
#[case::unregistered(404, SetbackKind::Unregistered, "registered again")]
#[case::ended(410, SetbackKind::Unregistered, "registered again")]
#[case::superseded(412, SetbackKind::Superseded, "steps down")]
#[case::malformed(400, SetbackKind::Later { after: None }, "may not fit together")]
#[case::too_large(413, SetbackKind::Later { after: None }, "may not fit together")]
#[case::too_many(429, SetbackKind::Later { after: None }, "asks for patience")]
#[case::failed(500, SetbackKind::Later { after: None }, "Starbase failed")]
#[case::unavailable(503, SetbackKind::Later { after: None }, "asks for patience")]
#[case::unheard_of(418, SetbackKind::Later { after: None }, "may not fit together")]
#[tokio::test]
async fn every_status_means_what_the_document_says(
    #[case] status: u16,
    #[case] kind: SetbackKind,
    #[case] advice: &str,
) {
    let (registrar, _parameters) = registrar(Scripted::problem(status, &json!({})));
    let setback = registrar.heartbeat(7, &told()).await.unwrap_err();
    assert_eq!(setback.kind, kind, "{}", setback.message);
    for words in [
        "https://starbase.example/v1/clusters/fra1-blue/heartbeat",
        "so it is",
        advice,
        &status.to_string(),
    ] {
        assert!(
            setback.message.contains(words),
            "`{words}` is not in: {}",
            setback.message
        );
    }
}

#[tokio::test]
async fn a_conflict_names_the_other_cluster_and_a_superseded_agent_the_standing_generation() {
    let (taken, _parameters) = registrar(Scripted::problem(409, &json!({ "registeredUid": "other-uid" })));
    let setback = taken.register(&told()).await.unwrap_err();
    assert!(setback.message.contains("UID other-uid"), "{}", setback.message);
    let (stale, _parameters) = registrar(Scripted::problem(412, &json!({ "generation": 9 })));
    let setback = stale.heartbeat(7, &told()).await.unwrap_err();
    assert!(setback.message.contains("generation 9"), "{}", setback.message);
}

#[rstest]
#[case::not_found(404)]
#[case::gone(410)]
#[case::precondition(412)]
#[tokio::test]
async fn a_registration_is_not_told_of_a_generation_it_never_had(#[case] status: u16) {
    let (registrar, _parameters) = registrar(Scripted::problem(status, &json!({})));
    let setback = registrar.register(&told()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Later { after: None }, "{}", setback.message);
}

#[rstest]
#[case::a_page(Scripted::answer(200, "text/html", "<html>"), "content type is `text/html`")]
#[case::no_media_type(Scripted::answer(200, "", granted()), "not given")]
#[case::no_json(Scripted::answer(200, "application/json", "<html>"), "JSON is not the API's")]
#[case::empty(Scripted::answer(200, "application/json", ""), "JSON is not the API's")]
#[case::another_object(Scripted::json(200, &json!({ "ok": true })), "missing field `clusterId`")]
#[case::no_generation(Scripted::json(200, &without("generation")), "missing field `generation`")]
#[case::generation_zero(Scripted::json(200, &changed("generation", json!(0))), "generation is 0")]
#[case::negative_generation(Scripted::json(200, &changed("generation", json!(-1))), "JSON is not the API's")]
#[case::another_cluster(Scripted::json(200, &changed("clusterId", json!("ams3-red"))), "about cluster ID `ams3-red`")]
#[case::another_uid(Scripted::json(200, &changed("uid", json!("other"))), "registers UID other")]
#[case::lost(Scripted::json(200, &changed("state", json!("lost"))), "as lost")]
#[case::unknown_state(Scripted::json(200, &changed("state", json!("fine"))), "unknown variant `fine`")]
#[case::no_interval(Scripted::json(200, &changed("heartbeatIntervalSeconds", json!(0))), "every 0 s")]
#[case::an_endless_interval(Scripted::json(200, &changed("heartbeatIntervalSeconds", json!(86_400))), "every 86400 s")]
#[case::accepted(Scripted::json(202, &granted()), "no such success")]
#[case::redirect(Scripted::answer(302, "text/html", "").with("location", "https://portal.example/login"), "redirects to https://portal.example/login")]
#[case::a_portal_s_401(Scripted::answer(401, "text/html", "<html>"), "content type is `text/html`")]
#[case::a_firewall_s_403(Scripted::answer(403, "text/html", "<html>"), "content type is `text/html`")]
#[case::an_ingress_s_404(
    Scripted::answer(404, "text/plain", "default backend - 404"),
    "content type is `text/plain`"
)]
#[case::a_problem_that_is_none(Scripted::answer(409, "application/problem+json", "{}"), "problem document is none")]
#[case::a_problem_of_another_status(Scripted::answer(409, "application/problem+json", json!({"type": "x", "title": "x", "status": 200})), "speaks of status 200")]
#[tokio::test]
async fn an_answer_that_is_not_starbase_s_is_an_error_and_nothing_more(
    #[case] transport: Scripted,
    #[case] words: &str,
) {
    let (registrar, _parameters) = registrar(transport);
    let setback = registrar.register(&told()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Later { after: None }, "{}", setback.message);
    assert!(setback.message.contains("is not Starbase's"), "{}", setback.message);
    assert!(setback.message.contains(words), "{}", setback.message);
}

#[rstest]
#[case::another_generation(&json!({ "generation": 8, "heartbeatIntervalSeconds": 30 }), "generation 8, not 7")]
#[case::no_interval(&json!({ "generation": 7 }), "missing field `heartbeatIntervalSeconds`")]
#[tokio::test]
async fn a_heartbeat_s_answer_is_about_the_own_generation(#[case] body: &Value, #[case] words: &str) {
    let (registrar, _parameters) = registrar(Scripted::json(200, body));
    let setback = registrar.heartbeat(7, &told()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Later { after: None });
    assert!(setback.message.contains(words), "{}", setback.message);
}

#[rstest]
#[case(429, "120", Some(120))]
#[case(503, "5", Some(5))]
#[case(500, "9", Some(9))]
#[case(429, "Sun, 22 Nov 2026 12:01:30 GMT", Some(90))]
#[case(503, "86400", Some(3_600))]
#[case(503, "in a while", None)]
#[tokio::test]
async fn starbase_s_patience_is_obeyed_within_an_hour(
    #[case] status: u16,
    #[case] header: &str,
    #[case] seconds: Option<u64>,
) {
    let transport = Scripted::problem(status, &json!({}))
        .with("date", "Sun, 22 Nov 2026 12:00:00 GMT")
        .with("retry-after", header);
    let (registrar, _parameters) = registrar(transport);
    let setback = registrar.register(&told()).await.unwrap_err();
    let after = seconds.map(Duration::from_secs);
    assert_eq!(setback.kind, SetbackKind::Later { after });
}

#[tokio::test]
async fn whoever_repeats_the_token_does_not_get_it_into_a_message() {
    let detail = json!({ "detail": format!("token {TOKEN} is\n unknown\u{7}") });
    let (refused, _parameters) = registrar(Scripted::problem(401, &detail));
    let message = refused.register(&told()).await.unwrap_err().message;
    assert!(message.contains("token (the token) is unknown;"), "{message}");

    let (echoed, _parameters) = registrar(Scripted::json(200, &changed("state", json!(TOKEN))));
    let message = echoed.register(&told()).await.unwrap_err().message;
    assert!(!message.contains(TOKEN), "{message}");

    let (located, _parameters) = registrar(Scripted::answer(302, "", "").with("location", &format!("/?{TOKEN}")));
    let message = located.register(&told()).await.unwrap_err().message;
    assert!(!message.contains(TOKEN), "{message}");

    let (unreachable, _parameters) = registrar(Scripted::unreachable(&format!("no route for {TOKEN}")));
    let setback = unreachable.register(&told()).await.unwrap_err();
    assert!(!setback.message.contains(TOKEN), "{}", setback.message);
    assert!(setback.message.contains("no route for"), "{}", setback.message);
    assert_eq!(setback.kind, SetbackKind::Later { after: None });
}

#[tokio::test]
async fn a_long_detail_is_cut() {
    let detail = json!({ "detail": "ä".repeat(100_000) });
    let (registrar, _parameters) = registrar(Scripted::problem(422, &detail));
    let message = registrar.register(&told()).await.unwrap_err().message;
    assert!(message.len() < 1_000, "{} bytes", message.len());
}

fn changed(field: &str, value: Value) -> Value {
    let mut body = granted();
    body[field] = value;
    body
}

fn without(field: &str) -> Value {
    let mut body = granted();
    body.as_object_mut().unwrap().remove(field);
    body
}
