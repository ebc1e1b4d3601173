use super::*;
use crate::admin::sample;
use crate::announce::fake::{Server, refusal};
use http::StatusCode;

fn transition(from: Phase, to: Phase, reason: &str) -> Transition {
    Transition {
        from,
        to,
        reason: reason.to_owned(),
        at: "2026-11-22T17:00:00.25Z".parse().unwrap(),
    }
}

#[test]
fn an_event_is_about_the_own_pod_and_says_from_to_and_why() {
    let reason = "SF324 has failed for 30 s";
    let event = event(&sample::identity(), &transition(Phase::Active, Phase::Degraded, reason));
    assert_eq!(event.reason.as_deref(), Some("Degraded"));
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(
        event.note.as_deref(),
        Some("active to degraded: SF324 has failed for 30 s")
    );
    let pod = event.regarding.unwrap();
    assert_eq!(
        (pod.kind.as_deref(), pod.uid),
        (Some("Pod"), Some(sample::identity().uid))
    );
    assert_eq!(event.metadata.namespace.as_deref(), Some("starform-system"));
}

#[test]
fn every_transition_has_a_reason_that_is_one_word() {
    for from in Phase::ALL {
        for to in Phase::ALL {
            let word = word(from, to);
            assert!(word.starts_with(|first: char| first.is_ascii_uppercase()), "{word}");
            assert!(word.chars().all(|letter| letter.is_ascii_alphabetic()), "{word}");
        }
    }
    assert_eq!(word(Phase::Registering, Phase::Active), "Registered");
    assert_eq!(word(Phase::Degraded, Phase::Active), "Recovered");
}

#[test]
fn a_note_is_never_larger_than_the_api_server_takes_it() {
    let long = "ü".repeat(5_000);
    let event = event(&sample::identity(), &transition(Phase::Active, Phase::Degraded, &long));
    assert!(event.note.unwrap().len() <= NOTE);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_written_before_its_answer_got_lost_is_not_written_twice() {
    let server = Server::answering([
        refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        refusal(StatusCode::CONFLICT, "AlreadyExists"),
    ]);
    let events = Events::new(server.client(), sample::identity());
    let told = events.publish(&transition(Phase::Active, Phase::Degraded, "why")).await;
    assert_eq!(told, Ok(()));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].path,
        "/apis/events.k8s.io/v1/namespaces/starform-system/events"
    );
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_told_after_one_try() {
    let server = Server::answering([refusal(StatusCode::FORBIDDEN, "Forbidden")]);
    let events = Events::new(server.client(), sample::identity());
    let error = events.publish(&transition(Phase::Active, Phase::Degraded, "why")).await;
    assert_eq!(error, Err("403 Forbidden: refused".to_owned()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_server_is_given_up_in_bounded_time() {
    let server = Server::silent();
    let events = Events::new(server.client(), sample::identity());
    let before = tokio::time::Instant::now();
    let error = events.publish(&transition(Phase::Active, Phase::Degraded, "why")).await;
    assert_eq!(error, Err("no answer within 4.5 s".to_owned()));
    assert_eq!(server.requests().len(), 1 + TRIES_MORE);
    assert!(before.elapsed() < Duration::from_secs(25), "{:?}", before.elapsed());
}
