//! Requests as they were received, and what they want.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{JSON, Problem};
use super::faults::Operation;

/// How large a body may be.
pub(super) const BODY_BOUND: usize = 128 * 1_024;
const REPORT_BOUND: usize = 64 * 1_024;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// `None`: larger than [`BODY_BOUND`].
    pub(super) body: Option<String>,
}

/// The body of `PUT …/registration`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Registration {
    pub(super) uid: String,
    pub(super) region: String,
    pub(super) agent: Agent,
    pub(super) kubernetes: Kubernetes,
    pub(super) contract: String,
    pub(super) phase: Phase,
    pub(super) reason: String,
    pub(super) report: Option<Value>,
}

/// The body of `PUT …/heartbeat`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Heartbeat {
    pub(super) uid: String,
    pub(super) phase: Phase,
    pub(super) reason: String,
    pub(super) report: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) version: String,
    pub(super) instance: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kubernetes {
    pub(super) version: Option<String>,
}

/// A phase of the document's, as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Phase(pub(super) String);

impl TryFrom<String> for Phase {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const PHASES: [&str; 8] = [
            "starting",
            "verifying",
            "standby",
            "registering",
            "active",
            "degraded",
            "rejected",
            "stopping",
        ];
        if PHASES.contains(&text.as_str()) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no phase"))
        }
    }
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// The bearer token.
    pub(super) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The headers as the log has them.
    pub(super) fn loggable_headers(&self) -> Vec<(String, String)> {
        (self.headers.iter())
            .map(|(name, value)| {
                let secret = name == "authorization" || name == "proxy-authorization";
                let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
                let value = if secret {
                    format!("{scheme} (token)")
                } else {
                    value.clone()
                };
                (name.clone(), value)
            })
            .collect()
    }

    /// The cluster ID and what is wanted with it; `None` where the path or method is none of the API's.
    pub(super) fn operation(&self) -> Option<(&str, Operation)> {
        let rest = self.path.strip_prefix("/v1/clusters/")?;
        let (cluster_id, resource) = rest.split_once('/')?;
        let operation = match (self.method.as_str(), resource) {
            ("PUT", "registration") => Operation::Register,
            ("GET", "registration") => Operation::Status,
            ("DELETE", "registration") => Operation::End,
            ("PUT", "heartbeat") => Operation::Heartbeat,
            _ => return None,
        };
        Some((cluster_id, operation))
    }

    /// The generation that `If-Match` carries.
    pub(super) fn generation(&self) -> Result<u64, Problem> {
        let text = self.header("if-match").ok_or_else(Problem::generation_required)?;
        (text.strip_prefix('"'))
            .and_then(|text| text.strip_suffix('"'))
            .filter(|digits| !digits.starts_with(['0', '+']))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| Problem::malformed("the header If-Match is no generation"))
    }

    /// The body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let Some(body) = &self.body else {
            return Err(Problem::too_large(format!("the body has more than {BODY_BOUND} bytes")));
        };
        let media = self.header("content-type").unwrap_or_default();
        if media.split(';').next().map(str::trim) != Some(JSON) {
            return Err(Problem::media_type());
        }
        serde_json::from_str(body).map_err(|error| Problem::malformed(error.to_string()))
    }
}

impl Registration {
    /// What serde does not judge.
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_uid(&self.uid)?;
        check_label("region", &self.region)?;
        check_text("agent.version", &self.agent.version, 1, 64)?;
        check_text("agent.instance", &self.agent.instance, 1, 253)?;
        check_text("contract", &self.contract, 1, 128)?;
        check_text("reason", &self.reason, 0, 2_048)?;
        check_size(self.report.as_ref())?;
        proves(self.report.as_ref())
    }
}

impl Heartbeat {
    /// What serde does not judge.
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_uid(&self.uid)?;
        check_text("reason", &self.reason, 0, 2_048)?;
        check_size(self.report.as_ref())
    }
}

pub(super) fn check_label(name: &str, text: &str) -> Result<(), Problem> {
    let ends = |c: char| c.is_ascii_alphanumeric();
    let fits = (1..=63).contains(&text.len())
        && text.chars().all(|c| ends(c) || "-_.".contains(c))
        && text.starts_with(ends)
        && text.ends_with(ends);
    if fits {
        return Ok(());
    }
    Err(Problem::malformed(format!("`{name}` cannot be a label's value")))
}

fn check_uid(uid: &str) -> Result<(), Problem> {
    if (1..=64).contains(&uid.len()) && uid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(());
    }
    Err(Problem::malformed("`uid` is no UID"))
}

fn check_text(name: &str, text: &str, least: usize, most: usize) -> Result<(), Problem> {
    if (least..=most).contains(&text.len()) {
        return Ok(());
    }
    Err(Problem::malformed(format!(
        "`{name}` has {} bytes, not {least} to {most}",
        text.len()
    )))
}

fn check_size(report: Option<&Value>) -> Result<(), Problem> {
    let size = report.map_or(0, |report| report.to_string().len());
    if size <= REPORT_BOUND {
        return Ok(());
    }
    Err(Problem::too_large(format!(
        "the report has {size} bytes, and {REPORT_BOUND} are allowed"
    )))
}

/// A registration needs a report in which no gating check fails or was not seen. The agent's word alone is not enough.
fn proves(report: Option<&Value>) -> Result<(), Problem> {
    let Some(report) = report else {
        return Err(Problem::report_wanted("there is no report"));
    };
    let steps = report["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let gating = (steps.iter())
        .flat_map(|step| step["checks"].as_array().map(Vec::as_slice).unwrap_or_default())
        .filter(|check| check["gates"] == true);
    for check in gating {
        let verdict = check["verdict"].as_str().unwrap_or("missing");
        if !matches!(verdict, "pass" | "warn" | "waived" | "not-applicable") {
            let code = check["code"].as_str().unwrap_or("without a code");
            return Err(Problem::report_wanted(format!(
                "gating check {code} is `{verdict}` in the report"
            )));
        }
    }
    Ok(())
}
