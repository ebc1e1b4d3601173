//! What a route answers.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use starform_verify::printable::{printable, printable_json};
use std::borrow::Cow;

/// The type of a JSON document.
pub(super) const JSON: &str = "application/json";

/// The routes of one listener. An answer is made from what is in memory; it never waits.
pub trait Routes: Send + Sync + 'static {
    /// The answer to a GET of `path`, or `None` where there is no such path.
    fn answer(&self, path: &str, query: &str) -> Option<Answer>;

    /// Whether a request that names this host is answered; `None` where it names none.
    fn accepts(&self, host: Option<&str>) -> bool {
        let _ = host;
        true
    }
}

/// An answer: status, type, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// The Content-Security-Policy, for what a browser shows.
    pub(super) policy: Option<&'static str>,
}

// === impl Answer ===

impl Answer {
    /// Plain text.
    #[must_use]
    pub fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self::of("text/plain; charset=utf-8", status, body.into())
    }

    /// An answer of any type. In none does anything from outside act on a screen, or reorder or hide what stands around it:
    /// JSON escapes it, every other form writes it out.
    pub(super) fn of(content_type: &'static str, status: StatusCode, body: String) -> Self {
        let neutral = match content_type {
            JSON => printable_json(&body),
            _ => printable(&body),
        };
        let body = match neutral {
            Cow::Borrowed(_) => body,
            Cow::Owned(neutral) => neutral,
        };
        Self {
            status,
            content_type,
            body,
            policy: None,
        }
    }

    /// As hyper sends it. Nothing that is answered here may be kept: it is of this moment.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(policy) = self.policy {
            headers.insert(http::header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::text("text/plain; charset=utf-8", "a\u{1b}[2J\u{202e}\n", "a\\u{1b}[2J\\u{202e}\n")]
    #[case::page("text/html; charset=utf-8", "<p>\u{9b}31m</p>\n", "<p>\\u{9b}31m</p>\n")]
    #[case::json(JSON, "\"\u{9b}31m\u{200b}\"\n", "\"\\u009b31m\\u200b\"\n")]
    fn what_comes_from_outside_acts_on_no_screen(
        #[case] content_type: &'static str,
        #[case] body: &str,
        #[case] answered: &str,
    ) {
        assert_eq!(Answer::of(content_type, StatusCode::OK, body.to_owned()).body, answered);
    }
}
