//! Whether an answer is Starbase's, and what it says. Nothing that could have come from somewhere else is believed.

use super::refusal::Refusal;
use super::retry_after::retry_after;
use super::wire::{HeartbeatAccepted, JSON, PROBLEM, Problem, RegistrationGranted, RegistrationStatus, State};
use crate::parameters::{Parameters, Token};
use http::{Response, StatusCode, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How many bytes of Starbase's own word are repeated.
const DETAIL_BOUND: usize = 500;
/// The longest interval between heartbeats that is believed.
const LONGEST_INTERVAL: u64 = 3_600;

/// An answer, and what it is judged by.
pub(super) struct Answer<'a> {
    pub(super) response: &'a Response<Vec<u8>>,
    pub(super) parameters: &'a Parameters,
    /// Whether the request was about a registration that the agent believes to have.
    pub(super) of_registration: bool,
}

// === impl Answer ===

impl Answer<'_> {
    /// The answer to `PUT …/registration`.
    pub(super) fn registration(&self, uid: &str) -> Result<RegistrationGranted, Refusal> {
        let granted: RegistrationGranted = self.success(&[StatusCode::OK, StatusCode::CREATED])?;
        self.own(&granted.cluster_id)?;
        if granted.uid != uid {
            return Err(self.foreign(&format!("it registers UID {}, not {uid}", line(&granted.uid, 64))));
        }
        if !matches!(granted.state, State::Active | State::Degraded) {
            return Err(self.foreign(&format!("it registers the cluster as {}", granted.state)));
        }
        self.generation(granted.generation)?;
        self.interval(granted.heartbeat_interval_seconds)?;
        Ok(granted)
    }

    /// The answer to `PUT …/heartbeat`: how long until the next.
    pub(super) fn heartbeat(&self, generation: u64) -> Result<Duration, Refusal> {
        let accepted: HeartbeatAccepted = self.success(&[StatusCode::OK])?;
        if accepted.generation != generation {
            return Err(self.foreign(&format!(
                "it accepts generation {}, not {generation}",
                accepted.generation
            )));
        }
        self.interval(accepted.heartbeat_interval_seconds)
    }

    /// The answer to `GET …/registration`.
    pub(super) fn status(&self) -> Result<RegistrationStatus, Refusal> {
        let status: RegistrationStatus = self.success(&[StatusCode::OK])?;
        self.own(&status.cluster_id)?;
        self.generation(status.generation)?;
        Ok(status)
    }

    /// The answer to `DELETE …/registration`, which has no body.
    pub(super) fn ended(&self) -> Result<(), Refusal> {
        if self.response.status() == StatusCode::NO_CONTENT {
            return Ok(());
        }
        Err(self.refusal())
    }

    fn success<T: DeserializeOwned>(&self, statuses: &[StatusCode]) -> Result<T, Refusal> {
        if !statuses.contains(&self.response.status()) {
            return Err(self.refusal());
        }
        let media = self.media();
        if media != JSON {
            return Err(self.foreign(&format!("its content type is {}, not {JSON}", shown(media))));
        }
        serde_json::from_slice(self.response.body())
            .map_err(|error| self.foreign(&format!("its JSON is not the API's: {}", self.told(&error.to_string()))))
    }

    fn own(&self, cluster_id: &str) -> Result<(), Refusal> {
        let own = self.parameters.cluster_id.as_str();
        if cluster_id == own {
            return Ok(());
        }
        Err(self.foreign(&format!(
            "it is about cluster ID `{}`, not `{own}`",
            line(cluster_id, 64)
        )))
    }

    fn generation(&self, generation: u64) -> Result<(), Refusal> {
        if generation == 0 {
            return Err(self.foreign("its generation is 0"));
        }
        Ok(())
    }

    fn interval(&self, seconds: u64) -> Result<Duration, Refusal> {
        if !(1..=LONGEST_INTERVAL).contains(&seconds) {
            return Err(self.foreign(&format!(
                "it wants a heartbeat every {seconds} s, which is not within 1 s and {LONGEST_INTERVAL} s"
            )));
        }
        Ok(Duration::from_secs(seconds))
    }

    /// What an answer that is no success means. Only Starbase's own problem document can refuse a cluster or unregister
    /// it: an ingress without a backend answers 404, a captive portal 403, both as HTML.
    fn refusal(&self) -> Refusal {
        let status = self.response.status();
        let after = || retry_after(self.response.headers(), Timestamp::now());
        let problem = self.problem();
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
            let detail = self.detail(problem.as_ref().ok());
            return Refusal::Busy {
                status,
                after: after(),
                detail,
            };
        }
        if status.is_server_error() {
            let detail = self.detail(problem.as_ref().ok());
            return Refusal::Failed {
                status,
                after: after(),
                detail,
            };
        }
        if status.is_redirection() {
            return self.foreign(&format!(
                "it redirects to {}, and redirects are not followed",
                self.location()
            ));
        }
        if status.is_success() {
            return self.foreign("this request has no such success");
        }
        let problem = match problem {
            Ok(problem) => problem,
            Err(what) => return self.foreign(&what),
        };
        let detail = self.detail(Some(&problem));
        let cluster_id = self.parameters.cluster_id.as_str().to_owned();
        match status {
            StatusCode::UNAUTHORIZED => Refusal::UnknownToken { cluster_id, detail },
            StatusCode::FORBIDDEN => Refusal::ForeignToken { cluster_id, detail },
            StatusCode::CONFLICT => Refusal::TakenId {
                cluster_id,
                registered_uid: problem.registered_uid.map(|uid| line(&uid, 64)),
                detail,
            },
            StatusCode::UNPROCESSABLE_ENTITY => Refusal::WantsMore { detail },
            StatusCode::NOT_FOUND | StatusCode::GONE if self.of_registration => {
                Refusal::Unregistered { status, detail }
            }
            StatusCode::PRECONDITION_FAILED if self.of_registration => Refusal::Superseded {
                standing: problem.generation,
                detail,
            },
            _ => Refusal::NotUnderstood { status, detail },
        }
    }

    fn problem(&self) -> Result<Problem, String> {
        let media = self.media();
        if media != PROBLEM {
            return Err(format!("its content type is {}, not {PROBLEM}", shown(media)));
        }
        let problem: Problem = serde_json::from_slice(self.response.body())
            .map_err(|error| format!("its problem document is none: {}", self.told(&error.to_string())))?;
        let status = self.response.status().as_u16();
        if problem.status != status {
            return Err(format!("its problem document speaks of status {}", problem.status));
        }
        Ok(problem)
    }

    fn detail(&self, problem: Option<&Problem>) -> String {
        let said = problem.map(|problem| problem.detail.as_deref().unwrap_or(&problem.title));
        match said.map(|text| self.told(text)) {
            Some(text) if !text.is_empty() => text,
            _ => "it does not say why".to_owned(),
        }
    }

    /// Text of the other side, fit for a log: on one line, bounded, and never with the token in it.
    fn told(&self, text: &str) -> String {
        scrubbed(text, &self.parameters.token, DETAIL_BOUND)
    }

    fn foreign(&self, what: &str) -> Refusal {
        Refusal::NotTheApi {
            status: self.response.status(),
            what: self.told(what),
        }
    }

    fn location(&self) -> String {
        let location = self.response.headers().get(header::LOCATION);
        location
            .and_then(|value| value.to_str().ok())
            .map_or_else(|| "nowhere".to_owned(), |value| line(value, 200))
    }

    fn media(&self) -> &str {
        let value = self.response.headers().get(header::CONTENT_TYPE);
        let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim()
    }
}

/// Text of the other side: without the token, on one line, bounded.
pub(super) fn scrubbed(text: &str, token: &Token, bound: usize) -> String {
    line(&text.replace(token.expose(), "(the token)"), bound)
}

/// A text on one line, without control characters, and of so many bytes at most.
pub(super) fn line(text: &str, bound: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > bound {
            line.truncate(line.floor_char_boundary(bound.saturating_sub("…".len())));
            line.push('…');
            break;
        }
    }
    line
}

fn shown(media: &str) -> String {
    if media.is_empty() {
        return "not given".to_owned();
    }
    format!("`{}`", line(media, 80))
}
