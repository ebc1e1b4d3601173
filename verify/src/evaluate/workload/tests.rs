use super::*;
use crate::contract::Contract;
use crate::evidence::{ApiServer, Evidence, LastChange, Observed, Rollout, RolloutCondition, Target, Timing};
use crate::report::Verdict;
use rstest::rstest;
use std::collections::BTreeMap;

const SOURCE: Source = Source::StateMetricsWorkloads;

fn now() -> Timestamp {
    "2026-11-22T15:00:00Z".parse().unwrap()
}

fn workload(kind: WorkloadKind, [desired, ready, updated]: [u32; 3]) -> Workload {
    Workload {
        kind,
        namespace: "kube-system".to_owned(),
        name: "ksm".to_owned(),
        desired,
        ready,
        updated,
        available: None,
        observed: true,
        image: String::new(),
        version: None,
        release: None,
        release_namespace: None,
        keeper: None,
        own_command: None,
        flags: BTreeMap::new(),
        unread_flags: None,
        unread_arguments: Vec::new(),
        trouble: None,
        selector: None,
        placement: None,
        containers: None,
        services: None,
        owners: None,
        rollout: None,
        last_change: None,
    }
}

fn changed(mut workload: Workload, seconds_ago: i64) -> Workload {
    workload.last_change = Some(LastChange {
        time: now() - SignedDuration::from_secs(seconds_ago),
        manager: "helm".to_owned(),
        operation: "Update".to_owned(),
    });
    workload
}

fn of_revisions(mut workload: Workload, revision: &str, whole: &str) -> Workload {
    workload.rollout = Some(Rollout {
        revision: Some(revision.to_owned()),
        whole_revision: Some(whole.to_owned()),
        ..Rollout::default()
    });
    workload
}

/// Its controller has not seen the change yet.
fn unseen(workload: Workload) -> Workload {
    Workload {
        observed: false,
        ..workload
    }
}

fn half_known(workload: Workload) -> Workload {
    let mut workload = of_revisions(workload, "b", "a");
    workload.rollout.as_mut().unwrap().whole_revision = None;
    workload
}

fn progressing(mut workload: Workload, status: &str, reason: &str) -> Workload {
    let condition = RolloutCondition {
        kind: "Progressing".to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        since: Some(now() - SignedDuration::from_hours(2)),
        updated: Some(now() - SignedDuration::from_mins(5)),
    };
    workload.rollout = Some(Rollout {
        conditions: vec![condition],
        ..Rollout::default()
    });
    workload
}

/// Judged by the API server's clock, or without one.
fn judged(workloads: &[Workload], all_needed: bool, has_clock: bool) -> Outcome {
    let target = Target::outside();
    let mut evidence = Evidence::empty(target, String::new(), Vec::new(), now());
    evidence.api_server = Observed::Seen(ApiServer {
        git_version: String::new(),
        date: has_clock.then(now),
    });
    let timing = Timing {
        started_ms: 0,
        ended_ms: 0,
    };
    evidence.timings.extend([(Source::ApiServer, timing), (SOURCE, timing)]);
    let contract = Contract::embedded().unwrap();
    let subject = Subject {
        contract: &contract,
        evidence: &evidence,
    };
    let judge = Workloads {
        subject,
        release: "kube-state-metrics",
        source: SOURCE,
    };
    let workloads: Vec<&Workload> = workloads.iter().collect();
    judge.complete(&workloads, |_| all_needed, |workload| look_at(subject, workload))
}

use WorkloadKind::{DaemonSet, Deployment, StatefulSet};

#[rstest]
#[case::complete(workload(Deployment, [2, 2, 2]), Verdict::Pass, "2 pods")]
#[case::a_replica_is_missing(workload(Deployment, [2, 1, 2]), Verdict::Warn, "Deployment ksm has 1 of 2 pods ready")]
#[case::all_are_missing(workload(Deployment, [2, 0, 2]), Verdict::Fail, "Deployment ksm has 0 of 2 pods ready")]
#[case::old_pods(
    workload(StatefulSet, [2, 2, 1]), Verdict::Warn, "StatefulSet ksm is rolling out: 1 of 2 pods are of the newest revision"
)]
#[case::none_wanted(workload(StatefulSet, [0, 0, 0]), Verdict::Fail, "StatefulSet ksm is scaled to 0")]
#[case::no_node_wanted(workload(DaemonSet, [0, 0, 0]), Verdict::Fail, "DaemonSet ksm wants a pod on no node")]
fn one_is_as_complete_as_its_pods_are(#[case] workload: Workload, #[case] verdict: Verdict, #[case] observed: &str) {
    let outcome = judged(&[workload], false, true);
    assert_eq!((outcome.verdict, outcome.observed.as_str()), (verdict, observed));
    assert_eq!(outcome.fix.is_some(), verdict != Verdict::Pass);
    assert_eq!(
        outcome.lasting,
        observed.contains("is scaled to 0") || observed.contains("on no node")
    );
}

/// Of shards every pod is needed, but those that a rollout replaces.
#[rstest]
#[case::down(of_revisions(workload(StatefulSet, [2, 1, 2]), "a", "a"), Some(40), Verdict::Fail)]
#[case::replaced(of_revisions(workload(StatefulSet, [2, 1, 1]), "b", "a"), Some(40), Verdict::Warn)]
#[case::the_last(of_revisions(workload(StatefulSet, [2, 1, 2]), "b", "a"), Some(600), Verdict::Warn)]
#[case::for_too_long(of_revisions(workload(StatefulSet, [2, 1, 2]), "b", "a"), Some(601), Verdict::Fail)]
#[case::since_nobody_knows_when(of_revisions(workload(StatefulSet, [2, 1, 2]), "b", "a"), None, Verdict::Fail)]
#[case::one_revision_known(half_known(workload(StatefulSet, [2, 1, 2])), Some(40), Verdict::Fail)]
#[case::no_revision_known(workload(StatefulSet, [2, 1, 2]), Some(40), Verdict::Fail)]
#[case::none_ready(of_revisions(workload(StatefulSet, [2, 0, 1]), "b", "a"), Some(40), Verdict::Fail)]
#[case::all_ready(workload(StatefulSet, [2, 2, 1]), None, Verdict::Warn)]
#[case::in_progress(progressing(workload(Deployment, [2, 1, 2]), "True", "ReplicaSetUpdated"), Some(3_600), Verdict::Warn)]
#[case::for_hours(progressing(workload(Deployment, [2, 1, 2]), "True", "ReplicaSetUpdated"), Some(3_601), Verdict::Fail)]
#[case::since_when(progressing(workload(Deployment, [2, 1, 2]), "True", "ReplicaSetUpdated"), None, Verdict::Fail)]
#[case::not_made_again(progressing(workload(Deployment, [2, 1, 1]), "True", "NewReplicaSetAvailable"), Some(40), Verdict::Fail)]
#[case::not_seen_yet(unseen(progressing(workload(Deployment, [2, 1, 2]), "True", "NewReplicaSetAvailable")), Some(40), Verdict::Warn)]
#[case::never_seen(unseen(progressing(workload(Deployment, [2, 1, 2]), "True", "NewReplicaSetAvailable")), Some(601), Verdict::Fail)]
#[case::in_a_time_to_come(of_revisions(workload(StatefulSet, [2, 1, 1]), "b", "a"), Some(-61), Verdict::Fail)]
#[case::given_up(progressing(workload(Deployment, [2, 1, 1]), "False", "ProgressDeadlineExceeded"), Some(40), Verdict::Fail)]
#[case::rolled_out(progressing(workload(Deployment, [2, 1, 2]), "True", "NewReplicaSetAvailable"), Some(40), Verdict::Fail)]
#[case::on_a_node(workload(DaemonSet, [2, 1, 2]), Some(40), Verdict::Warn)]
#[case::on_a_node_for_too_long(workload(DaemonSet, [2, 1, 2]), Some(601), Verdict::Fail)]
fn a_shard_may_be_missing_while_it_is_replaced(
    #[case] workload: Workload,
    #[case] changed_ago: Option<i64>,
    #[case] verdict: Verdict,
) {
    let workload = match changed_ago {
        Some(seconds) => changed(workload, seconds),
        None => workload,
    };
    let outcome = judged(std::slice::from_ref(&workload), true, true);
    assert_eq!(outcome.verdict, verdict, "{}", outcome.observed);
    // Without a clock nobody knows whether there is time left.
    let timed = workload.ready < workload.desired;
    let without = judged(&[workload], true, false);
    let expected = if timed { Verdict::Fail } else { verdict };
    assert_eq!(without.verdict, expected, "{}", without.observed);
}

/// The condition was updated five minutes ago.
#[rstest]
#[case::it(300, Verdict::Warn)]
#[case::less(299, Verdict::Fail)]
#[case::none(2_147_483_647, Verdict::Warn)]
fn a_deployment_names_its_own_deadline(#[case] seconds: u32, #[case] verdict: Verdict) {
    let mut workload = changed(
        progressing(workload(Deployment, [2, 1, 1]), "True", "ReplicaSetUpdated"),
        900,
    );
    let rollout = workload.rollout.as_mut().unwrap();
    rollout.progress_deadline_seconds = Some(seconds);
    assert_eq!(judged(&[workload], true, true).verdict, verdict);
}

#[test]
fn no_deadline_is_the_one_that_others_have() {
    let mut workload = changed(workload(Deployment, [2, 1, 1]), 601);
    workload.observed = false;
    workload.rollout = Some(Rollout {
        progress_deadline_seconds: Some(NO_DEADLINE),
        ..Rollout::default()
    });
    assert_eq!(judged(&[workload], true, true).verdict, Verdict::Fail);
}

#[test]
fn the_worst_is_told_and_each_that_is_incomplete_is_named() {
    let mut one = workload(Deployment, [3, 2, 3]);
    one.name = "one".to_owned();
    one.trouble = Some("Stuck: no image".to_owned());
    let outcome = judged(
        &[workload(StatefulSet, [3, 3, 3]), workload(Deployment, [3, 2, 2]), one],
        false,
        true,
    );
    assert_eq!(outcome.verdict, Verdict::Warn);
    let names: Vec<&str> = outcome.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["ksm", "one"]);
    assert_eq!(outcome.expected, COMPLETE);
}

#[test]
fn what_breaks_is_told_before_what_a_rollout_replaces() {
    let mut replaced = changed(of_revisions(workload(StatefulSet, [3, 1, 1]), "b", "a"), 40);
    replaced.name = "replaced".to_owned();
    let outcome = judged(&[replaced.clone(), workload(StatefulSet, [3, 2, 3])], true, true);
    assert_eq!(outcome.observed, "StatefulSet ksm has 2 of 3 pods ready");
    assert_eq!((outcome.verdict, outcome.objects.len()), (Verdict::Fail, 2));
    let outcome = judged(&[replaced], true, true);
    assert_eq!(
        outcome.observed,
        "StatefulSet replaced has 1 of 3 pods ready: its rollout began 40s ago"
    );
}

#[test]
fn what_the_list_of_pods_has_none_of_is_contradicted() {
    let mut workload = workload(Deployment, [2, 2, 2]);
    workload.available = Some(0);
    assert!(Standing::by_ready(&workload).contradicted(1).is_none());
    let told = Standing::by_ready(&workload).contradicted(0).unwrap().observed;
    assert_eq!(
        told,
        "Deployment ksm has 2 pods ready, and the list of pods has none of it"
    );
    assert!(Standing::by_available(&workload).contradicted(0).is_none());
    workload.available = None;
    assert_eq!(Standing::by_available(&workload).ready, 2);
}
