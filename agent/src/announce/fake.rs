//! An API server of canned answers, for tests under paused time.

use http::{Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// One that answers every request with the next of its answers, and for ever with the last; without any it is silent.
#[derive(Clone)]
pub(super) struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: serde_json::Value,
}

/// Status and body.
pub(super) type Answer = (StatusCode, serde_json::Value);

/// A `Status` that says no.
pub(super) fn refusal(status: StatusCode, reason: &str) -> Answer {
    let body = serde_json::json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "refused", "reason": reason,
        "code": status.as_u16(),
    });
    (status, body)
}

// === impl Server ===

impl Server {
    pub(super) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            requests: Arc::default(),
        }
    }

    pub(super) fn silent() -> Self {
        Self::answering([])
    }

    /// From now on.
    pub(super) fn answers_now(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.answers.lock().unwrap() = answers.into_iter().collect();
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        kube::Client::new(service, "starform-system")
    }

    async fn answer(&self, request: http::Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        self.requests.lock().unwrap().push(Request {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        });
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            match answers.len() {
                0 | 1 => answers.front().cloned(),
                _ => answers.pop_front(),
            }
        };
        let Some((status, body)) = answer else {
            return std::future::pending().await;
        };
        let mut response = Response::new(Body::from(body.to_string().into_bytes()));
        *response.status_mut() = status;
        response
    }
}
