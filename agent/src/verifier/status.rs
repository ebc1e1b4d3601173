//! The own status as the checks judge it: made before they are judged, and so without their verdict.

use crate::identity::Identity;
use crate::parameters::Parameters;
use crate::snapshot::{Registered, Snapshot};
use jiff::Timestamp;
use starform_verify::evidence::{Canary, Join, NodesProven, Registration, STATUS_VERSION, ShuttleStatus};

/// What a round has proven by the time that it is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proven<'a> {
    pub(super) uid: Option<&'a str>,
    pub(super) canary: &'a Canary,
    pub(super) join: &'a Join,
    pub(super) nodes: &'a NodesProven,
}

/// The status of this moment.
pub(super) fn own(
    identity: &Identity,
    parameters: &Parameters,
    snapshot: &Snapshot,
    proven: Proven<'_>,
    written: Timestamp,
) -> ShuttleStatus {
    ShuttleStatus {
        api_version: STATUS_VERSION.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pod: identity.pod.clone(),
        cluster_id: parameters.cluster_id.as_str().to_owned(),
        region: parameters.region.as_str().to_owned(),
        uid: proven.uid.unwrap_or_default().to_owned(),
        phase: snapshot.phase,
        since: snapshot.since,
        reason: snapshot.reason.words.clone(),
        registration: snapshot.registration.as_ref().map(registration),
        verdict: None,
        canary: proven.canary.clone(),
        join: proven.join.clone(),
        nodes: proven.nodes.clone(),
        written,
    }
}

fn registration(registered: &Registered) -> Registration {
    Registration {
        generation: registered.generation,
        granted: registered.granted,
        heartbeat_accepted: registered.heartbeat_accepted,
        heartbeat_interval_seconds: registered.interval.as_secs(),
    }
}
