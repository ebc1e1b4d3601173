//! An answer whose body is read under a deadline and a bound.

use super::get::{Get, Origin};
use super::obstacle::{Obstacle, foreign, seconds, timed_out, unknown, waited};
use super::status::bounded;
use crate::evidence::{Reason, Trouble, Unknown};
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
    begun: Instant,
    /// How long the head took.
    head_after: Duration,
    deadline: Instant,
    timeout: Duration,
    read: u64,
    /// When the last part of the body came.
    last: Instant,
    bound: u64,
}

/// What every object says of itself.
#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Answer {
    /// An answer to a request that was sent at that time.
    pub(super) fn new(get: &Get, response: Response<Body>, begun: Instant, timeout: Duration, bound: u64) -> Self {
        let (head, body) = response.into_parts();
        let now = Instant::now();
        Self {
            get: get.clone(),
            headers: head.headers,
            body,
            begun,
            head_after: now.duration_since(begun),
            deadline: begun + timeout,
            timeout,
            read: 0,
            last: now,
            bound,
        }
    }

    /// How long it took to begin.
    pub(super) fn head_after(&self) -> Duration {
        self.head_after
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
                Err(_) => return Err(self.too_late()),
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
            self.last = Instant::now();
            if self.read > self.bound {
                let message = format!("it is larger than {} bytes", self.bound);
                return Err(self.unknown(Reason::TooLarge, &message));
            }
            return Ok(Some(data));
        }
    }

    /// Its time is over. Where it still came then, it is the line that is slow; what came and stopped hangs.
    fn too_late(&self) -> Unknown {
        if self.read == 0 {
            return timed_out(&self.get, self.timeout);
        }
        let now = Instant::now();
        let (time, quiet) = (now.duration_since(self.begun), now.duration_since(self.last));
        let came = format!("{} bytes in {}", self.read, rounded(time));
        if quiet > self.timeout / 2 {
            let detail = format!("{came}, and none for the last {}", rounded(quiet));
            return waited(&self.get, Trouble::TimedOut, time, self.read, &detail);
        }
        let trouble = match self.get.origin {
            // Within the cluster there is no line to blame: whoever else asks that target waits as long.
            Origin::Direct => Trouble::TimedOut,
            Origin::Api | Origin::Proxied | Origin::Starbase | Origin::MetricsStore | Origin::LogStore => Trouble::Slow,
        };
        let detail = format!("{came}, and there was more to come");
        waited(&self.get, trouble, time, self.read, &detail)
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

/// A time to a tenth of a second, as [`seconds`] has it.
fn rounded(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    seconds(Duration::from_millis(u64::try_from(tenths * 100).unwrap_or(u64::MAX)))
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
