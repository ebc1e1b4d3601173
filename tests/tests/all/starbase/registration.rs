//! Who may register, what a generation fences, what tokens open.

use std::sync::Arc;
use std::time::Duration;

use shuttle::lifecycle::{Granted, Phase, Setback, SetbackKind};
use shuttle::registrar::wire::State;
use shuttle::registrar::{Registrar, Told};
use testbed::{ClusterState, Starbase};

use super::bed::{Bed, ID, OTHER_UID, UID, active, client_of, parameters_with, registering, told, verification};

fn said(setback: &Setback, words: &[&str]) {
    for words in words {
        assert!(
            setback.message.contains(words),
            "`{words}` is not in: {}",
            setback.message
        );
    }
}

#[tokio::test]
async fn a_cluster_registers_lives_ends_and_comes_back() {
    let bed = Bed::new();
    let client = bed.client();
    assert_eq!(client.registrar.status().await.unwrap(), None, "never registered");

    bed.starbase
        .rhythm(Duration::from_secs(7), Duration::from_secs(21))
        .unwrap();
    let granted = client.registrar.register(&registering(UID)).await.unwrap();
    let interval = Duration::from_secs(7);
    assert_eq!(
        granted,
        Granted {
            generation: 1,
            interval
        }
    );
    let status = client.registrar.status().await.unwrap().unwrap();
    assert_eq!((status.state, status.last_heartbeat), (State::Active, None));

    bed.starbase
        .rhythm(Duration::from_secs(9), Duration::from_secs(21))
        .unwrap();
    assert_eq!(
        client.registrar.heartbeat(1, &active()).await.unwrap(),
        Duration::from_secs(9)
    );
    let status = client.registrar.status().await.unwrap().unwrap();
    assert_eq!(status.phase, Phase::Active);
    assert!(status.last_heartbeat.is_some_and(|heard| heard <= status.now));

    client.registrar.end(1).await.unwrap();
    client.registrar.end(1).await.expect("ending is idempotent");
    let setback = client.registrar.heartbeat(1, &active()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Unregistered);
    assert_eq!(client.registrar.status().await.unwrap().unwrap().state, State::Ended);

    let granted = client.registrar.register(&registering(UID)).await.unwrap();
    assert_eq!(granted.generation, 2, "generations never repeat");
    bed.validate();
}

#[tokio::test]
async fn what_starbase_knows_is_what_was_told() {
    let bed = Bed::new();
    let client = bed.client();
    client.registrar.register(&registering(UID)).await.unwrap();
    let known = bed.starbase.clusters().unwrap().pop().unwrap();
    let report = &verification("healthy").report;
    assert_eq!(
        (known.cluster_id.as_str(), known.uid.as_str(), known.region.as_str()),
        (ID, UID, "fra1")
    );
    assert_eq!(known.kubernetes, report.subject.kubernetes);
    assert_eq!(known.contract, report.contract);
    assert_eq!(known.agent_instance, "shuttle-5c9d7b8f4-x2kqz");
    assert_eq!(known.report.unwrap(), serde_json::to_value(report).unwrap());
}

#[tokio::test]
async fn the_later_of_two_leaders_stands_and_the_earlier_is_told_so() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    let (first, second) = (bed.client_with(&token), bed.client_with(&token));
    let earlier = first.registrar.register(&registering(UID)).await.unwrap();
    let later = second.registrar.register(&registering(UID)).await.unwrap();
    assert_eq!((earlier.generation, later.generation), (1, 2));

    let setback = first.registrar.heartbeat(1, &active()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Superseded);
    said(&setback, &["generation 2", "steps down"]);
    assert!(first.registrar.end(1).await.is_err(), "a stale agent ends nothing");
    second.registrar.heartbeat(2, &active()).await.unwrap();
    assert_eq!(bed.starbase.clusters().unwrap()[0].state, ClusterState::Active);
    bed.validate();
}

#[tokio::test]
async fn another_cluster_does_not_take_an_id_away() {
    let bed = Bed::new();
    let client = bed.client();
    client.registrar.register(&registering(UID)).await.unwrap();

    // The forgotten copy: the same token, another UID.
    let setback = client.registrar.register(&registering(OTHER_UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    said(
        &setback,
        &["409", ID, UID, "`shuttle deregister` there", "mint a new one"],
    );

    // A second token alone does not help: the first still holds.
    let newer = bed.client();
    assert_eq!(
        newer
            .registrar
            .register(&registering(OTHER_UID))
            .await
            .unwrap_err()
            .kind,
        SetbackKind::Rejected
    );

    // Nor does a heartbeat with a guessed generation.
    let setback = newer
        .registrar
        .heartbeat(1, &told(OTHER_UID, Phase::Active))
        .await
        .unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);

    let known = bed.starbase.clusters().unwrap().pop().unwrap();
    assert_eq!((known.uid.as_str(), known.generation), (UID, 1));
    bed.validate();
}

#[tokio::test]
async fn a_rebuilt_cluster_comes_back_with_a_token_minted_after_the_old_one_was_revoked() {
    let bed = Bed::new();
    let old = bed.starbase.mint(ID).unwrap();
    bed.client_with(&old)
        .registrar
        .register(&registering(UID))
        .await
        .unwrap();
    let early = bed.client();
    bed.starbase.revoke(&old).unwrap();
    let late = bed.client();

    let setback = early.registrar.register(&registering(OTHER_UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected, "minted before the revocation");
    let granted = late.registrar.register(&registering(OTHER_UID)).await.unwrap();
    assert_eq!(granted.generation, 2);

    // And the copy of the old cluster stays out, whatever token it has.
    let setback = early.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    said(&setback, &[OTHER_UID]);
    bed.validate();
}

#[tokio::test]
async fn an_id_whose_registration_was_ended_is_free() {
    let bed = Bed::new();
    let client = bed.client();
    client.registrar.register(&registering(UID)).await.unwrap();
    client.registrar.end(1).await.unwrap();
    let granted = client.registrar.register(&registering(OTHER_UID)).await.unwrap();
    assert_eq!(granted.generation, 2);
    bed.validate();
}

#[tokio::test]
async fn a_replaced_token_takes_effect_without_a_restart() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    let client = bed.client_with(&token);
    client.registrar.register(&registering(UID)).await.unwrap();
    bed.starbase.revoke(&token).unwrap();
    let setback = client.registrar.heartbeat(1, &active()).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    said(&setback, &["401", "was revoked at", "without a restart"]);

    let second = bed.starbase.mint(ID).unwrap();
    client.parameters.send_replace(Arc::new(parameters_with(&second)));
    client.registrar.heartbeat(1, &active()).await.unwrap();
    bed.validate();
}

#[tokio::test]
async fn a_token_opens_its_own_cluster_only() {
    let bed = Bed::new();
    let foreign = bed.client_with(&bed.starbase.mint("ams3-red").unwrap());
    let setback = foreign.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    said(&setback, &["403", "have to belong together"]);
    let unknown = bed.client_with("starbase_nobody_minted_this");
    let setback = unknown.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Rejected);
    said(&setback, &["401", "never minted"]);
    assert!(bed.starbase.clusters().unwrap().is_empty());
    bed.validate();
}

#[tokio::test]
async fn a_report_that_does_not_show_every_gating_check_is_not_enough() {
    let bed = Bed::new();
    let client = bed.client();
    let broken = Told {
        report: Some(verification("allowlist-missing")),
        ..registering(UID)
    };
    let setback = client.registrar.register(&broken).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::VerifyAgain);
    said(&setback, &["SF324"]);
    let silent = Told {
        report: None,
        ..registering(UID)
    };
    let setback = client.registrar.register(&silent).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::VerifyAgain);
    assert!(bed.starbase.clusters().unwrap().is_empty());
    bed.validate();
}

#[tokio::test]
async fn a_silent_cluster_is_lost_by_starbase_s_clock_and_found_again() {
    let bed = Bed::new();
    let client = bed.client();
    client.registrar.register(&registering(UID)).await.unwrap();
    client.registrar.heartbeat(1, &active()).await.unwrap();
    let state = || bed.starbase.clusters().unwrap()[0].state;

    bed.starbase.advance(Duration::from_secs(80)).unwrap();
    assert_eq!(state(), ClusterState::Active);
    bed.starbase.advance(Duration::from_secs(15)).unwrap();
    assert_eq!(state(), ClusterState::Lost);
    assert_eq!(client.registrar.status().await.unwrap().unwrap().state, State::Lost);

    client
        .registrar
        .heartbeat(1, &told(UID, Phase::Degraded))
        .await
        .unwrap();
    assert_eq!(state(), ClusterState::Degraded);
    client.registrar.heartbeat(1, &active()).await.unwrap();
    assert_eq!(state(), ClusterState::Active);
    bed.validate();
}

#[tokio::test]
async fn several_processes_are_one_starbase() {
    let bed = Bed::new();
    let second = Starbase::open(bed.dir.path()).unwrap();
    let other = second.serve("127.0.0.1:0".parse().unwrap()).unwrap();
    let token = bed.starbase.mint(ID).unwrap();
    let here = bed.client_with(&token);
    let there = {
        let mut options = bed.options();
        options.address = other.url().parse().unwrap();
        client_of(&token, options)
    };
    here.registrar.register(&registering(UID)).await.unwrap();
    there.registrar.heartbeat(1, &active()).await.unwrap();
    assert_eq!(second.authority(), bed.starbase.authority());

    // Both at once: every registration has a generation of its own.
    let mut generations = Vec::new();
    for _ in 0..5 {
        let told = registering(UID);
        let (a, b) = tokio::join!(here.registrar.register(&told), there.registrar.register(&told));
        generations.extend([a.unwrap().generation, b.unwrap().generation]);
    }
    generations.sort_unstable();
    assert_eq!(generations, (2..=11).collect::<Vec<u64>>());
    bed.validate();
}

#[tokio::test]
async fn the_token_is_nowhere_in_starbase_s_log() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    let client = bed.client_with(&token);
    client.registrar.register(&registering(UID)).await.unwrap();
    let log = format!("{:?}", bed.starbase.requests().unwrap());
    assert!(log.contains("Bearer (token)"), "{log}");
    assert!(!log.contains(&token));
}
