//! What the kubelet and a metrics collector ask: `/livez`, `/readyz`, `/metrics`.

use super::answer::{Answer, Routes};
use crate::liveness::Liveness;
use http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::fmt::Write;
use std::sync::Arc;

/// What OpenMetrics 1.0 is served as.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes of the probe address.
pub struct Probes<R> {
    liveness: Liveness,
    readiness: R,
    registry: Arc<Registry>,
}

/// Whether this process is ready, and why. The agent's is [`crate::view::Sources`]; the node role's a function.
pub trait Readiness: Send + Sync + 'static {
    /// All of it.
    fn statement(&self) -> Statement;

    /// What there is to say under one name, such as a check's code.
    fn line(&self, name: &str) -> Option<Line> {
        let lines = self.statement().lines;
        lines.into_iter().find(|line| line.name.eq_ignore_ascii_case(name))
    }
}

/// What `/readyz?verbose` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Whether `/readyz` answers 200.
    pub ready: bool,
    /// The answer in one line.
    pub answer: String,
    /// One after the other.
    pub lines: Vec<Line>,
    /// What to do, where there is something to do.
    pub advice: String,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it came to.
    pub standing: Standing,
    /// `SF304`, `phase`.
    pub name: String,
    /// In words.
    pub text: String,
}

/// What a line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it should be.
    Holds,
    /// Not as it should be.
    Fails,
    /// It could not be seen.
    Unknown,
    /// Only told: it decides nothing.
    Told,
}

// === impl Probes ===

impl<R: Readiness> Probes<R> {
    /// The routes. Every module has registered its metrics by now.
    #[must_use]
    pub fn new(liveness: Liveness, readiness: R, registry: Arc<Registry>) -> Self {
        Self {
            liveness,
            readiness,
            registry,
        }
    }

    fn livez(&self) -> Answer {
        let stuck = self.liveness.stuck();
        if stuck.is_empty() {
            return Answer::text(StatusCode::OK, "ok\n");
        }
        let mut body = String::new();
        for (name, since) in stuck {
            let _ = writeln!(body, "[-]{name} has not turned for {} s", since.as_secs());
        }
        Answer::text(StatusCode::SERVICE_UNAVAILABLE, body)
    }

    fn readyz(&self, query: &str) -> Answer {
        let statement = self.readiness.statement();
        let status = status(statement.ready);
        let verbose = query
            .split('&')
            .any(|part| part == "verbose" || part.starts_with("verbose="));
        let body = if verbose {
            statement.to_string()
        } else if statement.ready {
            "ok\n".to_owned()
        } else {
            format!("{}\n", statement.answer)
        };
        Answer::text(status, body)
    }

    fn metrics(&self) -> Answer {
        let mut body = String::new();
        match encode(&mut body, &self.registry) {
            Ok(()) => Answer::of(OPEN_METRICS, StatusCode::OK, body),
            Err(error) => {
                let message = format!("the metrics could not be written: {error}\n");
                Answer::text(StatusCode::INTERNAL_SERVER_ERROR, message)
            }
        }
    }
}

impl<R: Readiness> Routes for Probes<R> {
    fn answer(&self, path: &str, query: &str) -> Option<Answer> {
        match path {
            "/livez" => Some(self.livez()),
            "/readyz" => Some(self.readyz(query)),
            "/metrics" => Some(self.metrics()),
            _ => {
                let line = self.readiness.line(path.strip_prefix("/readyz/")?)?;
                let holds = matches!(line.standing, Standing::Holds | Standing::Told);
                Some(Answer::text(status(holds), format!("{line}\n")))
            }
        }
    }
}

fn status(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

// === impl Readiness ===

impl<F: Fn() -> Statement + Send + Sync + 'static> Readiness for F {
    fn statement(&self) -> Statement {
        self()
    }
}

// === impl Statement ===

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n", self.answer)?;
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        if !self.advice.is_empty() {
            writeln!(f, "\n{}", self.advice.trim_end())?;
        }
        // The last line as kube-apiserver has it, for those who look for it.
        writeln!(f, "\nreadyz check {}", if self.ready { "passed" } else { "failed" })
    }
}

// === impl Line ===

impl Line {
    /// A line.
    #[must_use]
    pub fn new(standing: Standing, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            standing,
            name: name.into(),
            text: text.into(),
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = match self.standing {
            Standing::Holds => '+',
            Standing::Fails => '-',
            Standing::Unknown => '?',
            Standing::Told => ' ',
        };
        // One line each, whatever an object's message contains.
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "[{mark}]{} {text}", self.name)
    }
}
