//! Helm's releases: deployed and not stuck, of accepted charts, with values that keep the contract, in order.

mod order;
mod recovery;

use super::age;
use super::fix::{names, object};
use super::outcome::{Judge, Outcome};
use super::standing::other_release;
use super::subject::Subject;
use super::value_terms::{self, Values};
use crate::contract::{Release, StepId, parse_version};
use crate::evaluate::fix::Advice;
use crate::evidence::{HelmContent, HelmHistory, HelmRelease, ImmutableObject, Observed, Source, Unknown, Workload};
use crate::report::ObjectReference;

pub(super) use self::order::order;
pub(super) use self::recovery::Recovery;

/// A release that has a revision.
struct Kept<'a> {
    release: &'a Release,
    history: &'a HelmHistory,
}

/// What a release's newest revision says.
enum State {
    /// Deployed where the contract wants it.
    Deployed,
    /// Deployed in another namespace that is accepted.
    Elsewhere,
    /// Helm may still be at work.
    Busy(String),
    /// It was uninstalled, and its history kept.
    Uninstalled,
    /// It failed, or Helm was interrupted.
    Broken(String),
}

/// SF280, SF380, SF480.
pub(super) fn deployed(subject: Subject<'_>, step: StepId) -> Judge {
    let mut broken = Vec::new();
    let mut busy = Vec::new();
    let mut absent = Vec::new();
    let mut renamed = Vec::new();
    let mut elsewhere = Vec::new();
    let mut unseen: Option<&Unknown> = None;
    let mut pass = Vec::new();
    for (release, seen) in of_step(subject, step)? {
        let history = match &seen.history {
            Observed::Seen(history) => history,
            Observed::Absent => {
                match other_release(subject, release) {
                    Some((name, namespace)) => renamed.push(format!(
                        "Helm's release of {} is called {name}, in namespace {namespace}",
                        release.name
                    )),
                    None => absent.push((release, format!("no Helm release {}", release.name))),
                }
                continue;
            }
            Observed::Unknown(unknown) => {
                unseen = unseen.or(Some(unknown));
                continue;
            }
        };
        let kept = Kept { release, history };
        match state(subject, &kept)? {
            State::Deployed => pass.push(format!("{} revision {}", release.name, history.revision)),
            State::Elsewhere => elsewhere.push(kept),
            State::Busy(words) => busy.push(words),
            State::Uninstalled => absent.push((release, format!("Helm release {} was uninstalled", release.name))),
            State::Broken(words) => broken.push((kept, words)),
        }
    }
    if let Some((first, _)) = broken.first() {
        let fix = recovery::of(subject, first);
        return Ok(Outcome::fail(joined(broken.iter().map(|(_, words)| words.as_str())))
            .expected("the newest revision deployed")
            .objects(broken.iter().map(|(kept, _)| kept.object()))
            .fix(fix)
            .lasting());
    }
    if let Some(unknown) = unseen {
        return Ok(Outcome::unknown(unknown));
    }
    if !busy.is_empty() {
        let longest = age::words(subject.contract.thresholds.helm_operation);
        return Ok(Outcome::undetermined(joined(busy.iter().map(String::as_str)))
            .expected(format!("an end to it within {longest}")));
    }
    if let Some((first, _)) = absent.first() {
        let fix = subject.upgrade(&first.name, None, "install what is missing, in the contract's order");
        return Ok(Outcome::fail(joined(absent.iter().map(|(_, words)| words.as_str())))
            .expected(format!("a release in namespace {}", first.namespace))
            .absent(absent.iter().map(|(release, _)| release.name.clone()))
            .fix(fix));
    }
    if let Some(first) = elsewhere.first() {
        let (name, namespace) = (&first.release.name, &first.history.namespace);
        return Ok(Outcome::warn(format!("{name} is deployed in namespace {namespace}"))
            .expected(format!(
                "namespace {}: names, roles and scrape jobs are written for it",
                first.release.namespace
            ))
            .objects(elsewhere.iter().map(Kept::object))
            .lasting());
    }
    if !renamed.is_empty() {
        return Ok(Outcome::warn(renamed.join("; "))
            .expected("the contract's names: by others neither chart nor values are found, and neither is judged")
            .lasting());
    }
    Ok(Outcome::pass(pass.join(", ")))
}

/// SF281, SF381, SF481.
pub(super) fn chart_versions(subject: Subject<'_>, step: StepId) -> Judge {
    let mut seen = Vec::new();
    for (kept, content) in contents(subject, step)? {
        let Release { name, versions, .. } = kept.release;
        let wanted = kept.release.chart_name();
        let wrong = if content.chart != wanted {
            Some(format!("{name} is of chart {}", content.chart))
        } else if parse_version(&content.version).is_none_or(|version| !versions.accepts(&version)) {
            Some(format!(
                "{name} is of chart version {}, which is not accepted",
                content.version
            ))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Ok(Outcome::fail(wrong)
                .expected(format!("chart {wanted} {versions}"))
                .objects([kept.object()])
                .fix(kept.upgrade(subject, "install the version that the contract pins"))
                .lasting());
        }
        seen.push(format!("{name} {}", content.version));
    }
    if seen.is_empty() {
        return Ok(Outcome::not_applicable("no Helm release"));
    }
    Ok(Outcome::pass(seen.join(", ")))
}

/// SF282, SF382, SF482.
pub(super) fn values(subject: Subject<'_>, step: StepId) -> Judge {
    let mut count = 0;
    let mut broken = Vec::new();
    let read = contents(subject, step)?;
    for (kept, content) in &read {
        let values = Values {
            release: kept.release,
            chart: &content.version,
            read: &content.values,
            labels: &subject.contract.labels,
        };
        let terms = value_terms::broken(values);
        let terms = terms.or_else(|place| {
            let name = &kept.release.name;
            Outcome::undetermined(format!(
                "{place} of {name} was not read: it was collected under another contract"
            ))
            .lasting()
            .early()
        })?;
        broken.extend(terms.into_iter().map(|term| (kept, term)));
        count += kept.release.value_terms.len();
    }
    if read.is_empty() {
        return Ok(Outcome::not_applicable("no Helm release"));
    }
    let Some((first, term)) = broken.first() else {
        return Ok(Outcome::pass(format!("{count} terms")));
    };
    Ok(Outcome::fail(names(
        broken
            .iter()
            .map(|(kept, term)| format!("{}: {}", kept.release.name, term.observed)),
    ))
    .expected(term.expected.clone())
    .objects([first.object()])
    .fix(first.upgrade(subject, format!("install with the contract's {}", first.release.values)))
    .lasting())
}

/// What has to be done before Helm can install a release into a namespace, where its record there stands in the way.
pub(super) fn in_the_way(subject: Subject<'_>, release: &Release, namespace: &str) -> Option<Recovery> {
    let history = seen(subject, release).filter(|history| history.namespace == namespace)?;
    let kept = Kept { release, history };
    let wait = |words: &str| Recovery {
        summary: format!("wait until Helm has ended: {words}"),
        before: vec![subject.helm(["status", &release.name, "--namespace", namespace])],
    };
    match state(subject, &kept) {
        // Helm installs over what failed.
        Ok(State::Broken(_)) if history.status != "failed" => Some(recovery::before(subject, &kept)),
        Ok(State::Busy(words)) => Some(wait(&words)),
        Ok(_) => None,
        // Since when is not known.
        Err(told) => Some(wait(&told.observed)),
    }
}

/// Whether it is not known what Helm keeps of a release.
pub(super) fn is_unread(subject: Subject<'_>, release: &Release) -> bool {
    subject.evidence.releases != Observed::Absent
        && record(subject, release).is_none_or(|history| history.unknown().is_some())
}

/// Whether the newest revision of a release failed because what it changes of this object cannot be changed.
pub(super) fn cannot_change(subject: Subject<'_>, release: &Release, workload: &Workload) -> bool {
    let Some(HelmHistory {
        status,
        content: Observed::Seen(content),
        ..
    }) = seen(subject, release)
    else {
        return false;
    };
    let is_it = |object: &ImmutableObject| object.kind == workload.kind.to_string() && object.name == workload.name;
    status == "failed" && content.cannot_change.as_ref().is_some_and(is_it)
}

/// The revisions of a release, where they were seen.
fn seen<'a>(subject: Subject<'a>, release: &Release) -> Option<&'a HelmHistory> {
    match record(subject, release)? {
        Observed::Seen(history) => Some(history),
        Observed::Absent | Observed::Unknown(_) => None,
    }
}

/// What Helm keeps of a release, where that was looked for.
fn record<'a>(subject: Subject<'a>, release: &Release) -> Option<&'a Observed<HelmHistory>> {
    let Observed::Seen(releases) = &subject.evidence.releases else {
        return None;
    };
    let of_release = releases.iter().find(|seen| seen.name == release.name)?;
    Some(&of_release.history)
}

/// The releases of a step, each with what was seen of it.
fn of_step(subject: Subject<'_>, step: StepId) -> Result<Vec<(&Release, &HelmRelease)>, Box<Outcome>> {
    let steps = subject.contract.steps.iter().filter(|terms| terms.id == step);
    let releases: Vec<&Release> = steps.flat_map(|step| &step.releases).collect();
    if releases.is_empty() {
        return Outcome::not_applicable("the contract has no Helm release for this step").early();
    }
    releases
        .into_iter()
        .map(|release| Ok((release, entry(subject, release)?)))
        .collect()
}

/// What was seen of a release.
fn entry<'a>(subject: Subject<'a>, release: &Release) -> Result<&'a HelmRelease, Box<Outcome>> {
    let seen = subject
        .evidence
        .releases
        .or_else(|| Outcome::undetermined("no list of Secrets was answered"))?;
    match seen.iter().find(|seen| seen.name == release.name) {
        Some(seen) => Ok(seen),
        None => Outcome::undetermined(format!("release {} was not looked for", release.name))
            .lasting()
            .early(),
    }
}

/// What is in the releases of a step that are there.
fn contents(subject: Subject<'_>, step: StepId) -> Result<Vec<(Kept<'_>, &HelmContent)>, Box<Outcome>> {
    let mut contents = Vec::new();
    for (release, seen) in of_step(subject, step)? {
        match &seen.history {
            Observed::Seen(history) if history.status == "uninstalled" => {}
            Observed::Seen(history) => contents.push((Kept { release, history }, content(history)?)),
            Observed::Absent => {}
            Observed::Unknown(unknown) => return Outcome::unknown(unknown).early(),
        }
    }
    Ok(contents)
}

fn content(history: &HelmHistory) -> Result<&HelmContent, Box<Outcome>> {
    history
        .content
        .or_else(|| Outcome::undetermined(format!("Secret {} was gone when it was read", history.secret)))
}

fn state(subject: Subject<'_>, kept: &Kept<'_>) -> Result<State, Box<Outcome>> {
    let Kept { release, history } = kept;
    let (name, revision, status) = (&release.name, history.revision, history.status.as_str());
    Ok(match status {
        "deployed" if history.namespace == release.namespace => State::Deployed,
        "deployed" => State::Elsewhere,
        "uninstalled" => State::Uninstalled,
        "pending-install" | "pending-upgrade" | "pending-rollback" | "uninstalling" => {
            let now = age::now(subject, Source::HelmReleases)?;
            let Some(stored) = history.stored else {
                let words = format!("revision {revision} of {name} is {status}, and nothing tells since when");
                return Outcome::undetermined(words).early();
            };
            let words = format!(
                "revision {revision} of {name} has been {status} for {}",
                age::age(now, stored)
            );
            if age::is_older(stored, now, subject.contract.thresholds.helm_operation) {
                State::Broken(words)
            } else {
                State::Busy(words)
            }
        }
        "failed" => State::Broken({
            let why = match &history.content {
                Observed::Seen(HelmContent {
                    cannot_change: Some(object),
                    ..
                }) => format!(
                    " on {} {}, of which something cannot be changed",
                    object.kind, object.name
                ),
                _ => String::new(),
            };
            match history.earlier {
                Some(earlier) => {
                    format!("revision {revision} of {name} failed{why}; revision {earlier} was the last that did not")
                }
                None => format!("revision {revision} of {name} failed{why}, and none was ever deployed"),
            }
        }),
        _ => State::Broken(format!(
            "revision {revision} of {name} is {status}: no revision is deployed"
        )),
    })
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join("; ")
}

// === impl Kept ===

impl Kept<'_> {
    /// The Secret of its newest revision.
    fn object(&self) -> ObjectReference {
        object("Secret", &self.history.namespace, &self.history.secret)
    }

    fn upgrade(&self, subject: Subject<'_>, summary: impl Into<String>) -> Advice {
        subject.upgrade(&self.release.name, Some(&self.history.namespace), summary)
    }
}
