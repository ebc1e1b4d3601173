use super::*;
use crate::join::sample::{healthy, node_pods, pod, rows};
use rstest::rstest;
use starform_verify::evidence::{PodAgain, SecondLook};

fn judge(evidence: &Evidence, node: &str, read: &Pods) -> Result<u32, String> {
    Rows::of(&Contract::embedded().unwrap(), evidence)
        .unwrap()
        .judge(node, read)
}

fn read(pods: &[(String, String)]) -> Pods {
    pods.iter()
        .map(|(namespace, name)| (namespace.as_str(), name.as_str()))
        .collect()
}

#[test]
fn every_pod_of_a_healthy_node_joins_its_own_row() {
    let evidence = healthy();
    for node in ["node1", "node2"] {
        let pods = node_pods(&evidence, node);
        assert!(!pods.is_empty());
        assert_eq!(
            judge(&evidence, node, &read(&pods)),
            Ok(u32::try_from(pods.len()).unwrap()),
            "{node}"
        );
    }
}

#[test]
fn a_pod_without_a_row_fails_its_node_and_is_named() {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    let (namespace, name) = &pods[0];
    rows(&mut evidence).retain(|row| *row.pod != **name);
    let problem = judge(&evidence, "node1", &read(&pods)).unwrap_err();
    assert_eq!(
        problem,
        format!(
            "1 of {} pods have no row of kube_pod_labels: {namespace}/{name}",
            pods.len()
        )
    );
    let others = node_pods(&evidence, "node2");
    assert!(judge(&evidence, "node2", &read(&others)).is_ok());
}

/// Its metrics are still there: the kubelet keeps what has gone for a while.
#[test]
fn what_came_or_went_while_pods_and_rows_were_read_is_not_judged() {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    let (namespace, name) = &pods[0];
    let uid = pod(&mut evidence, namespace, name).uid.clone();
    rows(&mut evidence).retain(|row| *row.pod != **name);
    let again = |listed| PodAgain {
        uid: uid.clone(),
        listed,
        row: None,
        listed_last: None,
    };
    let look = |pods| Some(Observed::Seen(SecondLook { pods, rows: Vec::new() }));
    evidence.second_look = look(vec![again(true)]);
    assert!(judge(&evidence, "node1", &read(&pods)).is_err());
    evidence.second_look = look(vec![again(false)]);
    let joined = u32::try_from(pods.len() - 1).unwrap();
    assert_eq!(judge(&evidence, "node1", &read(&pods)), Ok(joined));
    // Nor does the kubelet lack it.
    assert_eq!(judge(&evidence, "node1", &read(&pods[1..])), Ok(joined));
}

#[test]
fn a_sandboxed_pod_that_the_kubelet_does_not_name_is_none_that_is_missing() {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    assert!(judge(&evidence, "node1", &read(&pods[1..])).is_err());
    let (namespace, name) = &pods[0];
    pod(&mut evidence, namespace, name).runtime_class = Some("gvisor".into());
    assert!(judge(&evidence, "node1", &read(&pods[1..])).is_ok());
    // Unless it names none at all.
    for (namespace, name) in &pods {
        pod(&mut evidence, namespace, name).runtime_class = Some("gvisor".into());
    }
    assert!(judge(&evidence, "node1", &read(&[])).is_err());
}

#[test]
fn a_pod_with_two_rows_fails_and_so_does_one_with_only_an_earlier_pods_row() {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    let name = pods[0].1.clone();
    let mut row = rows(&mut evidence)
        .iter()
        .find(|row| *row.pod == *name)
        .unwrap()
        .clone();
    row.uid = "of-an-earlier-pod".into();
    rows(&mut evidence).push(row.clone());
    let problem = judge(&evidence, "node1", &read(&pods)).unwrap_err();
    assert!(problem.contains("have more than one row"), "{problem}");
    rows(&mut evidence).retain(|row| *row.pod != *name);
    rows(&mut evidence).push(row);
    let problem = judge(&evidence, "node1", &read(&pods)).unwrap_err();
    assert!(problem.contains("have only the row of an earlier pod"), "{problem}");
}

/// What takes a pod out of the judgement: then its missing row is no failure.
#[rstest]
#[case::just_created(|pod: &mut Pod, now: Timestamp| pod.created = now - SignedDuration::from_secs(5))]
#[case::just_deleted(|pod: &mut Pod, _: Timestamp| pod.deleting = true)]
#[case::elsewhere_by_now(|pod: &mut Pod, _: Timestamp| pod.node = Some("node2".into()))]
fn a_pod_in_motion_is_not_judged(#[case] change: fn(&mut Pod, Timestamp)) {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    let (namespace, name) = pods[0].clone();
    rows(&mut evidence).retain(|row| *row.pod != *name);
    let now = evidence.now(Source::Pods).unwrap();
    assert!(judge(&evidence, "node1", &read(&pods)).is_err());
    change(pod(&mut evidence, &namespace, &name), now);
    let others = u32::try_from(pods.len() - 1).unwrap();
    assert_eq!(judge(&evidence, "node1", &read(&pods)), Ok(others));
}

#[test]
fn a_pod_that_the_api_server_does_not_list_is_not_judged() {
    // A static pod whose mirror could not be made; one that was made after the list; one that has gone.
    let evidence = healthy();
    let mut pods = node_pods(&evidence, "node1");
    let count = u32::try_from(pods.len()).unwrap();
    pods.push(("kube-system".to_owned(), "etcd-node1".to_owned()));
    assert_eq!(judge(&evidence, "node1", &read(&pods)), Ok(count));
}

#[test]
fn a_kubelet_that_shows_none_of_its_running_pods_fails() {
    let evidence = healthy();
    let problem = judge(&evidence, "node1", &Pods::default()).unwrap_err();
    assert!(
        problem.starts_with("the kubelet's metrics lack 4 of 4 running pods: "),
        "{problem}"
    );
    // A node on which nothing runs has nothing to show.
    assert_eq!(judge(&evidence, "node3", &Pods::default()), Ok(0));
}

#[test]
fn pods_of_which_the_kubelet_cannot_have_metrics_yet_may_be_missing() {
    let mut evidence = healthy();
    let pods = node_pods(&evidence, "node1");
    let now = evidence.now(Source::Pods).unwrap();
    let (first, rest) = pods.split_first().unwrap();
    assert!(judge(&evidence, "node1", &read(rest)).is_err());
    let young = pod(&mut evidence, &first.0, &first.1);
    young.created = now - SignedDuration::from_secs(30);
    young.started = Some(now - SignedDuration::from_secs(28));
    assert!(judge(&evidence, "node1", &read(rest)).is_ok());
    // One that crashed and was started again a moment ago.
    let restarted = pod(&mut evidence, &first.0, &first.1);
    restarted.created = now - SignedDuration::from_hours(1);
    assert!(judge(&evidence, "node1", &read(rest)).is_ok());
    pod(&mut evidence, &first.0, &first.1).started = Some(now - SignedDuration::from_mins(10));
    assert!(judge(&evidence, "node1", &read(rest)).is_err());
    let completed = pod(&mut evidence, &first.0, &first.1);
    completed.created = now - SignedDuration::from_hours(1);
    completed.status = "Completed".into();
    assert!(judge(&evidence, "node1", &read(rest)).is_ok());
}

#[test]
fn nothing_is_judged_by_what_was_not_seen() {
    let contract = Contract::embedded().unwrap();
    let mut evidence = healthy();
    evidence.pods = Observed::not_collected();
    assert!(Rows::of(&contract, &evidence).is_none());
    let mut evidence = healthy();
    evidence.scrapes = Observed::Absent;
    assert!(Rows::of(&contract, &evidence).is_none());
    let mut evidence = healthy();
    let Observed::Seen(scrapes) = &mut evidence.scrapes else {
        unreachable!()
    };
    scrapes[0].rows = Observed::not_collected();
    assert!(Rows::of(&contract, &evidence).is_none());
    let mut evidence = healthy();
    evidence.api_server = Observed::not_collected();
    assert!(
        Rows::of(&contract, &evidence).is_none(),
        "without a clock nothing has an age"
    );
}
