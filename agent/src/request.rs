//! One request to the API server: with a deadline and a bound on the answer, and with `Retry-After`, which kube's own
//! methods drop.

use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;

/// The largest answer that is read: a page of 500 pods' metadata has a megabyte or two.
const BOUND: usize = 32 << 20;
/// The longest text of an answer that goes into a message.
const TEXT: usize = 400;

/// Why a request had no success.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// `PATCH /api/v1/namespaces/shop/pods/storefront-0`.
    pub(crate) request: String,
    /// What was answered; `None` where nothing was, or nothing that could be read.
    pub(crate) status: Option<StatusCode>,
    /// Kubernetes' `Status`, where the answer was one.
    pub(crate) said: Option<Box<Status>>,
    /// `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// In words, where there is no `Status`.
    message: String,
}

/// Sends a request and reads its answer, in `timeout` at most for both together.
///
/// # Errors
///
/// Whatever is not an answer of status 2xx with an object of that type.
pub(crate) async fn send<T: DeserializeOwned>(
    client: &kube::Client,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    timeout: Duration,
) -> Result<T, Refusal> {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            return Err(Refusal::new(
                "a request".to_owned(),
                None,
                format!("it cannot be built: {error}"),
            ));
        }
    };
    let name = format!("{} {}", request.method(), request.uri().path());
    match tokio::time::timeout(timeout, answer(client, request, &name)).await {
        Ok(answer) => answer,
        Err(_) => Err(Refusal::new(name, None, format!("no answer in {timeout:?}"))),
    }
}

async fn answer<T: DeserializeOwned>(
    client: &kube::Client,
    request: http::Request<Vec<u8>>,
    name: &str,
) -> Result<T, Refusal> {
    let refusal = |status, message| Refusal::new(name.to_owned(), status, message);
    let response = client
        .send(request.map(Body::from))
        .await
        .map_err(|error| refusal(None, error.to_string()))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, BOUND).collect().await;
    let body = body.map_err(|error| refusal(None, format!("its answer broke off: {error}")))?;
    let body = body.to_bytes();
    if head.status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|error| refusal(None, format!("the answer is not what it should be: {error}")));
    }
    let said = serde_json::from_slice::<Status>(&body).ok().filter(Status::is_failure);
    let message = String::from_utf8_lossy(&body).chars().take(TEXT).collect();
    Err(Refusal {
        retry_after: retry_after(&head.headers, said.as_ref()),
        said: said.map(Status::boxed),
        ..refusal(Some(head.status), message)
    })
}

/// The API server says it in the header; its `Status` may say it too. A date (which the API server never sends) is not
/// understood.
fn retry_after(headers: &HeaderMap, said: Option<&Status>) -> Option<Duration> {
    let header = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let details = said.and_then(|said| said.details.as_ref());
    let seconds = header.or_else(|| details.map(|details| u64::from(details.retry_after_seconds)))?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

// === impl Refusal ===

impl Refusal {
    fn new(request: String, status: Option<StatusCode>, message: String) -> Self {
        Self {
            request,
            status,
            said: None,
            retry_after: None,
            message,
        }
    }

    /// Whether the answer has that status.
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// Whether the server, or the way to it, is at fault, and not the request.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.status
            .is_none_or(|status| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS)
    }

    /// The fields that the answer's causes name, where they have that reason.
    pub(crate) fn fields(&self, reason: &str) -> Vec<&str> {
        let details = self.said.as_ref().and_then(|said| said.details.as_ref());
        let causes = details.map(|details| details.causes.iter()).unwrap_or_default();
        causes
            .filter(|cause| cause.reason == reason)
            .map(|cause| cause.field.as_str())
            .collect()
    }

    /// What was answered, in words.
    pub(crate) fn text(&self) -> &str {
        self.said.as_ref().map_or(&self.message, |said| &said.message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.request)?;
        if let Some(status) = self.status {
            write!(f, "{}: ", status.as_u16())?;
        }
        f.write_str(self.text().trim_end())
    }
}
