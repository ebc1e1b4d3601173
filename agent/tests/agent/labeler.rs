//! The labeler under paused time, over an API server that refuses in ways that a real one will not on demand. What it writes
//! to a real one is tested on the testbed.

use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use shuttle::identity::Identity;
use shuttle::labeler::{self, Inbox, Metrics, Settings};
use shuttle::liveness::Liveness;
use shuttle::parameters::{ClusterId, Parameters, Region, Token};
use starform_verify::contract::Contract;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// An answer of the API server.
type Served = Response<UnsyncBoxBody<Bytes, std::io::Error>>;
type Answer = fn(Duration, u32) -> (u16, Option<u64>);

/// One managed namespace with some pods; a pod is labelled for good when it was patched.
#[derive(Clone)]
struct ApiServer {
    state: Arc<Mutex<State>>,
    /// What the patches are answered, by the time since the start and how often that pod was tried.
    answer: Answer,
}

struct State {
    start: Instant,
    pods: BTreeMap<String, Value>,
    /// When each patch came, of which pod.
    patches: Vec<(Duration, String)>,
    lists: usize,
    under_way: usize,
    most_under_way: usize,
}

// === impl ApiServer ===

impl ApiServer {
    fn new(pods: usize, answer: Answer) -> Self {
        let pod = |number: usize| {
            let name = format!("p{number:05}");
            let metadata = json!({ "namespace": "shop", "name": name, "uid": name, "resourceVersion": "1" });
            (name, metadata)
        };
        let state = State {
            start: Instant::now(),
            pods: (0..pods).map(pod).collect(),
            patches: Vec::new(),
            lists: 0,
            under_way: 0,
            most_under_way: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            answer,
        }
    }

    async fn serve(&self, request: Request<Body>) -> Result<Served, std::io::Error> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        match (&head.method, head.uri.path()) {
            (&Method::GET, _) if query.contains("watch=true") => Ok(silence()),
            (&Method::GET, "/api/v1/namespaces") => {
                let labels = json!({ "starform.io/managed": "true", "starform.io/project": "p" });
                Ok(list(
                    "NamespaceList",
                    &[json!({ "name": "shop", "labels": labels })],
                    "",
                ))
            }
            (&Method::GET, "/api/v1/pods") => Ok(self.page(query)),
            (&Method::PATCH, path) => {
                let body = body.collect().await.unwrap().to_bytes();
                Ok(self.patch(path, serde_json::from_slice(&body).unwrap()).await)
            }
            (&Method::POST, path) if path.ends_with("/events") => Ok(object(201, &json!({}))),
            other => panic!("a request that no labeler should send: {other:?}"),
        }
    }

    fn page(&self, query: &str) -> Served {
        let mut state = self.state.lock().unwrap();
        state.lists += 1;
        let token = query.split('&').find_map(|pair| pair.strip_prefix("continue="));
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let listed: Vec<_> = state.pods.values().skip(from).take(250).cloned().collect();
        let next = from + listed.len();
        let token = if next < state.pods.len() {
            next.to_string()
        } else {
            String::new()
        };
        list("PodList", &listed, &token)
    }

    async fn patch(&self, path: &str, wanted: Value) -> Served {
        let name = path.rsplit('/').next().unwrap().to_owned();
        assert_eq!(wanted["metadata"]["uid"], name, "a patch is bound to its pod");
        let (since, tries) = {
            let mut state = self.state.lock().unwrap();
            let since = state.start.elapsed();
            state.patches.push((since, name.clone()));
            state.under_way += 1;
            state.most_under_way = state.most_under_way.max(state.under_way);
            (since, state.patches.iter().filter(|(_, of)| *of == name).count())
        };
        sleep(Duration::from_millis(100)).await;
        let (status, retry_after) = (self.answer)(since, u32::try_from(tries).unwrap());
        let mut state = self.state.lock().unwrap();
        state.under_way -= 1;
        if status == 200 {
            state.pods.get_mut(&name).unwrap()["labels"] = wanted["metadata"]["labels"].clone();
            return object(200, &json!({}));
        }
        let said = json!({ "kind": "Status", "status": "Failure", "code": status, "message": "no" });
        let mut response = object(status, &said);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }

    fn labelled(&self) -> usize {
        let state = self.state.lock().unwrap();
        let wanted =
            json!({ "starform.io/cluster-id": "c1", "starform.io/region": "nyc3", "starform.io/project": "p" });
        state.pods.values().filter(|pod| pod["labels"] == wanted).count()
    }

    fn patches(&self) -> Vec<Duration> {
        self.state.lock().unwrap().patches.iter().map(|(at, _)| *at).collect()
    }
}

fn object(status: u16, object: &Value) -> Served {
    let body = Full::new(Bytes::from(object.to_string()))
        .map_err(|never| match never {})
        .boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}

fn list(kind: &str, metadata: &[Value], token: &str) -> Served {
    let items: Vec<_> = metadata
        .iter()
        .map(|metadata| json!({ "metadata": metadata }))
        .collect();
    let metadata = json!({ "resourceVersion": "1", "continue": token });
    object(
        200,
        &json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata, "items": items }),
    )
}

/// A watch in which nothing happens.
fn silence() -> Served {
    let nothing = futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
    Response::new(StreamBody::new(nothing).boxed_unsync())
}

/// Labels for so long; the metrics.
async fn label(server: &ApiServer, leads: bool, settings: Settings, seconds: u64) -> String {
    let service = {
        let server = server.clone();
        tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        })
    };
    let identity = Identity {
        namespace: "starform-system".to_owned(),
        pod: "shuttle-0".to_owned(),
        uid: "u".to_owned(),
        node: "node-1".to_owned(),
    };
    let parameters = Parameters {
        cluster_id: ClusterId::new("c1").unwrap(),
        region: Region::new("nyc3").unwrap(),
        token: Token::new("t").unwrap(),
    };
    let (_parameters, parameters) = watch::channel(Arc::new(parameters));
    let (_leading, leading) = watch::channel(leads);
    let (metrics, stop, liveness) = (Metrics::default(), CancellationToken::new(), Liveness::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let inbox = Inbox {
        parameters,
        leading,
        stop: stop.clone(),
    };
    let pulse = liveness.watch("labeler", Duration::from_secs(30));
    let client = kube::Client::new(service, "starform-system");
    let task = tokio::spawn(async move {
        let contract = Contract::embedded().unwrap();
        labeler::run(client, &identity, &contract, inbox, settings, metrics, pulse).await;
    });
    sleep(Duration::from_secs(seconds)).await;
    assert!(liveness.stuck().is_empty(), "{:?}", liveness.stuck());
    stop.cancel();
    task.await.unwrap();
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_thousand_pods_take_less_than_a_minute_four_at_a_time_and_at_the_pace() {
    let server = ApiServer::new(1_000, |_, _| (200, None));
    label(&server, true, Settings::default(), 60).await;
    assert_eq!(server.labelled(), 1_000);
    let patches = server.patches();
    assert_eq!(patches.len(), 1_000);
    assert_eq!(server.state.lock().unwrap().most_under_way, 4);
    for window in patches.windows(51) {
        assert!(
            window[50].saturating_sub(window[0]) >= Duration::from_secs(1),
            "more than 50 in a second"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_too_small_loses_no_pod() {
    let server = ApiServer::new(1_000, |_, _| (200, None));
    let settings = Settings {
        queue: 16,
        writes_per_second: 1_000,
        ..Settings::default()
    };
    label(&server, true, settings, 400).await;
    assert_eq!(server.labelled(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_and_costs_no_pod_an_attempt() {
    // For three minutes the server has no capacity, and says for how long it wants none of it.
    let server = ApiServer::new(20, |since, _| match since.as_secs() {
        0..180 => (429, Some(20)),
        _ => (200, None),
    });
    let metrics = label(&server, true, Settings::default(), 300).await;
    assert_eq!(server.labelled(), 20, "{metrics}");
    let mut last = Duration::ZERO;
    for at in server.patches() {
        let pause = at.saturating_sub(last);
        // Those that were under way together, or a whole pause later; when it serves again, as fast as the pace.
        assert!(
            pause <= Duration::from_millis(100) || pause >= Duration::from_secs(20),
            "{pause:?} at {at:?}"
        );
        last = at;
    }
    assert!(server.patches().iter().filter(|at| at.as_secs() < 180).count() <= 4 * 9);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_asked_ever_less_and_served_when_it_is_back() {
    let server = ApiServer::new(20, |since, _| (if since.as_secs() < 300 { 503 } else { 200 }, None));
    label(&server, true, Settings::default(), 400).await;
    assert_eq!(server.labelled(), 20);
    let in_vain = server.patches().iter().filter(|at| at.as_secs() < 300).count();
    assert!((20..=140).contains(&in_vain), "{in_vain}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_write_is_refused_is_given_up_after_five_tries() {
    let server = ApiServer::new(1, |_, _| (403, None));
    let metrics = label(&server, true, Settings::default(), 300).await;
    assert_eq!(server.patches().len(), 5);
    assert!(
        metrics.contains("shuttle_labels_applied_total{outcome=\"given_up\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("shuttle_labels_pending 0"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_is_dropped() {
    let server = ApiServer::new(1, |_, _| (404, None));
    let metrics = label(&server, true, Settings::default(), 300).await;
    assert_eq!(server.patches().len(), 1);
    assert!(
        metrics.contains("shuttle_labels_applied_total{outcome=\"gone\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_asks_nothing() {
    let server = ApiServer::new(1, |_, _| (200, None));
    label(&server, false, Settings::default(), 60).await;
    let state = server.state.lock().unwrap();
    assert_eq!((state.lists, state.patches.len()), (0, 0));
}
