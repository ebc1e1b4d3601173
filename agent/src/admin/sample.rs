//! States of the agent for tests, made from recordings of real clusters that steps 2 and 4 were added to.

use crate::announce::{Facts, status};
use crate::identity::Identity;
use crate::lifecycle::{Gate, Phase, Reason};
use crate::names::Names;
use crate::snapshot::{Registered, Snapshot};
use crate::verification::Verification;
use crate::view::View;
use jiff::{SignedDuration, Timestamp};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Canary, Evidence, Join, NodesProven, Observed};
use std::sync::Arc;
use std::time::Duration;
use testdata::recordings;

/// This pod.
pub(crate) fn identity() -> Identity {
    Identity {
        namespace: "starform-system".to_owned(),
        pod: "shuttle-6f7d9c5b4-x2x7p".to_owned(),
        uid: "9a0c2f7e-3b1d-4a5e-8f60-0c1d2e3f4a5b".to_owned(),
        node: "node-1".to_owned(),
    }
}

/// What an agent would have verified on a recorded cluster that steps 2 and 4 were added to. Where that one is healthy, its
/// own proofs are there too.
pub(crate) fn verification(name: &str) -> Verification {
    verified(recordings::with_steps_2_and_4(name), name == "healthy")
}

/// What an agent would have verified on this evidence: with its own proofs where `works`, else without any.
pub(crate) fn verified(evidence: Evidence, works: bool) -> Verification {
    let contract = Contract::embedded().expect("the embedded contract is valid");
    let collected = evidence.collected;
    let nodes: Vec<String> = match &evidence.nodes {
        Observed::Seen(nodes) => nodes.iter().map(|node| node.name.clone()).collect(),
        _ => Vec::new(),
    };
    let count = u32::try_from(nodes.len()).expect("a few");
    let canary = Canary {
        pod: identity().pod,
        uid: identity().uid,
        labelled: Some(collected),
        row: works,
        missing: Vec::new(),
        lag_ms: works.then_some(1_240),
        metrics_age_ms: works.then_some(9_800),
        metrics_age_limit_ms: 45_000,
        observed: Some(collected),
    };
    let join = Join {
        complete: works,
        joined: if works { nodes.clone() } else { Vec::new() },
        failed: Vec::new(),
        failed_nodes: 0,
        pods: if works { 11 } else { 0 },
        oldest: works.then_some(collected),
    };
    let nodes = NodesProven {
        proven: if works { count } else { 0 },
        of: count,
        unproven: if works { Vec::new() } else { nodes },
    };
    let mut own = status(Facts {
        names: None,
        identity: &identity(),
        uid: None,
        snapshot: &snapshot(Phase::Verifying, None),
        verification: None,
        written: collected,
    });
    (own.canary, own.join, own.nodes) = (canary.clone(), join.clone(), nodes.clone());
    let report = evaluate(&contract, &evidence.with_own_status(own), &Selection::inside());
    Verification {
        uid: report.subject.uid.clone(),
        canary,
        join,
        nodes,
        gate: Gate::of(&report, &contract),
        report,
        took: Duration::from_millis(412),
        cost: Duration::from_millis(31),
    }
}

fn now() -> Timestamp {
    "2026-11-22T17:00:00Z".parse().expect("a time")
}

/// An agent in `phase` on a recorded cluster, at a fixed time; none where `name` is empty.
pub(crate) fn view(phase: Phase, name: &str) -> View {
    view_of(phase, (!name.is_empty()).then(|| verification(name)))
}

/// An agent in `phase` that has verified this, at a fixed time.
pub(crate) fn view_of(phase: Phase, verification: Option<Verification>) -> View {
    let verification = verification.map(Arc::new);
    View {
        identity: identity(),
        contract: Arc::new(Contract::embedded().expect("the embedded contract is valid")),
        names: Some(Names {
            cluster_id: "fra1-shop".to_owned(),
            region: "fra1".to_owned(),
        }),
        snapshot: snapshot(
            phase,
            verification.as_deref().map(|verification| verification.gate.clone()),
        ),
        verification,
        now: now(),
    }
}

/// The lifecycle in `phase`.
pub(crate) fn snapshot(phase: Phase, gate: Option<Gate>) -> Snapshot {
    let ago = |seconds| now() - SignedDuration::from_secs(seconds);
    let registered = Registered {
        generation: 7,
        granted: ago(86_400 * 3),
        heartbeat_accepted: Some(ago(12)),
        interval: Duration::from_secs(30),
    };
    let refused = "PUT /v1/clusters/fra1-shop/registration: 401 Unauthorized: the token is revoked; put a new one into the \
                   Secret shuttle in starform-system";
    let broken = match &gate {
        None | Some(Gate::Passes) => "no verification has ended yet".into(),
        Some(Gate::Fails(broken) | Gate::Unknown(broken)) => Reason {
            words: format!("{}: {}", broken.code().unwrap_or_default(), broken.observed),
            broken: Some(broken.clone()),
            setback: None,
        },
    };
    let (reason, leader, registration) = match phase {
        Phase::Starting => ("the parameters are not read yet".into(), false, None),
        Phase::Verifying => (broken, true, None),
        Phase::Standby => ("every gating check passes".into(), false, None),
        Phase::Registering => ("every gating check passes".into(), true, None),
        Phase::Active => ("registered, generation 7".into(), true, Some(registered)),
        Phase::Degraded => (broken, true, Some(registered)),
        Phase::Rejected => (Reason::of_setback(refused), true, None),
        Phase::Stopping => ("the process was asked to stop".into(), true, Some(registered)),
    };
    Snapshot {
        phase,
        since: ago(754),
        reason,
        leader,
        gate,
        ready: matches!(phase, Phase::Active | Phase::Standby),
        registration,
        setback: (phase == Phase::Rejected).then(|| refused.to_owned()),
    }
}
