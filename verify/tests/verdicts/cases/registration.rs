//! Step 6.

use crate::case::Case;
use crate::given::{minutes, registration, starbase, status, unknown};
use starform_verify::evidence::{GateVerdict, Observed, Phase, Reason, StarbaseRead};
use starform_verify::report::Verdict::{Fail, NotAsked, Pass, Unknown as Unseen};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "degraded",
        code: "SF601",
        verdict: Fail,
        says: "registered and degraded by SF427: no logs",
        change: |e| {
            let judged = status(e).written;
            status(e).phase = Phase::Degraded;
            status(e).verdict = Some(GateVerdict {
                passes: false,
                answer: "no logs".into(),
                first_broken: Some("SF427".into()),
                first_broken_step: None,
                judged,
            });
        },
    },
    Case {
        name: "rejected",
        code: "SF601",
        verdict: Fail,
        says: "Starbase rejects the cluster: 409",
        change: |e| {
            status(e).phase = Phase::Rejected;
            status(e).reason = "409".into();
        },
    },
    Case {
        name: "verifying",
        code: "SF601",
        verdict: Fail,
        says: "Shuttle is verifying: not yet",
        change: |e| {
            status(e).phase = Phase::Verifying;
            status(e).reason = "not yet".into();
        },
    },
    Case {
        name: "active without registration",
        code: "SF601",
        verdict: Fail,
        says: "shows no registration",
        change: |e| status(e).registration = None,
    },
    Case {
        name: "heartbeats stopped",
        code: "SF602",
        verdict: Fail,
        says: "2m 6s before the status was written",
        change: |e| {
            let accepted = &mut registration(e).heartbeat_accepted;
            *accepted = accepted.map(|accepted| accepted - minutes(2));
        },
    },
    Case {
        name: "no heartbeat",
        code: "SF602",
        verdict: Fail,
        says: "none was accepted since the registration",
        change: |e| registration(e).heartbeat_accepted = None,
    },
    Case {
        name: "just registered",
        code: "SF602",
        verdict: Pass,
        says: "none was accepted since",
        change: |e| {
            registration(e).granted = status(e).written;
            registration(e).heartbeat_accepted = None;
        },
    },
    Case {
        name: "no interval",
        code: "SF602",
        verdict: Unseen,
        says: "no interval",
        change: |e| registration(e).heartbeat_interval_seconds = 0,
    },
    Case {
        name: "starbase calls it lost",
        code: "SF603",
        verdict: Fail,
        says: "Starbase calls the cluster lost, Shuttle calls itself active",
        change: |e| starbase(e).state = "lost".into(),
    },
    Case {
        name: "starbase has another uid",
        code: "SF603",
        verdict: Fail,
        says: "registered with UID x",
        change: |e| starbase(e).uid = "x".into(),
    },
    Case {
        name: "starbase has another generation",
        code: "SF603",
        verdict: Fail,
        says: "Starbase has generation 4, Shuttle 3",
        change: |e| starbase(e).generation = 4,
    },
    Case {
        name: "starbase has another region",
        code: "SF603",
        verdict: Fail,
        says: "region \"fra1\"",
        change: |e| starbase(e).region = "fra1".into(),
    },
    Case {
        name: "starbase knows nothing",
        code: "SF603",
        verdict: Fail,
        says: "knows no cluster testbed",
        change: |e| e.shuttle.starbase = Observed::Absent,
    },
    Case {
        name: "starbase refuses the token",
        code: "SF603",
        verdict: Unseen,
        says: "unauthorized",
        change: |e| e.shuttle.starbase = unknown(Reason::Unauthorized),
    },
    Case {
        name: "starbase is not asked",
        code: "SF603",
        verdict: NotAsked,
        says: "--starbase URL --token-file FILE asks it",
        change: |e| e.shuttle.starbase = Observed::Seen(StarbaseRead::NotAsked),
    },
];
