//! Sends a request and tells what came of it: an answer that may be read, or why there is none.

use super::answer::Answer;
use super::diagnosis;
use super::get::{Get, Origin};
use super::obstacle::{Obstacle, foreign, timed_out, troubled, unknown};
use super::status::{Status, bounded};
use crate::evidence::{Access, Reason, Trouble, Unknown};
use http::{Request, StatusCode, header};
use kube::client::Body;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// The media type of Starbase's refusals, RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// A refusal of Starbase's.
#[derive(Deserialize)]
struct Problem {
    status: u16,
    title: String,
    #[serde(default)]
    detail: String,
}

/// A refusal of VictoriaMetrics', of a query.
#[derive(Deserialize)]
struct QueryError {
    error: String,
}

/// The largest refusal that is read.
const REFUSAL_BOUND: u64 = 64 << 10;

/// Sends a request and waits for the head of its answer. `timeout` bounds head and body together.
///
/// The client must not retry: it would wait for minutes on a 503, which is what a dead metrics-server is.
pub(super) async fn send(client: &kube::Client, get: &Get, timeout: Duration, bound: u64) -> Result<Answer, Obstacle> {
    let begun = Instant::now();
    let request = Request::get(get.uri())
        .header(header::ACCEPT, get.accept)
        .body(Body::empty())
        .map_err(|_| unknown(get, Reason::Malformed, "its name cannot stand in a URL"))?;
    let response = match tokio::time::timeout_at(begun + timeout, client.send(request)).await {
        Err(_) => return Err(timed_out(get, timeout).into()),
        Ok(Err(error)) => {
            let authority = match get.origin {
                Origin::Starbase => Some("--starbase-ca"),
                Origin::MetricsStore | Origin::LogStore => Some("`caFile` of the stores file"),
                Origin::Api | Origin::Proxied | Origin::Direct => None,
            };
            let (trouble, message) = diagnosis::told(&error, authority);
            let failed = troubled(get, trouble, &message);
            tracing::debug!(request = failed.request, reason = %failed.reason, message, "request failed");
            return Err(failed.into());
        }
        Ok(Ok(response)) => response,
    };
    let status = response.status();
    tracing::debug!(request = get.name(), status = status.as_u16(), "request answered");
    if status == StatusCode::OK {
        return Ok(Answer::new(get, response, begun, timeout, bound));
    }
    let answer = Answer::new(get, response, begun, timeout, REFUSAL_BOUND);
    let media_type = answer.header(header::CONTENT_TYPE).unwrap_or_default();
    let is_problem = media_type.split(';').next().unwrap_or_default().trim() == PROBLEM;
    // A refusal that cannot be read to its end is a refusal all the same.
    let body = answer.bytes().await.unwrap_or_default();
    Err(match get.origin {
        Origin::Starbase => starbase_refusal(get, status, if is_problem { &body } else { b"" }),
        Origin::MetricsStore | Origin::LogStore => store_refusal(get, status, &body),
        Origin::Api | Origin::Proxied | Origin::Direct => refusal(get, status, &body),
    })
}

/// Starbase's own words for a refusal. An answer in any other form came from something in between.
fn starbase_refusal(get: &Get, status: StatusCode, body: &[u8]) -> Obstacle {
    let parsed: Option<Problem> = serde_json::from_slice(body).ok();
    let Some(problem) = parsed.filter(|problem| problem.status == status.as_u16()) else {
        let said = format!("the answer is {}", status.as_u16());
        return foreign(get, &said).into();
    };
    let words = if problem.detail.is_empty() {
        &problem.title
    } else {
        &problem.detail
    };
    let said = format!("{}: {}", status.as_u16(), bounded(words));
    match status {
        StatusCode::NOT_FOUND => Obstacle::Absent,
        StatusCode::UNAUTHORIZED => unknown(get, Reason::Unauthorized, &said).into(),
        StatusCode::FORBIDDEN => unknown(get, Reason::Forbidden, &said).into(),
        _ => unknown(get, Reason::Refused, &said).into(),
    }
}

/// A store's own words for a refusal, or those of the door before it. What is in no form of theirs is not repeated.
fn store_refusal(get: &Get, status: StatusCode, body: &[u8]) -> Obstacle {
    let code = status.as_u16();
    let words = match get.origin {
        Origin::LogStore => String::from_utf8_lossy(body)
            .starts_with("Code: ")
            .then(|| bounded(&String::from_utf8_lossy(body))),
        _ => serde_json::from_slice::<QueryError>(body)
            .ok()
            .map(|own| bounded(&own.error)),
    };
    let said = match &words {
        Some(words) => format!("{code}: {words}"),
        None => format!("the answer is {code}"),
    };
    let reason = match status {
        StatusCode::UNAUTHORIZED => Reason::Unauthorized,
        StatusCode::FORBIDDEN => Reason::Forbidden,
        _ if words.is_none() && (status.is_redirection() || body.starts_with(b"<")) => {
            return foreign(get, &said).into();
        }
        _ => Reason::Refused,
    };
    unknown(get, reason, &said).into()
}

fn refusal(get: &Get, status: StatusCode, body: &[u8]) -> Obstacle {
    let parsed = Status::parse(body);
    let text = match &parsed {
        Some(parsed) if !parsed.message.is_empty() => parsed.text(),
        Some(parsed) => bounded(&parsed.reason),
        None if body.starts_with(b"<") || body.is_empty() => String::new(),
        None => bounded(&String::from_utf8_lossy(body)),
    };
    let said = match (status.as_u16(), text.is_empty()) {
        (code, true) => format!("the answer is {code}"),
        (code, false) => format!("{code}: {text}"),
    };
    let reason = match (status, &parsed, get.origin) {
        // What a target says of itself is no matter of the API server's permissions.
        (StatusCode::UNAUTHORIZED, _, Origin::Api) | (StatusCode::UNAUTHORIZED, Some(_), Origin::Proxied) => {
            return troubled(get, Trouble::Unauthorized, &Trouble::Unauthorized.message(&text)).into();
        }
        (StatusCode::FORBIDDEN, Some(parsed), Origin::Api | Origin::Proxied) => {
            let access = impersonation(parsed).or_else(|| get.access.clone());
            let forbidden = unknown(get, Reason::Forbidden, &said);
            return Unknown { access, ..forbidden }.into();
        }
        (StatusCode::NOT_FOUND, Some(parsed), _) if parsed.reason == "NotFound" && get.may_be_absent() => {
            return Obstacle::Absent;
        }
        (StatusCode::NOT_ACCEPTABLE | StatusCode::UNSUPPORTED_MEDIA_TYPE, _, Origin::Api) => {
            return Obstacle::OtherForm(Box::new(unknown(get, Reason::Refused, &said)));
        }
        (StatusCode::GONE, Some(_), Origin::Api) => {
            return Obstacle::Expired(Box::new(unknown(get, Reason::Refused, &said)));
        }
        (
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT,
            Some(parsed),
            Origin::Proxied,
        ) if parsed.message.contains("error trying to reach service")
            || parsed.message.contains("no endpoints available")
            || parsed.message.contains("no service port") =>
        {
            Reason::Unreachable
        }
        // Every API server has that page, and says in a Status why it does not give it. 429 and 500 it may refuse in plain text.
        (
            StatusCode::NOT_FOUND
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT,
            None,
            Origin::Api,
        ) if get.is_of_version() => {
            return foreign(get, &said).into();
        }
        // A gateway or a portal, not the API server: nothing it says is about the cluster.
        (status, None, Origin::Api) if status.is_redirection() || body.starts_with(b"<") => {
            return foreign(get, &said).into();
        }
        _ => Reason::Refused,
    };
    unknown(get, reason, &said).into()
}

/// The permission that is missing where an identity may not be taken on: then the request's own was not even asked for.
/// The API server tells it by what the refusal is about.
fn impersonation(status: &Status) -> Option<Access> {
    let details = status.details.as_ref()?;
    matches!(
        details.kind.as_str(),
        "users" | "groups" | "serviceaccounts" | "uids" | "userextras"
    )
    .then(|| Access {
        verb: "impersonate".to_owned(),
        group: String::new(),
        resource: details.kind.clone(),
        namespace: None,
        name: (!details.name.is_empty()).then(|| bounded(&details.name)),
    })
}
