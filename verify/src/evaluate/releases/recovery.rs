//! How a release that failed, or in which Helm was interrupted, is mended without losing data.
//!
//! `helm uninstall` is never advice: with the chart's CRDs it deletes every object of their kinds, with a StatefulSet's
//! release what only its Helm-made volumes hold.

use super::Kept;
use crate::evaluate::fix::{Advice, Command, Install, Step};
use crate::evaluate::subject::Subject;

/// What comes before the installation of a release whose newest revision is not deployed.
pub(in crate::evaluate) struct Recovery {
    /// What it does, in words.
    pub(in crate::evaluate) summary: String,
    /// What is typed.
    pub(in crate::evaluate) before: Vec<Command>,
}

/// What comes before its installation.
pub(super) fn before(subject: Subject<'_>, kept: &Kept<'_>) -> Recovery {
    let Kept { release, history } = kept;
    let namespace = history.namespace.as_str();
    let status = subject.helm(["status", &release.name, "--namespace", namespace]);
    let rollback = |revision: u32| {
        let revision = revision.to_string();
        subject.helm(["rollback", &release.name, &revision, "--namespace", namespace, "--wait"])
    };
    let (summary, before) = match (history.status.as_str(), history.earlier) {
        ("failed", _) => ("see what failed".to_owned(), vec![status]),
        // A revision that is being uninstalled can be gone back to: that installs again what is missing of it.
        ("uninstalling", _) => (
            "make sure that no helm is at work, then take the removal back".to_owned(),
            vec![status, rollback(history.revision)],
        ),
        (_, Some(earlier)) => (
            format!("make sure that no helm is at work, then go back to revision {earlier}"),
            vec![status, rollback(earlier)],
        ),
        // There is nothing to go back to, and Helm refuses to begin while this revision is pending. Its record alone is
        // taken away: the objects stay, and the next install takes over what carries its name.
        (_, None) => (
            "make sure that no helm is at work, then drop the record of the attempt, not the release".to_owned(),
            vec![
                status,
                subject.kubectl(["--namespace", namespace, "delete", "secret", &history.secret]),
            ],
        ),
    };
    Recovery { summary, before }
}

/// Advice for a release whose newest revision is not deployed.
pub(super) fn of(subject: Subject<'_>, kept: &Kept<'_>) -> Advice {
    let Recovery { summary, before } = before(subject, kept);
    let install = Install::of_mended(kept.release, &kept.history.namespace);
    let steps = before.into_iter().map(Step::Type);
    Advice {
        summary: match kept.history.status.as_str() {
            "failed" => format!("{summary}, then install again: what stands is kept"),
            _ => format!("{summary}; then install again"),
        },
        steps: steps.chain([Step::Install(install)]).collect(),
    }
}
