//! Step 6: the cluster is registered with Starbase, and Starbase says the same.

use super::age::{is_older, words};
use super::fix::{Advice, count};
use super::outcome::{Judge, Outcome};
use super::shuttle::status::{look_at_agent, parameters, read, status_object};
use super::subject::Subject;
use crate::evidence::{Observed, Phase, Registration, ShuttleStatus, StarbaseRead};
use jiff::SignedDuration;

/// What asks Starbase.
pub(super) const STARBASE: &str = "--starbase URL --token-file FILE";

/// SF601.
pub(super) fn registered(subject: Subject<'_>) -> Judge {
    let status = &read(subject)?.status;
    let uid = (subject.evidence.identity).or_else(|| Outcome::undetermined("there is no namespace kube-system"))?;
    let fail = |observed: String, fix: Advice| {
        Outcome::fail(observed)
            .expected("Shuttle in phase active, with the registration that Starbase granted this cluster")
            .objects([status_object(subject)])
            .fix(fix)
    };
    let broken = (status.verdict.as_ref()).and_then(|verdict| Some((verdict.first_broken.as_ref()?, &verdict.answer)));
    match (status.phase, broken) {
        (Phase::Active, _) => {}
        (Phase::Rejected, _) => {
            return Ok(fail(
                format!("Starbase rejects the cluster: {}", status.reason),
                renewed_token(subject, status),
            )
            .lasting());
        }
        (Phase::Degraded, Some((code, answer))) => {
            return Ok(fail(
                format!("registered and degraded by {code}: {answer}"),
                look_at_agent(subject),
            ));
        }
        (phase, _) => {
            return Ok(fail(
                format!("Shuttle is {phase}: {}", status.reason),
                look_at_agent(subject),
            ));
        }
    }
    let Some(registration) = &status.registration else {
        return Ok(fail(
            "Shuttle calls itself active, and shows no registration".to_owned(),
            look_at_agent(subject),
        ));
    };
    if &status.uid != uid {
        return Ok(fail(
            format!("the registration is of UID {}, and this cluster's is {uid}", status.uid),
            look_at_agent(subject),
        )
        .lasting());
    }
    Ok(Outcome::pass(format!(
        "{}, generation {}",
        status.cluster_id, registration.generation
    )))
}

/// SF602. All times are the agent's.
pub(super) fn heartbeat_accepted(subject: Subject<'_>) -> Judge {
    let status = &read(subject)?.status;
    let registration = registration(status)?;
    let interval =
        SignedDuration::from_secs(i64::try_from(registration.heartbeat_interval_seconds).unwrap_or(i64::MAX));
    if interval.is_zero() {
        return Ok(Outcome::undetermined(
            "the registration says no interval for heartbeats",
        ));
    }
    let intervals = subject.contract.thresholds.heartbeat_intervals;
    let limit = interval.saturating_mul(i32::try_from(intervals).unwrap_or(i32::MAX));
    // The first is sent at once: until then the registration itself is the sign of life.
    let last = registration.heartbeat_accepted.unwrap_or(registration.granted);
    let ago = SignedDuration::from_secs(status.written.duration_since(last).as_secs());
    let observed = match registration.heartbeat_accepted {
        Some(_) => format!("the last was accepted {} before the status was written", words(ago)),
        None => format!(
            "none was accepted since the registration, {} before the status was written",
            words(ago)
        ),
    };
    if is_older(last, status.written, limit) {
        return Ok(Outcome::fail(observed)
            .expected(format!(
                "one within {} of {}",
                count(intervals as usize, "interval"),
                words(interval)
            ))
            .objects([status_object(subject)])
            .fix(look_at_agent(subject)));
    }
    Ok(Outcome::pass(observed))
}

/// SF603.
pub(super) fn starbase_agrees(subject: Subject<'_>) -> Judge {
    let not_asked = || {
        Outcome::not_asked(
            "Starbase was not asked: --starbase URL --token-file FILE asks it",
            STARBASE,
        )
    };
    // Said whatever else is known: nothing that Shuttle says would have asked it.
    if let Observed::Seen(StarbaseRead::NotAsked) = subject.evidence.shuttle.starbase {
        return Ok(not_asked());
    }
    let status = &read(subject)?.status;
    let uid = (subject.evidence.identity).or_else(|| Outcome::undetermined("there is no namespace kube-system"))?;
    let fail = |observed: String, expected: String| {
        Outcome::fail(observed)
            .expected(expected)
            .objects([status_object(subject)])
            .fix(look_at_agent(subject))
    };
    let answer = (subject.evidence.shuttle.starbase).or_else(|| {
        fail(
            format!("Starbase knows no cluster {}", status.cluster_id),
            "the registration that Shuttle's status shows".to_owned(),
        )
    })?;
    let told = match answer {
        StarbaseRead::NotAsked => return Ok(not_asked()),
        StarbaseRead::Answered(told) => told,
    };
    let registration = registration(status)?;
    if &told.uid != uid {
        return Ok(fail(
            format!("Starbase has {} registered with UID {}", told.cluster_id, told.uid),
            format!("this cluster's UID {uid}"),
        )
        .lasting());
    }
    if told.generation != registration.generation {
        return Ok(fail(
            format!(
                "Starbase has generation {}, Shuttle {}",
                told.generation, registration.generation
            ),
            "one generation: of two agents only the later is heard".to_owned(),
        ));
    }
    if told.state != status.phase.as_str() {
        return Ok(fail(
            format!(
                "Starbase calls the cluster {}, Shuttle calls itself {}",
                told.state, status.phase
            ),
            "the same state on both sides".to_owned(),
        ));
    }
    if told.region != status.region {
        return Ok(fail(
            format!(
                "Starbase has the cluster in region {:?}, Shuttle in {:?}",
                told.region, status.region
            ),
            "the same region on both sides".to_owned(),
        ));
    }
    Ok(Outcome::pass(format!("{}, generation {}", told.state, told.generation)))
}

/// The registration, which [`registered`] has seen.
fn registration(status: &ShuttleStatus) -> Result<&Registration, Box<Outcome>> {
    match &status.registration {
        Some(registration) => Ok(registration),
        None => Outcome::not_applicable("the cluster is not registered (SF601)").early(),
    }
}

fn renewed_token(subject: Subject<'_>, status: &ShuttleStatus) -> Advice {
    parameters(
        subject,
        &status.cluster_id,
        &status.region,
        "have Starbase mint a token for this cluster, and give it to Shuttle, which registers as soon as it changes",
    )
}
