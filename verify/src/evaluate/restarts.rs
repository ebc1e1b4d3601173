//! Whether the containers of what runs start again and again, and what of it was left over beside healthy replacements.
//!
//! A pod that is Ready now tells nothing of the last hour. That a container ended once is told, and changes no verdict.

use super::fix::{count, fix, names, object};
use super::outcome::Outcome;
use super::subject::Subject;
use crate::evidence::{GatewayProxy, Observed, Pod, Source, TelemetryWorkload, Termination, Workload};
use crate::report::Verdict;
use jiff::{SignedDuration, Timestamp};

/// The reason of a container that the kernel ended because it, or its node, had no memory left.
const OUT_OF_MEMORY: &str = "OOMKilled";
/// What is printed of a pod that has ended and that nothing starts again: a kubelet or a controller has put an end to it
/// (Kubernetes v1.35.4: pkg/kubelet/eviction, pkg/kubelet/lifecycle, pkg/kubelet/nodeshutdown, pkg/controller/podgc).
const ENDED: [&str; 9] = [
    "Completed",
    "Evicted",
    "NodeAffinity",
    "NodeLost",
    "NodeShutdown",
    "Preempting",
    "Shutdown",
    "Terminated",
    "UnexpectedAdmissionError",
];

/// A pod whose containers were started again.
#[derive(Clone, Copy)]
struct Restarted<'a> {
    namespace: &'a str,
    pod: &'a str,
    /// How often; `None` where that was not read.
    restarts: Option<u32>,
    last: Option<&'a Termination>,
}

/// A pod that has ended beside those that replace it.
struct Leftover<'a> {
    pod: &'a str,
    why: &'a str,
}

/// Adds to what a check of a component came to what its pods say, where it passes. They are found by their owners;
/// that they were not seen is told by the checks of pods.
pub(super) fn of_workloads(subject: Subject<'_>, workloads: &[&Workload], outcome: Outcome) -> Outcome {
    if outcome.verdict != Verdict::Pass {
        return outcome;
    }
    let Observed::Seen(pods) = &subject.evidence.pods else {
        return outcome;
    };
    let is_its = |pod: &&Pod| workloads.iter().any(|workload| owns(workload, pod));
    let pods: Vec<&Pod> = pods.iter().filter(is_its).collect();
    of_pods(subject, &pods, outcome)
}

/// The same of these pods.
pub(super) fn of_pods(subject: Subject<'_>, pods: &[&Pod], outcome: Outcome) -> Outcome {
    let ended = |pod: &&&Pod| ENDED.contains(&&*pod.status) || pod.status.starts_with("OutOf");
    let leftovers = pods.iter().filter(ended).map(|pod| Leftover {
        pod: &pod.name,
        why: &pod.status,
    });
    let restarted = pods.iter().filter(|pod| !ended(pod)).map(|pod| Restarted {
        namespace: &pod.namespace,
        pod: &pod.name,
        restarts: Some(pod.restarts),
        last: pod.last_termination.as_deref(),
    });
    told(
        subject,
        Source::Pods,
        restarted.collect(),
        &leftovers.collect::<Vec<_>>(),
        outcome,
    )
}

/// The same of a collector's workloads, whose pods were listed with them as `source`.
pub(super) fn of_collector(
    subject: Subject<'_>,
    source: Source,
    workloads: &[&TelemetryWorkload],
    outcome: Outcome,
) -> Outcome {
    let leftovers = workloads
        .iter()
        .flat_map(|found| &found.leftovers)
        .map(|leftover| Leftover {
            pod: &leftover.name,
            why: &leftover.reason,
        });
    let restarted = workloads.iter().flat_map(|found| {
        found.pods.iter().map(|pod| Restarted {
            namespace: &found.workload.namespace,
            pod: &pod.name,
            restarts: pod.restarts,
            last: pod.last_termination.as_ref(),
        })
    });
    told(
        subject,
        source,
        restarted.collect(),
        &leftovers.collect::<Vec<_>>(),
        outcome,
    )
}

/// The same of Envoys, which were listed by themselves. Those that have ended are not kept of them.
pub(super) fn of_proxies(subject: Subject<'_>, proxies: &[&GatewayProxy], outcome: Outcome) -> Outcome {
    let restarted = proxies.iter().map(|proxy| Restarted {
        namespace: &proxy.namespace,
        pod: &proxy.pod,
        restarts: proxy.restarts,
        last: proxy.last_termination.as_ref(),
    });
    told(subject, Source::GatewayProxies, restarted.collect(), &[], outcome)
}

fn told(
    subject: Subject<'_>,
    source: Source,
    pods: Vec<Restarted<'_>>,
    leftovers: &[Leftover<'_>],
    outcome: Outcome,
) -> Outcome {
    if outcome.verdict != Verdict::Pass {
        return outcome;
    }
    let now = subject.evidence.now(source);
    if let Some(unread) = pods.iter().find(|pod| pod.restarts.is_none()) {
        return Outcome::undetermined(format!("how often {} was started again was not read", unread.pod));
    }
    let mut restarted: Vec<Restarted<'_>> = pods.into_iter().filter(|pod| pod.number() > 0).collect();
    restarted.sort_by_key(|pod| (std::cmp::Reverse(pod.last.and_then(|last| last.finished)), pod.pod));
    let left_over = names(
        leftovers
            .iter()
            .map(|leftover| format!("{} ({})", leftover.pod, leftover.why)),
    );
    let left_over = if left_over.is_empty() {
        left_over
    } else {
        format!("; left over: {left_over}")
    };
    let terms = &subject.contract.thresholds;
    let loops = |pod: &&Restarted<'_>| pod.number() >= terms.restarts && pod.is_recent(now, terms.restart_window);
    let looping: Vec<Restarted<'_>> = restarted.iter().copied().filter(|pod| loops(&pod)).collect();
    let Some(first) = looping.first() else {
        let again = names(restarted.iter().map(|pod| pod.told(now)));
        let again = if again.is_empty() { again } else { format!("; {again}") };
        let observed = format!("{}{again}{left_over}", outcome.observed);
        return outcome.with_observed(observed);
    };
    let out_of_memory = first.last.is_some_and(|last| *last.reason == *OUT_OF_MEMORY);
    let advice = if out_of_memory {
        "it needs more memory than its limit allows: see what it is given, and what it last said"
    } else {
        "see why it ended: its events, and what it said before"
    };
    let of = ["--namespace", first.namespace];
    let describe = of.into_iter().chain(["describe", "pod", first.pod]);
    let mut logs: Vec<&str> = of
        .into_iter()
        .chain(["logs", first.pod, "--previous", "--tail", "50"])
        .collect();
    if let Some(last) = first.last {
        logs.extend(["--container", &last.container]);
    }
    Outcome::warn(format!("{}{left_over}", names(looping.iter().map(|pod| pod.told(now)))))
        .expected(format!(
            "fewer than {}, or none within {}: what it does between two starts is lost again and again",
            count(terms.restarts as usize, "restart"),
            format_args!("{:#}", terms.restart_window)
        ))
        .objects(looping.iter().map(|pod| object("Pod", pod.namespace, pod.pod)))
        .fix(fix(advice, [subject.kubectl(describe), subject.kubectl(logs)]))
}

/// Whether a pod is one of a workload: by its owner, or where that is not known by its name.
fn owns(workload: &Workload, pod: &Pod) -> bool {
    if *pod.namespace != *workload.namespace {
        return false;
    }
    let Some(owner) = &pod.owner else {
        let rest = pod.name.strip_prefix(workload.name.as_str());
        return rest.is_some_and(|rest| rest.starts_with('-'));
    };
    owner.is_of(workload.kind, &workload.name)
}

// === impl Restarted ===

impl Restarted<'_> {
    fn number(&self) -> u32 {
        self.restarts.unwrap_or_default()
    }

    /// Whether a container of it ended within that time, as far as that is known: one that does not say when may have.
    fn is_recent(&self, now: Option<Timestamp>, window: SignedDuration) -> bool {
        let finished = self.last.and_then(|last| last.finished);
        let age = now.zip(finished).map(|(now, finished)| now.duration_since(finished));
        age.is_none_or(|age| age <= window)
    }

    fn told(&self, now: Option<Timestamp>) -> String {
        let times = match self.number() {
            1 => "once".to_owned(),
            number => format!("{number} times"),
        };
        let Some(last) = self.last else {
            return format!("{} was started again {times}", self.pod);
        };
        let age = now
            .zip(last.finished)
            .map(|(now, finished)| now.duration_since(finished));
        let age = age.map_or_else(String::new, |age| {
            format!(", last {:#} ago", SignedDuration::from_secs(age.as_secs().max(0)))
        });
        let reason = if last.reason.is_empty() {
            "it ended"
        } else {
            &*last.reason
        };
        format!(
            "{} was started again {times}{age} ({}: {reason}, exit code {})",
            self.pod, last.container, last.exit_code
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::WorkloadKind;
    use rstest::rstest;

    fn pod(name: &str, owner: Option<(&str, &str)>) -> Pod {
        let owner = owner.map(|(kind, name)| serde_json::json!({"kind": kind, "name": name}));
        serde_json::from_value(serde_json::json!({"namespace": "a", "name": name, "uid": "u", "created": "2026-11-22T15:00:00Z",
            "status": "Running", "ready": 1, "containers": 1, "restarts": 0, "started": null, "node": null, "owner": owner,
            "labels": []}))
        .unwrap()
    }

    #[rstest]
    #[case(WorkloadKind::Deployment, Some(("ReplicaSet", "web-6d7f")), true)]
    #[case(WorkloadKind::Deployment, Some(("ReplicaSet", "web-api-6d7f")), false)]
    #[case(WorkloadKind::StatefulSet, Some(("StatefulSet", "web")), true)]
    #[case(WorkloadKind::StatefulSet, Some(("Job", "web")), false)]
    #[case(WorkloadKind::DaemonSet, None, true)]
    fn a_pod_is_its_owner_s(#[case] kind: WorkloadKind, #[case] owner: Option<(&str, &str)>, #[case] its: bool) {
        let workload = serde_json::from_value(serde_json::json!({"kind": kind, "namespace": "a", "name": "web", "desired": 1,
            "ready": 1, "updated": 1, "available": 1, "observed": true, "image": "web:1", "version": null, "release": null,
            "flags": {}, "unreadFlags": null, "unreadArguments": []}))
        .unwrap();
        assert_eq!(owns(&workload, &pod("web-x", owner)), its);
    }
}
