//! The API: from a request to what becomes of it.

use std::time::Duration;

use anyhow::Result;
use rusqlite::Transaction;
use serde_json::json;

use super::answer::{Answer, Problem, header};
use super::clock;
use super::exchanges::{self, Answered, Exchange};
use super::faults::{self, FaultKind, Operation, RetryAfter};
use super::page;
use super::registrations::{self, Known};
use super::request::{Heartbeat, Registration, Request, check_label};
use super::store::Store;
use super::tokens::{self, Token};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Wait so long first.
    pub(super) delay: Duration,
    /// The answer; `None`: the connection is closed.
    pub(super) answer: Option<Answer>,
    /// Whether the body ends in its middle.
    pub(super) truncate: bool,
}

/// Answers a request in one transaction, and logs both. The page is not logged: it is no part of the API.
pub(super) fn exchange(store: &Store, request: &Request) -> Result<Outcome> {
    if request.method == "GET" && request.path == "/" {
        let answer = store.read(|transaction| Ok(Answer::page(page::clusters(transaction)?)))?;
        return Ok(Outcome::of(answer));
    }
    store.write(|transaction| {
        let received_ms = clock::now_ms(transaction)?;
        let fault = faults::strike(transaction, request.operation().map(|(_, operation)| operation))?;
        let mut outcome = struck(transaction, request, fault.as_ref())?;
        if let Some(answer) = &mut outcome.answer {
            answer.headers.push(header("date", clock::http_date(received_ms)?));
        }
        let exchange = Exchange {
            received_ms,
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.loggable_headers(),
            body: request.body.clone().unwrap_or_default(),
            answer: outcome.answer.clone().map(|answer| Answered {
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
            }),
            fault: fault.map(|fault| format!("{fault:?}")),
        };
        exchanges::keep(transaction, &exchange)?;
        Ok(outcome)
    })
}

impl Outcome {
    fn of(answer: Answer) -> Self {
        Self {
            delay: Duration::ZERO,
            answer: Some(answer),
            truncate: false,
        }
    }
}

fn struck(transaction: &Transaction<'_>, request: &Request, fault: Option<&FaultKind>) -> Result<Outcome> {
    Ok(match fault {
        None | Some(FaultKind::Certificate(_)) => Outcome::of(answer(transaction, request)?),
        Some(FaultKind::Delay(delay)) => Outcome {
            delay: *delay,
            ..Outcome::of(answer(transaction, request)?)
        },
        Some(FaultKind::Truncate) => Outcome {
            truncate: true,
            ..Outcome::of(answer(transaction, request)?)
        },
        Some(FaultKind::DropAnswer) => {
            answer(transaction, request)?;
            closed()
        }
        Some(FaultKind::Drop) => closed(),
        Some(FaultKind::Html) => Outcome::of(Answer::page(
            "<!doctype html><title>Sign in</title><p>Sign in to use this network.".to_owned(),
        )),
        Some(FaultKind::Status { status, retry_after }) => {
            let mut problem = Problem::of_fault(*status);
            if let Some(wait) = retry_after {
                problem = problem.header("retry-after", retry(transaction, wait)?);
            }
            Outcome::of(problem.into())
        }
        Some(FaultKind::Answer { status, headers, body }) => Outcome::of(Answer {
            status: *status,
            headers: headers.clone(),
            body: body.clone(),
        }),
    })
}

fn closed() -> Outcome {
    Outcome {
        delay: Duration::ZERO,
        answer: None,
        truncate: false,
    }
}

fn retry(transaction: &Transaction<'_>, wait: &RetryAfter) -> Result<String> {
    Ok(match wait {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => {
            let then = clock::now_ms(transaction)? + i64::try_from(*seconds)?.saturating_mul(1_000);
            clock::http_date(then)?
        }
        RetryAfter::Text(text) => text.clone(),
    })
}

fn answer(transaction: &Transaction<'_>, request: &Request) -> Result<Answer> {
    let Some((cluster_id, operation)) = request.operation() else {
        return Ok(Problem::no_such_path(&request.path).into());
    };
    let token = match authenticated(transaction, request, cluster_id)? {
        Ok(token) => token,
        Err(problem) => return Ok(problem.into()),
    };
    match operation {
        Operation::Register => register(transaction, request, cluster_id, &token),
        Operation::Heartbeat => heartbeat(transaction, request, cluster_id),
        Operation::Status => status(transaction, cluster_id),
        Operation::End => end(transaction, request, cluster_id),
    }
}

fn authenticated(
    transaction: &Transaction<'_>,
    request: &Request,
    cluster_id: &str,
) -> Result<std::result::Result<Token, Problem>> {
    let Some(text) = request.token() else {
        return Ok(Err(Problem::unknown_token("there is no bearer token")));
    };
    let Some(token) = tokens::find(transaction, text)? else {
        return Ok(Err(Problem::unknown_token("this token was never minted here")));
    };
    if let Some(revoked) = token.revoked_ms {
        let when = clock::time(revoked)?;
        return Ok(Err(Problem::unknown_token(format!(
            "this token was revoked at {when:.0}"
        ))));
    }
    if let Err(problem) = check_label("clusterId", cluster_id) {
        return Ok(Err(problem));
    }
    if token.cluster_id != cluster_id {
        return Ok(Err(Problem::foreign_token(cluster_id)));
    }
    Ok(Ok(token))
}

fn register(transaction: &Transaction<'_>, request: &Request, cluster_id: &str, token: &Token) -> Result<Answer> {
    let read = request.read::<Registration>();
    let registration = match read.and_then(|read| read.check().map(|()| read)) {
        Ok(registration) => registration,
        Err(problem) => return Ok(problem.into()),
    };
    let before = registrations::find(transaction, cluster_id)?;
    if let Some(known) = &before
        && !registrations::may_take(transaction, known, &registration.uid, token)?
    {
        let detail = format!(
            "another cluster was registered under {cluster_id} at {:.0}",
            known.registered
        );
        return Ok(Problem::taken_id(detail, &known.uid).into());
    }
    registrations::grant(transaction, cluster_id, token, &registration)?;
    let Some(known) = registrations::find(transaction, cluster_id)? else {
        anyhow::bail!("a registration vanished within its transaction");
    };
    let rhythm = clock::rhythm(transaction)?;
    let body = json!({
        "clusterId": cluster_id, "uid": known.uid, "state": known.state, "generation": known.generation,
        "heartbeatIntervalSeconds": rhythm.interval_seconds, "graceSeconds": rhythm.grace_seconds,
    });
    Answer::json(if before.is_some() { 200 } else { 201 }, known.generation, &body)
}

fn heartbeat(transaction: &Transaction<'_>, request: &Request, cluster_id: &str) -> Result<Answer> {
    let read = request.read::<Heartbeat>();
    let asked = read.and_then(|read| {
        read.check()?;
        Ok((request.generation()?, read))
    });
    let (generation, heartbeat) = match asked {
        Ok(asked) => asked,
        Err(problem) => return Ok(problem.into()),
    };
    let known = match standing(transaction, cluster_id, generation)? {
        Ok(known) => known,
        Err(problem) => return Ok(problem.into()),
    };
    if let Some(ended) = known.ended {
        let detail = format!("generation {generation} of cluster ID {cluster_id} was ended at {ended:.0}");
        return Ok(Problem::ended(detail).into());
    }
    if known.uid != heartbeat.uid {
        let detail = format!("generation {generation} of cluster ID {cluster_id} is another cluster's");
        return Ok(Problem::taken_id(detail, &known.uid).into());
    }
    registrations::receive(transaction, cluster_id, &heartbeat)?;
    let interval = clock::rhythm(transaction)?.interval_seconds;
    Answer::json(
        200,
        generation,
        &json!({ "generation": generation, "heartbeatIntervalSeconds": interval }),
    )
}

fn status(transaction: &Transaction<'_>, cluster_id: &str) -> Result<Answer> {
    let Some(known) = registrations::find(transaction, cluster_id)? else {
        return Ok(Problem::not_registered(cluster_id).into());
    };
    let rhythm = clock::rhythm(transaction)?;
    let body = json!({
        "clusterId": known.cluster_id, "uid": known.uid, "state": known.state, "generation": known.generation,
        "region": known.region, "agent": { "version": known.agent_version, "instance": known.agent_instance },
        "kubernetes": { "version": known.kubernetes }, "contract": known.contract,
        "phase": known.phase, "reason": known.reason,
        "registered": known.registered, "lastHeartbeat": known.last_heartbeat,
        "heartbeatIntervalSeconds": rhythm.interval_seconds, "graceSeconds": rhythm.grace_seconds,
        "now": clock::time(clock::now_ms(transaction)?)?,
    });
    Answer::json(200, known.generation, &body)
}

fn end(transaction: &Transaction<'_>, request: &Request, cluster_id: &str) -> Result<Answer> {
    let generation = match request.generation() {
        Ok(generation) => generation,
        Err(problem) => return Ok(problem.into()),
    };
    if let Err(problem) = standing(transaction, cluster_id, generation)? {
        return Ok(problem.into());
    }
    registrations::end(transaction, cluster_id)?;
    Ok(Answer::empty(204))
}

/// The registration of that generation, ended or not.
fn standing(
    transaction: &Transaction<'_>,
    cluster_id: &str,
    generation: u64,
) -> Result<std::result::Result<Known, Problem>> {
    let known = registrations::find(transaction, cluster_id)?;
    Ok(match known {
        None => Err(Problem::not_registered(cluster_id)),
        Some(known) if known.generation != generation => Err(Problem::superseded(generation, known.generation)),
        Some(known) => Ok(known),
    })
}
