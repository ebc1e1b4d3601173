//! How a release that failed, or in which Helm was interrupted, is mended without losing data.
//!
//! `helm uninstall` is never advice: with the chart's CRDs it deletes every object of their kinds, with a StatefulSet's
//! release what only its Helm-made volumes hold.

use super::Kept;
use crate::evaluate::fix::fix;
use crate::evaluate::subject::Subject;
use crate::report::Fix;

/// The commands for a release whose newest revision is not deployed.
pub(super) fn of(subject: Subject<'_>, kept: &Kept<'_>) -> Fix {
    let Kept { release, history } = kept;
    let namespace = history.namespace.as_str();
    let upgrade = subject.helm_upgrade(release, namespace);
    let status = subject.helm(["status", &release.name, "--namespace", namespace]);
    let rollback = |revision: u32| {
        let revision = revision.to_string();
        subject.helm(["rollback", &release.name, &revision, "--namespace", namespace, "--wait"])
    };
    match (history.status.as_str(), history.earlier) {
        ("failed", _) => fix(
            "see what failed, then install again: what stands is kept",
            [status, upgrade],
        ),
        // A revision that is being uninstalled can be gone back to: that installs again what is missing of it.
        ("uninstalling", _) => fix(
            "make sure that no helm is at work; then take the removal back, and install again",
            [status, rollback(history.revision), upgrade],
        ),
        (_, Some(earlier)) => fix(
            format!("make sure that no helm is at work; then go back to revision {earlier}, and install again"),
            [status, rollback(earlier), upgrade],
        ),
        // There is nothing to go back to, and Helm refuses to begin while this revision is pending. Its record alone is
        // taken away: the objects stay, and the next install takes over what carries its name.
        (_, None) => fix(
            "make sure that no helm is at work; then drop the record of the attempt, not the release, and install again",
            [
                status,
                subject.kubectl(["--namespace", namespace, "delete", "secret", &history.secret]),
                upgrade,
            ],
        ),
    }
}
