//! The report as one JSON document, and the schema of it.

use super::Shown;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use starform_verify::report::{REPORT_VERSION, Report, ToolError};

/// What stands in a report's place where there could be none: bad usage, a bad contract, bad evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorDocument {
    /// Always the version of a report.
    pub(crate) api_version: String,
    /// Always `Error`.
    pub(crate) kind: String,
    /// Version of the tool.
    pub(crate) tool_version: String,
    /// What is wrong and what to do.
    pub(crate) error: ToolError,
}

/// What `-o json` prints: one of these, always exactly one.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(title = "Report")]
#[expect(dead_code, reason = "only its schema is wanted")]
enum Document {
    /// The verdict.
    Report(Box<Report>),
    /// No verdict, and why.
    Error(ErrorDocument),
}

/// The report, pretty.
pub(super) fn render(report: &Report) -> Shown {
    pretty(report)
}

/// The JSON Schema of what `-o json` prints.
#[must_use]
pub(crate) fn schema() -> Schema {
    schemars::schema_for!(Document)
}

// === impl ErrorDocument ===

impl ErrorDocument {
    /// The document for an error.
    #[must_use]
    pub(crate) fn new(error: ToolError) -> Self {
        Self {
            api_version: REPORT_VERSION.to_owned(),
            kind: "Error".to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            error,
        }
    }

    /// As JSON, pretty.
    #[must_use]
    pub(crate) fn render(&self) -> Shown {
        pretty(self)
    }
}

fn pretty(document: &impl Serialize) -> Shown {
    // Plain structs with string keys always serialise; were it otherwise, one document must be printed all the same.
    Shown::json(document).unwrap_or_else(|error| {
        let message = format!("{:?}", error.to_string());
        Shown::plain(&format!("{{\"error\": {{\"message\": {message}, \"hints\": []}}}}\n"))
    })
}
