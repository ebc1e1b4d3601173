use super::*;
use crate::join::sample::{healthy, pod, rows, seen};
use crate::kubelet::mock::{Reply, Server};
use jiff::SignedDuration;
use serde_json::json;

fn contract() -> Contract {
    Contract::embedded().unwrap()
}

/// A pod of the recording takes the part of the agent's.
fn identity(evidence: &Evidence) -> Identity {
    let Observed::Seen(pods) = &evidence.pods else {
        unreachable!()
    };
    let own = pods.iter().find(|pod| &*pod.namespace == "shop").unwrap();
    Identity {
        namespace: own.namespace.to_string(),
        pod: own.name.to_string(),
        uid: own.uid.to_string(),
        node: own.node.as_deref().unwrap().to_owned(),
    }
}

fn labels(evidence: &Evidence) -> BTreeMap<String, String> {
    (evidence.label_keys.iter().enumerate())
        .map(|(position, key)| (key.clone(), format!("value-{position}")))
        .collect()
}

/// A cluster in which the own pod's labels are on its row.
fn flowing() -> (Evidence, Identity, Labelled) {
    let mut evidence = healthy();
    let identity = identity(&evidence);
    let labels = labels(&evidence);
    let values: Box<[_]> = (evidence.label_keys.iter())
        .map(|key| Some(labels[key].as_str().into()))
        .collect();
    pod(&mut evidence, &identity.namespace, &identity.pod).labels = values.clone();
    let row = rows(&mut evidence)
        .iter_mut()
        .find(|row| *row.uid == *identity.uid)
        .unwrap();
    row.labels = values;
    let at = evidence.collected - SignedDuration::from_secs(2);
    let labelled = Labelled {
        labels,
        at,
        fresh: true,
    };
    (evidence, identity, labelled)
}

fn look(evidence: &Evidence, identity: &Identity, labelled: &Labelled) -> Canary {
    observe(&contract(), evidence, identity, Some(labelled), &Canary::default())
}

#[test]
fn labels_that_are_on_the_row_under_the_own_uid_are_proven_with_their_lag() {
    let (evidence, identity, labelled) = flowing();
    let canary = look(&evidence, &identity, &labelled);
    assert_eq!(canary.uid, identity.uid);
    assert!(canary.row);
    assert!(canary.missing.is_empty(), "{:?}", canary.missing);
    assert_eq!(canary.labelled, Some(labelled.at));
    // The recording's scrape ended 73 ms after it began.
    assert_eq!(canary.lag_ms, Some(2_073));
    assert!(canary.observed.is_some());
    assert!(canary.metrics_age_ms.unwrap() <= canary.metrics_age_limit_ms);
    assert!(canary.metrics_age_limit_ms >= 45_000);
}

#[test]
fn the_row_of_an_earlier_pod_of_the_same_name_proves_nothing() {
    let (evidence, mut identity, labelled) = flowing();
    identity.uid = "another".to_owned();
    let canary = look(&evidence, &identity, &labelled);
    assert!(!canary.row);
    assert_eq!(canary.missing, evidence.label_keys);
    assert_eq!(canary.lag_ms, None);
}

#[test]
fn a_label_that_is_missing_or_has_another_value_is_named() {
    let (mut evidence, identity, labelled) = flowing();
    let row = rows(&mut evidence)
        .iter_mut()
        .find(|row| *row.uid == *identity.uid)
        .unwrap();
    row.labels[1] = None;
    row.labels[3] = Some("an earlier value".into());
    let canary = look(&evidence, &identity, &labelled);
    assert!(canary.row);
    assert_eq!(
        canary.missing,
        [evidence.label_keys[1].clone(), evidence.label_keys[3].clone()]
    );
    assert_eq!(canary.lag_ms, None);
    // A label that the pod itself lacks is not proven by its absence from the row.
    let (mut evidence, identity, mut labelled) = flowing();
    let row = rows(&mut evidence)
        .iter_mut()
        .find(|row| *row.uid == *identity.uid)
        .unwrap();
    row.labels[2] = None;
    labelled.labels.remove(&evidence.label_keys[2]);
    let canary = look(&evidence, &identity, &labelled);
    assert_eq!(canary.missing, [evidence.label_keys[2].clone()]);
    // And without labels nothing is proven at all.
    let canary = observe(&contract(), &evidence, &identity, None, &Canary::default());
    assert_eq!(canary.missing, evidence.label_keys);
}

#[test]
fn the_lag_is_measured_once_for_each_labelling() {
    let (mut evidence, identity, mut labelled) = flowing();
    let first = look(&evidence, &identity, &labelled);
    evidence.collected += SignedDuration::from_secs(60);
    let second = observe(&contract(), &evidence, &identity, Some(&labelled), &first);
    assert_eq!(second.lag_ms, first.lag_ms);
    // Other parameters: labelled anew.
    labelled.at += SignedDuration::from_secs(61);
    let third = observe(&contract(), &evidence, &identity, Some(&labelled), &second);
    assert_eq!(third.lag_ms, Some(1_073));
    // A container that restarted finds its labels already there: the time since says nothing.
    labelled.fresh = false;
    let canary = look(&evidence, &identity, &labelled);
    assert_eq!(canary.lag_ms, None);
}

#[test]
fn what_could_not_be_seen_is_not_claimed() {
    for blank in [
        (|evidence: &mut Evidence| evidence.scrapes = Observed::not_collected()) as fn(&mut Evidence),
        |evidence| evidence.pod_metrics = Observed::not_collected(),
    ] {
        let (mut evidence, identity, labelled) = flowing();
        blank(&mut evidence);
        assert_eq!(look(&evidence, &identity, &labelled).observed, None);
    }
    // Absence was seen.
    let (mut evidence, identity, labelled) = flowing();
    evidence.pod_metrics = Observed::Absent;
    let canary = look(&evidence, &identity, &labelled);
    assert!(canary.observed.is_some());
    assert_eq!(canary.metrics_age_ms, None);
}

#[test]
fn stale_metrics_are_as_old_as_the_api_servers_clock_says() {
    let (mut evidence, identity, labelled) = flowing();
    let now = evidence.now(Source::PodMetrics).unwrap();
    let own = seen(&mut evidence.pod_metrics)
        .iter_mut()
        .find(|each| *each.name == *identity.pod)
        .unwrap();
    own.timestamp = now - SignedDuration::from_mins(5);
    let canary = look(&evidence, &identity, &labelled);
    assert_eq!(canary.metrics_age_ms, Some(300_000));
    assert!(canary.metrics_age_ms.unwrap() > canary.metrics_age_limit_ms);
    seen(&mut evidence.pod_metrics).retain(|each| *each.name != *identity.pod);
    assert_eq!(look(&evidence, &identity, &labelled).metrics_age_ms, None);
}

#[test]
fn a_label_that_somebody_took_off_the_own_pod_is_noticed() {
    let (mut evidence, identity, labelled) = flowing();
    assert!(!is_stripped(&evidence, &identity, &labelled.labels));
    let own = pod(&mut evidence, &identity.namespace, &identity.pod);
    own.labels[0] = Some("another cluster".into());
    assert!(is_stripped(&evidence, &identity, &labelled.labels));
    pod(&mut evidence, &identity.namespace, &identity.pod).labels[0] = None;
    assert!(is_stripped(&evidence, &identity, &labelled.labels));
    evidence.pods = Observed::not_collected();
    assert!(!is_stripped(&evidence, &identity, &labelled.labels), "nothing was seen");
}

fn stored(uid: &str, time: Timestamp) -> Vec<u8> {
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": {
            "name": "shuttle-0", "namespace": "starform-system", "uid": uid,
            "labels": {"starform.io/cluster-id": "c-1", "starform.io/app": "shuttle"},
            "managedFields": [
                {"manager": "kube-controller-manager", "operation": "Update", "time": "2020-01-01T00:00:00Z"},
                {"manager": FIELD_MANAGER, "operation": "Apply", "time": time.to_string()},
            ],
        },
    })
    .to_string()
    .into_bytes()
}

fn own() -> Identity {
    Identity {
        namespace: "starform-system".to_owned(),
        pod: "shuttle-0".to_owned(),
        uid: "u-1".to_owned(),
        node: "node1".to_owned(),
    }
}

#[tokio::test]
async fn the_own_pod_is_labelled_by_server_side_apply_for_its_uid_only() {
    let server = Server::plain(|_| Reply::Whole(200, "application/json", stored("u-1", Timestamp::now()))).await;
    let wanted = BTreeMap::from([("starform.io/cluster-id".to_owned(), "c-1".to_owned())]);
    let labelled = label(&server.client(), &own(), &wanted).await.unwrap();
    assert!(labelled.fresh);
    assert_eq!(
        labelled.labels["starform.io/app"], "shuttle",
        "what the API server answered is what is expected"
    );
    let request = server.requests().remove(0);
    assert_eq!(request.method, "PATCH");
    assert_eq!(
        request.path,
        "/api/v1/namespaces/starform-system/pods/shuttle-0?&force=true&fieldManager=shuttle-canary"
    );
    assert!(request.headers.contains("content-type: application/apply-patch+yaml"));
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"uid": "u-1", "labels": {"starform.io/cluster-id": "c-1"}},
        })
    );
}

#[tokio::test]
async fn labels_that_were_there_already_are_as_old_as_the_api_server_says() {
    let hour_ago = Timestamp::from_second(Timestamp::now().as_second() - 3_600).unwrap();
    let server = Server::plain(move |_| Reply::Whole(200, "application/json", stored("u-1", hour_ago))).await;
    let labelled = label(&server.client(), &own(), &BTreeMap::new()).await.unwrap();
    assert_eq!((labelled.at, labelled.fresh), (hour_ago, false));
}

#[tokio::test]
async fn a_refusal_names_the_pod_and_what_was_said() {
    let refusal = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "pods \"shuttle-0\" is forbidden",
    });
    let server = Server::plain(move |_| Reply::Whole(403, "application/json", refusal.to_string().into())).await;
    let error = label(&server.client(), &own(), &BTreeMap::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "labelling pod starform-system/shuttle-0: 403: pods \"shuttle-0\" is forbidden"
    );
}
