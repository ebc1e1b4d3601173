//! Answers: a success as JSON, everything else as a problem document.

use serde::Serialize;
use serde_json::{Map, Value, json};

pub(super) const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// An answer, before its `Date`.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A problem, by the last part of its type.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: u16,
    kind: &'static str,
    title: &'static str,
    detail: String,
    further: Map<String, Value>,
    headers: Vec<(String, String)>,
}

impl Answer {
    pub(super) fn json(status: u16, generation: u64, body: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self {
            status,
            headers: vec![
                header("content-type", JSON),
                header("etag", format!("\"{generation}\"")),
            ],
            body: serde_json::to_string(body)?,
        })
    }

    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(super) fn page(body: String) -> Self {
        Self {
            status: 200,
            headers: vec![header("content-type", "text/html; charset=utf-8")],
            body,
        }
    }
}

impl Problem {
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", "The request is malformed", detail)
    }

    pub(super) fn unknown_token(detail: impl Into<String>) -> Self {
        Self::new(401, "unknown-token", "The token is not accepted", detail)
            .header("www-authenticate", "Bearer realm=\"starbase\"")
    }

    pub(super) fn foreign_token(cluster_id: &str) -> Self {
        let detail = format!("this token was minted for another cluster ID than {cluster_id}");
        Self::new(403, "foreign-token", "The token is for another cluster", detail)
    }

    pub(super) fn no_such_path(path: &str) -> Self {
        Self::new(404, "no-such-path", "There is nothing at this path", path)
    }

    pub(super) fn not_registered(cluster_id: &str) -> Self {
        let detail = format!("cluster ID {cluster_id} was never registered");
        Self::new(404, "not-registered", "The cluster is not registered", detail)
    }

    pub(super) fn taken_id(detail: impl Into<String>, uid: &str) -> Self {
        Self::new(409, "taken-id", "The cluster ID is taken", detail).with("registeredUid", json!(uid))
    }

    pub(super) fn ended(detail: impl Into<String>) -> Self {
        Self::new(410, "ended", "The registration was ended", detail)
    }

    pub(super) fn superseded(stale: u64, standing: u64) -> Self {
        let detail = format!("generation {stale} was superseded by generation {standing}");
        Self::new(412, "superseded", "A later registration stands", detail).with("generation", json!(standing))
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "too-large", "The request is too large", detail)
    }

    pub(super) fn media_type() -> Self {
        let detail = "the body has to be application/json";
        Self::new(415, "media-type", "The media type is not accepted", detail)
    }

    pub(super) fn report_wanted(detail: impl Into<String>) -> Self {
        let title = "The report does not show that the cluster keeps the contract";
        Self::new(422, "report-wanted", title, detail)
    }

    pub(super) fn generation_required() -> Self {
        let detail = "the header If-Match has to carry the generation";
        Self::new(428, "generation-required", "The generation is missing", detail)
    }

    /// As a fault wants it.
    pub(super) fn of_fault(status: u16) -> Self {
        match status {
            401 => Self::unknown_token("a fault refuses every token"),
            409 => Self::taken_id(
                "a fault gives this ID to another cluster",
                "00000000-fa17-4fa1-8fa1-000000000000",
            ),
            412 => Self::superseded(1, 9_007_199_254_740_991),
            _ => Self::new(
                status,
                "fault",
                "A fault was asked for",
                format!("every request is answered {status}"),
            ),
        }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(header(name, value));
        self
    }

    fn new(status: u16, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            further: Map::new(),
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.further.insert(name.to_owned(), value);
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let mut body = problem.further;
        body.insert(
            "type".to_owned(),
            json!(format!("https://starform.io/problems/{}", problem.kind)),
        );
        body.insert("title".to_owned(), json!(problem.title));
        body.insert("status".to_owned(), json!(problem.status));
        body.insert("detail".to_owned(), json!(problem.detail));
        let mut headers = problem.headers;
        headers.push(header("content-type", PROBLEM));
        Self {
            status: problem.status,
            headers,
            body: Value::Object(body).to_string(),
        }
    }
}

pub(super) fn header(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}
