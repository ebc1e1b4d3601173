//! The order in which the releases were first deployed.

use super::{content, entry};
use crate::contract::{Release, StepId};
use crate::evaluate::age;
use crate::evaluate::fix::object;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::Observed;
use jiff::{SignedDuration, Timestamp};

/// SF483.
pub(in crate::evaluate) fn order(subject: Subject<'_>) -> Judge {
    let mut seen = 0;
    // The latest so far of the steps before, and of the step at hand.
    let mut before: Option<(&Release, StepId, Timestamp)> = None;
    for step in &subject.contract.steps {
        let mut latest = before;
        for release in &step.releases {
            let Observed::Seen(history) = &entry(subject, release)?.history else {
                if let Observed::Unknown(unknown) = &entry(subject, release)?.history {
                    return Outcome::unknown(unknown).early();
                }
                continue;
            };
            let content = content(history)?;
            let Some(first) = content.first_deployed else {
                return Ok(Outcome::undetermined(format!(
                    "release {} does not say when it was first deployed",
                    release.name
                )));
            };
            if let Some((other, its_step, other_first)) = before.filter(|(.., other)| first < *other) {
                return Ok(Outcome::warn(format!(
                    "{} (step {}) was first deployed {} before {} (step {its_step})",
                    release.name,
                    step.id,
                    age::words(SignedDuration::from_secs(other_first.duration_since(first).as_secs())),
                    other.name,
                ))
                .expected(
                    "the contract's order; nothing is left to do where the missed step was made good, but what was lost until then is lost",
                )
                .objects([object("Secret", &history.namespace, &history.secret)])
                .lasting());
            }
            if latest.is_none_or(|(.., time)| time < first) {
                latest = Some((release, step.id, first));
            }
            seen += 1;
        }
        before = latest;
    }
    Ok(match seen {
        0 | 1 => Outcome::not_applicable("there are not two Helm releases yet"),
        _ => Outcome::pass(format!("{seen} releases in order")),
    })
}
