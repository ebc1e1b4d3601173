//! Each case is what `kubectl get pods` of 1.35 printed of such a pod.

use super::*;
use rstest::rstest;
use serde_json::{Value, json};

fn printed(pod: &Value) -> (String, String, u32) {
    let pod = PodObject::of_json(pod.to_string().as_bytes()).unwrap();
    let Printed {
        status,
        ready,
        containers,
        restarts,
    } = Printed::of(&pod);
    (status.into_owned(), format!("{ready}/{containers}"), restarts)
}

fn running(ready: bool) -> Value {
    json!({"name": "a", "ready": ready, "state": {"running": {"startedAt": "2026-11-22T14:00:00Z"}}})
}

fn waiting(reason: &str) -> Value {
    json!({"name": "a", "restartCount": 4, "state": {"waiting": {"reason": reason}}})
}

fn ended(reason: &str, code: i32, signal: i32) -> Value {
    json!({"name": "a", "state": {"terminated": {"reason": reason, "exitCode": code, "signal": signal}}})
}

/// A pod with so many containers as it has statuses.
fn pod(phase: &str, conditions: &[(&str, &str)], statuses: &[Value]) -> Value {
    let conditions: Vec<Value> = (conditions.iter())
        .map(|(kind, status)| json!({"type": kind, "status": status}))
        .collect();
    let containers: Vec<Value> = statuses.iter().map(|_| json!({"name": "a"})).collect();
    json!({"metadata": {}, "spec": {"containers": containers},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": statuses}})
}

/// The same with init containers; `sidecars` run as long as the pod.
fn initialized_by(mut pod: Value, statuses: &[Value], sidecars: bool) -> Value {
    let named = |position: usize| format!("init-{position}");
    let policy = if sidecars { "Always" } else { "" };
    pod["spec"]["initContainers"] = (0..statuses.len())
        .map(|position| json!({"name": named(position), "restartPolicy": policy}))
        .collect();
    let named = statuses.iter().enumerate().map(|(position, status)| {
        let mut status = status.clone();
        status["name"] = named(position).into();
        status["restartCount"] = 1.into();
        status
    });
    pod["status"]["initContainerStatuses"] = named.collect();
    pod
}

const READY: (&str, &str) = ("Ready", "True");

#[rstest]
#[case::runs(pod("Running", &[READY], &[running(true)]), "Running", "1/1", 0)]
#[case::one_is_not_ready(pod("Running", &[], &[running(true), running(false)]), "Running", "1/2", 0)]
#[case::not_scheduled(pod("Pending", &[], &[]), "Pending", "0/0", 0)]
#[case::crashes(pod("Running", &[], &[waiting("CrashLoopBackOff")]), "CrashLoopBackOff", "0/1", 4)]
#[case::the_first_reason_counts(
    pod("Pending", &[], &[waiting("ErrImagePull"), waiting("CrashLoopBackOff")]), "ErrImagePull", "0/2", 8
)]
#[case::waits_without_a_reason(pod("Pending", &[], &[waiting("")]), "Pending", "0/1", 4)]
#[case::is_done(pod("Succeeded", &[], &[ended("Completed", 0, 0)]), "Completed", "0/1", 0)]
#[case::failed(pod("Failed", &[], &[ended("Error", 1, 0)]), "Error", "0/1", 0)]
#[case::failed_without_a_reason(pod("Failed", &[], &[ended("", 3, 0)]), "ExitCode:3", "0/1", 0)]
#[case::killed(pod("Failed", &[], &[ended("", 137, 9)]), "Signal:9", "0/1", 0)]
#[case::one_is_done_and_the_pod_is_ready(
    pod("Running", &[READY], &[ended("Completed", 0, 0), running(true)]), "Running", "1/2", 0
)]
#[case::one_is_done_and_the_pod_is_not_ready(
    pod("Running", &[], &[ended("Completed", 0, 0), running(true)]), "NotReady", "1/2", 0
)]
#[case::one_is_done_and_one_failed(
    pod("Failed", &[], &[ended("Completed", 0, 0), ended("Error", 1, 0)]), "Error", "0/2", 0
)]
fn containers_tell_what_the_pod_does(
    #[case] pod: Value,
    #[case] status: &str,
    #[case] ready: &str,
    #[case] restarts: u32,
) {
    assert_eq!(printed(&pod), (status.to_owned(), ready.to_owned(), restarts));
}

#[rstest]
#[case::the_second_runs(&[ended("Completed", 0, 0), running(false)], false, "Init:1/2", "0/1", 2)]
#[case::an_image_is_missing(&[waiting("ImagePullBackOff"), waiting("PodInitializing")], false, "Init:ImagePullBackOff", "0/1", 1)]
#[case::the_pod_initializes(&[waiting("PodInitializing")], false, "Init:0/1", "0/1", 1)]
#[case::one_failed(&[ended("Error", 1, 0)], false, "Init:Error", "0/1", 1)]
#[case::one_failed_without_a_reason(&[ended("", 2, 0)], false, "Init:ExitCode:2", "0/1", 1)]
#[case::one_was_killed(&[ended("", 2, 15)], false, "Init:Signal:15", "0/1", 1)]
#[case::a_sidecar_has_not_started(&[running(true)], true, "Init:0/1", "0/2", 1)]
fn init_containers_tell_what_is_waited_for(
    #[case] statuses: &[Value],
    #[case] sidecars: bool,
    #[case] status: &str,
    #[case] ready: &str,
    #[case] restarts: u32,
) {
    let pod = initialized_by(pod("Pending", &[], &[waiting("PodInitializing")]), statuses, sidecars);
    assert_eq!(printed(&pod), (status.to_owned(), ready.to_owned(), restarts));
}

#[test]
fn init_containers_that_are_done_are_not_counted_and_sidecars_are() {
    let done = [ended("Completed", 0, 0)];
    let pod_done = initialized_by(pod("Running", &[READY], &[running(true)]), &done, false);
    assert_eq!(printed(&pod_done), ("Running".to_owned(), "1/1".to_owned(), 0));
    let mut sidecar = running(true);
    sidecar["started"] = true.into();
    let with_sidecar = initialized_by(pod("Running", &[READY], &[running(true)]), &[sidecar], true);
    assert_eq!(printed(&with_sidecar), ("Running".to_owned(), "2/2".to_owned(), 1));
    // A node that was started again: what initialized the pod once does so anew, and its containers say what is printed.
    let again = pod("Running", &[("Initialized", "True")], &[waiting("CrashLoopBackOff")]);
    let again = initialized_by(again, &[running(false)], false);
    assert_eq!(printed(&again), ("CrashLoopBackOff".to_owned(), "0/1".to_owned(), 4));
}

#[test]
fn the_pod_s_own_words_count_where_no_container_has_any() {
    let mut evicted = pod("Failed", &[], &[]);
    evicted["status"]["reason"] = "Evicted".into();
    assert_eq!(printed(&evicted).0, "Evicted");
    let mut gated = pod("Pending", &[], &[]);
    gated["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
    assert_eq!(printed(&gated).0, "SchedulingGated");
    assert_eq!(printed(&json!({})).0, "");
}

#[test]
fn a_pod_that_is_being_deleted_says_so_until_it_has_ended() {
    let deleted = |phase: &str, reason: &str| {
        let mut pod = pod(phase, &[READY], &[]);
        pod["metadata"]["deletionTimestamp"] = "2026-11-22T14:00:00Z".into();
        pod["status"]["reason"] = reason.into();
        printed(&pod).0
    };
    assert_eq!(deleted("Running", ""), "Terminating");
    assert_eq!(deleted("Succeeded", ""), "Succeeded");
    assert_eq!(deleted("Failed", "Evicted"), "Evicted");
    assert_eq!(deleted("Running", "NodeLost"), "Unknown");
}
