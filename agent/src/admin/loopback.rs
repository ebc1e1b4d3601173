//! What whoever may forward a port into this pod sees: the status page and the report.

use super::answer::{Answer, JSON, Routes};
use super::page;
use crate::announce::{Facts, status};
use crate::view::{Sources, View};
use http::StatusCode;
use serde::Serialize;
use starform_verify::evidence::ShuttleStatus;
use starform_verify::report::Report;
use std::net::IpAddr;

/// Nothing but the page's own style: no script, no form, no frame, no asset.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The routes of the loopback address.
#[derive(Clone, Debug)]
pub struct Loopback {
    sources: Sources,
}

/// `/report.json`.
#[derive(Serialize)]
struct Document<'a> {
    status: &'a ShuttleStatus,
    /// `null` before the first verification.
    report: Option<&'a Report>,
}

// === impl Loopback ===

impl Loopback {
    /// The routes.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self { sources }
    }
}

impl Routes for Loopback {
    fn answer(&self, path: &str, query: &str) -> Option<Answer> {
        match path {
            "/" => {
                let still = query.split('&').any(|part| part == "still");
                let body = page::page(&self.sources.view(), still);
                let mut answer = Answer::of("text/html; charset=utf-8", StatusCode::OK, body);
                answer.policy = Some(POLICY);
                Some(answer)
            }
            "/report.json" => Some(report(&self.sources.view())),
            _ => None,
        }
    }

    /// A page of another name that resolves to 127.0.0.1 could read this one through the browser of whoever has a port
    /// forwarded (DNS rebinding): only names of this machine are answered.
    fn accepts(&self, host: Option<&str>) -> bool {
        host.is_some_and(is_loopback)
    }
}

fn report(view: &View) -> Answer {
    let verification = view.verification.as_deref();
    let status = status(Facts {
        names: view.names.as_ref(),
        identity: &view.identity,
        uid: verification.and_then(|seen| seen.uid.as_deref()),
        snapshot: &view.snapshot,
        verification,
        written: view.now,
    });
    let document = Document {
        status: &status,
        report: verification.map(|seen| &seen.report),
    };
    match serde_json::to_string_pretty(&document) {
        Ok(json) => Answer::of(JSON, StatusCode::OK, json + "\n"),
        Err(error) => {
            let message = format!("the report could not be written: {error}\n");
            Answer::text(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

/// Whether a Host header names this machine, with or without a port.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("localhost:8081", true)]
    #[case("localhost", true)]
    #[case("LOCALHOST:1", true)]
    #[case("127.0.0.1:8081", true)]
    #[case("[::1]:8081", true)]
    #[case("rebound.example:8081", false)]
    #[case("localhost.example", false)]
    #[case("10.1.2.3:8081", false)]
    #[case("", false)]
    #[case("a b", false)]
    fn only_names_of_this_machine_are_answered(#[case] host: &str, #[case] accepted: bool) {
        assert_eq!(is_loopback(host), accepted);
    }
}
