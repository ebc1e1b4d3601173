//! What a verification and a status look like here: only what the lifecycle and the registrar read of them.

use jiff::Timestamp;
use shuttle::lifecycle::{Broken, Gate};
use shuttle::snapshot::Snapshot;
use shuttle::verification::Verification;
use starform_verify::contract::StepId;
use starform_verify::evidence::{Canary, Join, NodesProven, Registration, STATUS_VERSION, ShuttleStatus, Vantage};
use starform_verify::report::{Counts, REPORT_VERSION, Report, Subject, Summary, Times};
use std::time::Duration;

/// What the gate comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Passes,
    Fails,
    Unknown,
    /// No verification comes at all.
    Silent,
}

pub(crate) fn verification(uid: &str, weather: Weather) -> Option<Verification> {
    let broken = || Broken::of("SF304", StepId::Three, "no row of the own pod");
    let gate = match weather {
        Weather::Passes => Gate::Passes,
        Weather::Fails => Gate::Fails(broken()),
        Weather::Unknown => Gate::Unknown(broken()),
        Weather::Silent => return None,
    };
    Some(Verification {
        report: report(uid),
        gate,
        uid: Some(uid.to_owned()),
        canary: Canary::default(),
        join: Join::default(),
        nodes: NodesProven::default(),
        took: Duration::from_millis(300),
        cost: Duration::from_millis(20),
    })
}

fn report(uid: &str) -> Report {
    Report {
        api_version: REPORT_VERSION.to_owned(),
        kind: "Report".to_owned(),
        tool_version: "0.1.0".to_owned(),
        contract: "sha256:0".to_owned(),
        subject: Subject {
            manifests: None,
            context: None,
            uid: Some(uid.to_owned()),
            kubernetes: Some("v1.35.0".to_owned()),
            nodes: Some(2),
            region: None,
            vantage: Vantage::Inside,
        },
        summary: Summary {
            conforms: true,
            answer: "conforms".to_owned(),
            first_broken: None,
            counts: Counts::default(),
            not_audited: Vec::new(),
            ignored: Vec::new(),
        },
        steps: Vec::new(),
        times: Times {
            collected: Timestamp::UNIX_EPOCH,
            server: None,
            took_ms: 300,
            waited: None,
        },
        error: None,
    }
}

pub(crate) fn status(uid: &str, pod: &str, snapshot: &Snapshot) -> ShuttleStatus {
    ShuttleStatus {
        api_version: STATUS_VERSION.to_owned(),
        version: "0.1.0".to_owned(),
        pod: pod.to_owned(),
        cluster_id: "c1".to_owned(),
        region: "nyc3".to_owned(),
        uid: uid.to_owned(),
        phase: snapshot.phase,
        since: snapshot.since,
        reason: snapshot.reason.words.clone(),
        registration: snapshot.registration.map(|registered| Registration {
            generation: registered.generation,
            granted: registered.granted,
            heartbeat_accepted: registered.heartbeat_accepted,
            heartbeat_interval_seconds: registered.interval.as_secs(),
        }),
        verdict: None,
        canary: Canary::default(),
        join: Join::default(),
        nodes: NodesProven::default(),
        written: snapshot.since,
    }
}
