//! `shuttle deregister`.

use shuttle::deregister::{Arguments, DeregisterError, Outcome, run};
use shuttle::registrar::{Refusal, Registrar};
use tempfile::TempDir;
use testbed::{ClusterState, Fault, FaultKind, Operation, RetryAfter};

use super::bed::{Bed, ID, OTHER_UID, UID, registering, write_parameters};

fn arguments(bed: &Bed, token: &str) -> (Arguments, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    write_parameters(folder.path(), token);
    let arguments = Arguments {
        parameters: folder.path().to_owned(),
        starbase: bed.address(),
        starbase_authority: Some(bed.starbase.authority()),
        uid: None,
        environment_proxy: false,
    };
    (arguments, folder)
}

#[tokio::test]
async fn a_registration_is_ended_once_and_ending_it_again_is_a_success() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    let (arguments, _folder) = arguments(&bed, &token);
    let never = run(&arguments).await.unwrap();
    assert_eq!(never.to_string(), "cluster ID `fra1-blue` was never registered");

    bed.client_with(&token)
        .registrar
        .register(&registering(UID))
        .await
        .unwrap();
    let ended = run(&arguments).await.unwrap();
    assert_eq!(
        ended.to_string(),
        format!("the registration of cluster ID `fra1-blue` (UID {UID}, generation 1) was ended")
    );
    assert_eq!(bed.starbase.clusters().unwrap()[0].state, ClusterState::Ended);

    let again = run(&arguments).await.unwrap();
    assert!(matches!(again, Outcome::EndedBefore { .. }), "{again}");
    bed.validate();
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    bed.client_with(&token)
        .registrar
        .register(&registering(UID))
        .await
        .unwrap();
    bed.starbase
        .fault(&Fault::times(FaultKind::Drop, 1).on(Operation::Status))
        .unwrap();
    let kind = FaultKind::Status {
        status: 503,
        retry_after: Some(RetryAfter::Seconds(1)),
    };
    bed.starbase.fault(&Fault::times(kind, 1).on(Operation::End)).unwrap();
    bed.starbase
        .fault(&Fault::times(FaultKind::DropAnswer, 1).on(Operation::End))
        .unwrap();
    let (arguments, _folder) = arguments(&bed, &token);
    let outcome = run(&arguments).await.unwrap();
    assert!(matches!(outcome, Outcome::Ended { .. }), "{outcome}");
    assert_eq!(bed.starbase.clusters().unwrap()[0].state, ClusterState::Ended);
    let asked = bed.starbase.requests().unwrap().len();
    assert_eq!(asked, 1 + 2 + 3, "one registration, two GETs, three DELETEs");
    bed.validate();
}

#[tokio::test]
async fn what_will_not_pass_ends_at_once() {
    let bed = Bed::new();
    let (refused, _folder) = arguments(&bed, "starbase_unknown");
    let error = run(&refused).await.unwrap_err();
    assert!(
        matches!(&error, DeregisterError::Request(error) if matches!(error.refusal, Refusal::UnknownToken { .. })),
        "{error}"
    );
    assert_eq!(bed.starbase.requests().unwrap().len(), 1);

    let kind = FaultKind::Status {
        status: 503,
        retry_after: Some(RetryAfter::Seconds(900)),
    };
    bed.starbase.fault(&Fault::always(kind)).unwrap();
    let (busy, _folder) = arguments(&bed, &bed.starbase.mint(ID).unwrap());
    let error = run(&busy).await.unwrap_err();
    assert!(error.to_string().contains("asks for patience for 900 s"), "{error}");
    assert_eq!(bed.starbase.requests().unwrap().len(), 2);
}

#[tokio::test]
async fn another_cluster_s_registration_is_left_alone_where_a_uid_is_given() {
    let bed = Bed::new();
    let token = bed.starbase.mint(ID).unwrap();
    bed.client_with(&token)
        .registrar
        .register(&registering(UID))
        .await
        .unwrap();
    let (mut arguments, _folder) = arguments(&bed, &token);
    arguments.uid = Some(OTHER_UID.to_owned());
    let error = run(&arguments).await.unwrap_err();
    assert!(matches!(error, DeregisterError::AnotherCluster { .. }), "{error}");
    assert_eq!(bed.starbase.clusters().unwrap()[0].state, ClusterState::Active);
    arguments.uid = Some(UID.to_owned());
    run(&arguments).await.unwrap();
}
