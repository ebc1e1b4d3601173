//! Step 6.

use crate::case::{Case, fails, not_asked, passes, unseen, warns};
use crate::given::{minutes, registration, starbase, status, unknown};
use starform_verify::evidence::{Certificate, GateVerdict, Observed, Phase, Reason, StarbaseRead};

pub(crate) const CASES: &[Case] = &[
    fails("SF601", "registered and degraded by SF427: no logs").when("degraded", |e| {
        let judged = status(e).written;
        status(e).phase = Phase::Degraded;
        status(e).verdict = Some(GateVerdict {
            passes: false,
            answer: "no logs".into(),
            first_broken: Some("SF427".into()),
            first_broken_step: None,
            judged,
        });
    }),
    fails("SF601", "Starbase rejects the cluster: 409").when("rejected", |e| {
        status(e).phase = Phase::Rejected;
        status(e).reason = "409".into();
    }),
    fails("SF601", "Shuttle is verifying: not yet").when("verifying", |e| {
        status(e).phase = Phase::Verifying;
        status(e).reason = "not yet".into();
    }),
    fails("SF601", "shows no registration").when("active without registration", |e| status(e).registration = None),
    fails("SF602", "2m 6s before the status was written").when("heartbeats stopped", |e| {
        let accepted = &mut registration(e).heartbeat_accepted;
        *accepted = accepted.map(|accepted| accepted - minutes(2));
    }),
    fails("SF602", "none was accepted since the registration")
        .when("no heartbeat", |e| registration(e).heartbeat_accepted = None),
    passes("SF602", "none was accepted since").when("just registered", |e| {
        registration(e).granted = status(e).written;
        registration(e).heartbeat_accepted = None;
    }),
    unseen("SF602", "no interval").when("no interval", |e| registration(e).heartbeat_interval_seconds = 0),
    fails("SF603", "Starbase calls the cluster lost, Shuttle calls itself active")
        .when("starbase calls it lost", |e| starbase(e).state = "lost".into()),
    fails("SF603", "registered with UID x").when("starbase has another uid", |e| starbase(e).uid = "x".into()),
    fails("SF603", "Starbase has generation 4, Shuttle 3")
        .when("starbase has another generation", |e| starbase(e).generation = 4),
    fails("SF603", "region \"fra1\"").when("starbase has another region", |e| starbase(e).region = "fra1".into()),
    fails("SF603", "knows no cluster testbed")
        .when("starbase knows nothing", |e| e.shuttle.starbase = Observed::Absent),
    unseen("SF603", "unauthorized").when("starbase refuses the token", |e| {
        e.shuttle.starbase = unknown(Reason::Unauthorized);
    }),
    not_asked("SF603", "--starbase URL --token-file FILE asks it").when("starbase is not asked", |e| {
        e.shuttle.starbase = Observed::Seen(StarbaseRead::NotAsked);
    }),
    warns("SF604", "Starbase's certificate CN=starbase ends on").when("starbase s certificate ends", |e| {
        let until = e.collected + jiff::SignedDuration::from_hours(50);
        e.shuttle.starbase_certificate = Observed::Seen(Certificate {
            subject: "CN=starbase".to_owned(),
            until,
            from: None,
        });
    }),
    unseen("SF604", "not collected").when("starbase s certificate was not seen", |e| {
        e.shuttle.starbase_certificate = unknown(Reason::NotCollected);
    }),
    not_asked("SF604", "--starbase URL --token-file FILE asks it").when(
        "starbase is not asked for its certificate",
        |e| {
            e.shuttle.starbase = Observed::Seen(StarbaseRead::NotAsked);
        },
    ),
];
