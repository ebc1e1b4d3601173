//! The document against what really happens: every operation and status, and that the judge can say no.

use std::collections::BTreeSet;

use http::Request;
use serde_json::json;
use shuttle::lifecycle::Phase;
use shuttle::registrar::{HttpRegistrar, Registrar, ReqwestTransport, Told};
use testbed::{Exchange, Fault, FaultKind, RetryAfter};

use super::bed::{Bed, ID, OTHER_UID, UID, active, registering, told, verification};
use super::document::Document;

#[test]
fn every_example_keeps_its_schema() {
    let document = Document::read();
    let examples = document.examples();
    assert!(examples.len() >= 28, "{}", examples.len());
    for (schema, example) in examples {
        document
            .keeps(&schema, &example)
            .unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

/// The document's own cluster and path, with these headers and this body.
fn request(method: &str, resource: &str, token: &str, headers: &[(&str, &str)], body: &str) -> Request<Vec<u8>> {
    let mut builder = Request::builder()
        .method(method)
        .uri(format!("/v1/clusters/{ID}/{resource}"));
    builder = builder.header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.as_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn every_status_of_every_operation_happens_and_keeps_the_document() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    let client = bed.client_with(&token);
    let registrar = &client.registrar;
    let foreign = bed.client_with(&bed.starbase.mint("ams3-red").unwrap());
    let unknown = bed.client_with("starbase_unknown");

    // What a healthy and an unhealthy life brings. 404 first: nothing is registered yet.
    assert!(registrar.status().await.unwrap().is_none());
    registrar.heartbeat(1, &active()).await.unwrap_err();
    registrar.end(1).await.unwrap_err();
    registrar.register(&registering(UID)).await.unwrap();
    registrar.register(&registering(UID)).await.unwrap();
    registrar.heartbeat(2, &active()).await.unwrap();
    registrar.status().await.unwrap();
    registrar.heartbeat(1, &active()).await.unwrap_err();
    registrar.end(1).await.unwrap_err();
    registrar.register(&registering(OTHER_UID)).await.unwrap_err();
    registrar
        .heartbeat(2, &told(OTHER_UID, Phase::Active))
        .await
        .unwrap_err();
    let broken = Told {
        report: Some(verification("allowlist-missing")),
        ..registering(UID)
    };
    registrar.register(&broken).await.unwrap_err();
    for refused in [&foreign, &unknown] {
        refused.registrar.register(&registering(UID)).await.unwrap_err();
        refused.registrar.heartbeat(2, &active()).await.unwrap_err();
        refused.registrar.status().await.unwrap_err();
        refused.registrar.end(2).await.unwrap_err();
    }
    registrar.end(2).await.unwrap();
    registrar.heartbeat(2, &active()).await.unwrap_err();

    with_faults(&bed, registrar).await;

    // All that the agent sends keeps the document, and so does every answer to it.
    bed.validate();
    let sent = bed.starbase.requests().unwrap().len();

    // What the agent never sends, and how it is refused.
    let large = " ".repeat(130 * 1_024);
    let json = ("content-type", "application/json");
    let wrong = [
        (request("PUT", "registration", &token, &[json], "{}"), 400),
        (request("PUT", "registration", &token, &[json], &large), 413),
        (
            request("PUT", "registration", &token, &[("content-type", "text/plain")], "{}"),
            415,
        ),
        (
            request("PUT", "heartbeat", &token, &[json, ("if-match", "\"2\"")], "{}"),
            400,
        ),
        (
            request("PUT", "heartbeat", &token, &[json, ("if-match", "\"2\"")], &large),
            413,
        ),
        (request("PUT", "heartbeat", &token, &[("if-match", "\"2\"")], "{}"), 415),
        (
            request(
                "PUT",
                "heartbeat",
                &token,
                &[json],
                &json!({ "uid": UID, "phase": "active", "reason": "" }).to_string(),
            ),
            428,
        ),
        (request("DELETE", "registration", &token, &[], ""), 428),
        (request("DELETE", "registration", &token, &[("if-match", "*")], ""), 400),
    ];
    let document = Document::read();
    for (request, status) in wrong {
        let shown = format!("{request:?}");
        let response = bed.raw(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{shown}");
        let exchange = bed.starbase.requests().unwrap().pop().unwrap();
        let faults = document.faults_of(&exchange);
        assert!(!faults.is_empty(), "the document refuses it too: {exchange:?}");
        assert!(answer_keeps(&document, &exchange), "{faults:?}");
    }

    let requests = bed.starbase.requests().unwrap();
    assert!(requests.len() > sent);
    let happened: BTreeSet<_> = (requests.iter())
        .filter_map(|exchange| Some((document.operation_id(exchange)?.to_owned(), exchange.status()?)))
        .collect();
    let missing: Vec<_> = document.statuses().difference(&happened).cloned().collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
    let unheard: Vec<_> = happened.difference(&document.statuses()).cloned().collect();
    assert!(unheard.is_empty(), "not in the document: {unheard:?}");
}

/// What only a fault brings.
async fn with_faults(bed: &Bed, registrar: &HttpRegistrar<ReqwestTransport>) {
    for (status, retry_after) in [
        (500, None),
        (503, Some(RetryAfter::Seconds(3))),
        (429, Some(RetryAfter::Date(30))),
        (422, None),
    ] {
        let kind = FaultKind::Status { status, retry_after };
        bed.starbase.fault(&Fault::always(kind)).unwrap();
        registrar.heartbeat(2, &active()).await.unwrap_err();
        if status != 422 {
            registrar.register(&registering(UID)).await.unwrap_err();
            registrar.status().await.unwrap_err();
            registrar.end(2).await.unwrap_err();
        }
        bed.starbase.clear().unwrap();
    }
}

/// Whether the answer alone keeps the document, whatever the request was: a right request in its place.
fn answer_keeps(document: &Document, exchange: &Exchange) -> bool {
    let right = match exchange.path.rsplit('/').next() {
        Some("heartbeat") => json!({ "uid": UID, "phase": "active", "reason": "" }).to_string(),
        _ if exchange.method == "DELETE" => String::new(),
        _ => registration(),
    };
    let repaired = Exchange {
        headers: vec![
            ("authorization".to_owned(), "Bearer (token)".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("if-match".to_owned(), "\"2\"".to_owned()),
        ],
        body: right,
        ..exchange.clone()
    };
    document.faults_of(&repaired).is_empty()
}

fn registration() -> String {
    let body = json!({
        "uid": UID, "region": "fra1", "agent": { "version": "0.1.0", "instance": "shuttle-0" },
        "kubernetes": { "version": null }, "contract": "sha256:0", "phase": "registering", "reason": "", "report": null,
    });
    body.to_string()
}

/// An exchange as it really happened.
async fn registered() -> Exchange {
    let bed = Bed::new();
    bed.client().registrar.register(&registering(UID)).await.unwrap();
    bed.starbase.requests().unwrap().pop().unwrap()
}

#[tokio::test]
async fn the_judge_refuses_what_is_wrong() {
    let document = Document::read();
    let right = registered().await;
    assert_eq!(document.faults_of(&right), Vec::<String>::new());

    let wrong = |change: &dyn Fn(&mut Exchange), words: &str| {
        let mut exchange = right.clone();
        change(&mut exchange);
        let faults = document.faults_of(&exchange).join("; ");
        assert!(faults.contains(words), "`{words}` is not in: {faults}");
    };
    let body = |exchange: &mut Exchange, pointer: &str, value: serde_json::Value| {
        let mut body: serde_json::Value = serde_json::from_str(&exchange.body).unwrap();
        *body.pointer_mut(pointer).unwrap() = value;
        exchange.body = body.to_string();
    };
    wrong(&|exchange| exchange.path.push_str("/further"), "is no operation");
    wrong(
        &|exchange| exchange.path = exchange.path.replace(ID, "-blue"),
        "`clusterId`",
    );
    wrong(&|exchange| exchange.method = "POST".to_owned(), "is no operation");
    wrong(
        &|exchange| exchange.headers.retain(|(name, _)| name != "authorization"),
        "no bearer token",
    );
    wrong(
        &|exchange| exchange.headers.retain(|(name, _)| name != "content-type"),
        "content type ``",
    );
    wrong(&|exchange| body(exchange, "/uid", json!(7)), "is not of type");
    wrong(&|exchange| body(exchange, "/phase", json!("fine")), "/phase");
    wrong(
        &|exchange| body(exchange, "/report/steps/0/checks/0/verdict", json!("good")),
        "/report",
    );
    wrong(
        &|exchange| exchange.body = exchange.body.replacen('{', "{\"further\":1,", 1),
        "further",
    );
    let answer = |exchange: &mut Exchange, from: &str, to: &str| {
        let answer = exchange.answer.as_mut().unwrap();
        assert!(answer.body.contains(from), "{}", answer.body);
        answer.body = answer.body.replace(from, to);
    };
    wrong(
        &|exchange| answer(exchange, "\"generation\":1", "\"generation\":0"),
        "/generation",
    );
    wrong(
        &|exchange| answer(exchange, "\"generation\":1", "\"further\":1"),
        "\"generation\" is a required property",
    );
    wrong(
        &|exchange| exchange.answer.as_mut().unwrap().status = 202,
        "status 202 is not in the document",
    );
    wrong(
        &|exchange| exchange.answer.as_mut().unwrap().status = 409,
        "content type `application/json`",
    );
    wrong(
        &|exchange| {
            exchange
                .answer
                .as_mut()
                .unwrap()
                .headers
                .retain(|(name, _)| name != "etag");
        },
        "`ETag` is missing",
    );
}

#[tokio::test]
async fn the_page_lists_every_cluster_and_loads_nothing() {
    let bed = Bed::new();
    bed.client().registrar.register(&registering(UID)).await.unwrap();
    let response = bed.raw(Request::get("/").body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(response.into_body()).unwrap();
    for words in [
        ID,
        UID,
        "active",
        "fra1",
        "prefers-color-scheme: dark",
        "width=device-width",
    ] {
        assert!(page.contains(words), "`{words}` is not in: {page}");
    }
    for foreign in ["<script", "http://", "https://", "<link", "<img"] {
        assert!(!page.contains(foreign), "`{foreign}` is in: {page}");
    }
}
