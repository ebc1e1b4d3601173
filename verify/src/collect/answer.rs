//! An answer whose body is read under a deadline and a bound.

use super::get::Get;
use super::obstacle::{Obstacle, foreign, timed_out, unknown};
use super::status::bounded;
use crate::evidence::{Reason, Unknown};
use http::{HeaderMap, Response, header};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// An answer with status 200 (or the body of a refusal).
#[derive(Debug)]
pub(super) struct Answer {
    get: Get,
    headers: HeaderMap,
    body: Body,
    deadline: Instant,
    timeout: Duration,
    read: u64,
    bound: u64,
}

/// What every object says of itself.
#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Answer {
    pub(super) fn new(get: &Get, response: Response<Body>, deadline: Instant, timeout: Duration, bound: u64) -> Self {
        let (head, body) = response.into_parts();
        Self {
            get: get.clone(),
            headers: head.headers,
            body,
            deadline,
            timeout,
            read: 0,
            bound,
        }
    }

    /// A header as text.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// An obstacle to this answer.
    pub(super) fn unknown(&self, reason: Reason, message: &str) -> Unknown {
        unknown(&self.get, reason, message)
    }

    /// Whether it is of that media type.
    pub(super) fn is_of(&self, media_type: &str) -> bool {
        self.media_type().eq_ignore_ascii_case(media_type)
    }

    /// Gives the rest of the body the whole time again.
    pub(super) fn begin_again(&mut self) {
        self.deadline = Instant::now() + self.timeout;
    }

    /// That it is Kubernetes' JSON: a portal's page or a proxy's text is not.
    pub(super) fn json(self) -> Result<Self, Obstacle> {
        if self.is_of("application/json") {
            return Ok(self);
        }
        let message = match self.media_type() {
            "" => "it has no content type".to_owned(),
            other => bounded(&format!("its content type is {other}")),
        };
        Err(foreign(&self.get, &message).into())
    }

    /// Its content type without parameters; empty where it has none.
    fn media_type(&self) -> &str {
        let content_type = self.header(header::CONTENT_TYPE).unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim()
    }

    /// The next part of the body; `None` where it has ended as HTTP says it should.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Unknown> {
        loop {
            let frame = match tokio::time::timeout_at(self.deadline, self.body.frame()).await {
                Err(_) => return Err(timed_out(&self.get, self.timeout)),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    tracing::debug!(request = self.get.name(), %error, read = self.read, "body broke off");
                    let message = format!("the connection broke after {} bytes", self.read);
                    return Err(self.unknown(Reason::Truncated, &message));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else {
                // Trailers.
                continue;
            };
            self.read += data.len() as u64;
            if self.read > self.bound {
                let message = format!("it is larger than {} bytes", self.bound);
                return Err(self.unknown(Reason::TooLarge, &message));
            }
            return Ok(Some(data));
        }
    }

    /// The whole body.
    pub(super) async fn bytes(mut self) -> Result<Vec<u8>, Unknown> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The whole body as one object of that kind; `None` where it has no kind, as `/version`.
    pub(super) async fn object<T: DeserializeOwned>(self, kind: Option<&str>) -> Result<T, Obstacle> {
        let answer = self.json()?;
        let get = answer.get.clone();
        let bytes = answer.bytes().await?;
        let refuse = |error: serde_json::Error| {
            let reason = if error.is_eof() {
                Reason::Truncated
            } else {
                Reason::Malformed
            };
            unknown(&get, reason, &json_error(&error))
        };
        if let Some(kind) = kind {
            let found: Kind = serde_json::from_slice(&bytes).map_err(refuse)?;
            if found.kind != kind {
                return Err(unknown(&get, Reason::Malformed, &format!("it is no {kind}")).into());
            }
        }
        Ok(serde_json::from_slice(&bytes).map_err(refuse)?)
    }
}

/// What is wrong with a JSON document. serde's own words quote the document, and evidence quotes nothing that is not
/// on the list of what it may hold.
pub(super) fn json_error(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a field is missing or of another type",
        serde_json::error::Category::Eof => "it stops before its end",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "it is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
