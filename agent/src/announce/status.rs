//! The content of the ConfigMap `shuttle-status`. Pure.

use super::verdict::answer;
use crate::identity::Identity;
use crate::lifecycle::Gate;
use crate::names::Names;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use jiff::Timestamp;
use starform_verify::evidence::{GateVerdict, Registration, STATUS_NAMES, STATUS_VERSION, ShuttleStatus};

/// A ConfigMap ends at 1 MiB, and etcd's default at 1.5 MiB; half of that leaves room for what a server adds.
pub(super) const STATUS_BYTES: usize = 512 * 1024;
/// Bytes of a sentence. An object's message may be any length.
const SENTENCE: usize = 1024;

/// What a status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Cluster ID and region; `None` until they were read.
    pub names: Option<&'a Names>,
    /// The pod that writes.
    pub identity: &'a Identity,
    /// UID of kube-system, where a verification has read it.
    pub uid: Option<&'a str>,
    /// Where the lifecycle stands.
    pub snapshot: &'a Snapshot,
    /// The last verification.
    pub verification: Option<&'a Verification>,
    /// Now.
    pub written: Timestamp,
}

/// The status, never larger than 512 KiB as JSON.
#[must_use]
pub fn status(facts: Facts<'_>) -> ShuttleStatus {
    let Facts {
        names,
        identity,
        uid,
        snapshot,
        verification,
        written,
    } = facts;
    let names = names.cloned().unwrap_or_default();
    let mut status = ShuttleStatus {
        api_version: STATUS_VERSION.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pod: identity.pod.clone(),
        cluster_id: names.cluster_id,
        region: names.region,
        uid: uid.unwrap_or_default().to_owned(),
        phase: snapshot.phase,
        since: snapshot.since,
        reason: sentence(&snapshot.reason.words),
        registration: snapshot.registration.map(|registered| Registration {
            generation: registered.generation,
            granted: registered.granted,
            heartbeat_accepted: registered.heartbeat_accepted,
            heartbeat_interval_seconds: registered.interval.as_secs(),
        }),
        verdict: verification.map(verdict),
        canary: verification.map(|seen| seen.canary.clone()).unwrap_or_default(),
        join: verification.map(|seen| seen.join.clone()).unwrap_or_default(),
        nodes: verification.map(|seen| seen.nodes.clone()).unwrap_or_default(),
        written,
    };
    bound(&mut status);
    status
}

fn verdict(verification: &Verification) -> GateVerdict {
    let first = match &verification.gate {
        Gate::Passes => None,
        Gate::Fails(broken) | Gate::Unknown(broken) => broken.check.as_ref(),
    };
    GateVerdict {
        passes: verification.gate == Gate::Passes,
        answer: sentence(&answer(&verification.gate, &verification.report)),
        first_broken: first.map(|check| check.code.clone()),
        first_broken_step: first.map(|check| check.step),
        judged: verification.report.times.collected,
    }
}

/// Cuts down what may be long. A node that is left out of `joined` counts as not joined, so that nothing is claimed by it.
fn bound(status: &mut ShuttleStatus) {
    status.join.failed.truncate(STATUS_NAMES);
    for failed in &mut status.join.failed {
        failed.problem = sentence(&failed.problem);
    }
    status.nodes.unproven.truncate(STATUS_NAMES);
    status.canary.missing.truncate(STATUS_NAMES);
    while !status.join.joined.is_empty() && size(status) > STATUS_BYTES {
        let keep = status.join.joined.len() / 2;
        status.join.joined.truncate(keep);
        status.join.complete = false;
    }
}

fn size(status: &ShuttleStatus) -> usize {
    serde_json::to_string(status).map_or(usize::MAX, |json| json.len())
}

/// At most so many bytes, at a character's end.
pub(super) fn sentence(text: &str) -> String {
    cut(text, SENTENCE)
}

pub(super) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
