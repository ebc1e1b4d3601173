//! Step 3, who it is for: the autoscalers that scale on resource metrics.
//!
//! An autoscaler's controller writes into `ScalingActive` why it cannot compute a number of replicas. Most of the reasons are the
//! workload's own. Source: Kubernetes v1.35.4, `pkg/controller/podautoscaler`: `horizontal.go`, `replica_calculator.go`,
//! `metrics/client.go`, `metrics/utilization.go`.

use super::pod_metrics::MeasuredClasses;
use crate::evaluate::age::{is_settled, now, settling, words};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Autoscaler, Condition, Observed, Pod, PodMetrics, PodName, ScaleTarget, Source};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What every message begins with.
const UNABLE: &str = "the HPA was unable to compute the replica count: ";
/// The metrics API has no metrics of any pod that the target's selector selects: by the target's own pods, or by the API.
const NO_METRICS: &str = "no metrics returned from resource metrics API";
/// There are metrics, and none of them is of a pod that counts as ready; the second as earlier releases put it.
const NONE_OF_READY: [&str; 2] = [
    "did not receive metrics for targeted pods",
    "did not receive metrics for any ready pods",
];
/// Parts of messages that tell of the workload itself, each with what it means and what to do.
const OWN: [(&str, &str, &str); 9] = [
    (
        "missing request for",
        "a container without a resource request",
        "give the containers that it scales a resource request, sidecars included",
    ),
    (
        "missing pod-level request for",
        "a pod without a resource request",
        "give the pods that it scales a resource request",
    ),
    (
        NONE_OF_READY[0],
        "its target's pods are not ready",
        "see why the pods that it scales are not ready",
    ),
    (
        NONE_OF_READY[1],
        "its target's pods are not ready",
        "see why the pods that it scales are not ready",
    ),
    (
        "no pods returned by selector",
        "its target has no pod",
        "see why what it scales has no pod",
    ),
    (
        "not present in metrics for pod",
        "a container that the pod does not have",
        "name a container that every pod of its target has",
    ),
    (
        "not found in Pod",
        "a container that the pod does not have",
        "name a container that every pod of its target has",
    ),
    (
        "no metrics returned matched known pods",
        "resource requests that are all zero",
        "give the containers that it scales a resource request above zero",
    ),
    (
        "neither an average utilization target nor",
        "a metric without a target",
        "give each of its metrics a target",
    ),
];

/// Why an autoscaler does not scale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    /// Whether what it scales is at fault, or what else it asks: not what serves resource metrics.
    is_own: bool,
    /// What its message means; empty where the message says it all.
    meaning: String,
    message: String,
    advice: String,
}

/// Why the metrics API has nothing of the pods of an autoscaler's target.
enum Fault {
    /// It is at no fault: what it means, with what to do.
    OfTarget(String, &'static str),
    /// They have been ready for long enough, and it has metrics of none.
    OfApi,
}

/// What of the cluster tells whose fault it is.
struct Cluster<'a> {
    pods: &'a [Pod],
    measured: HashSet<PodName<'a>>,
    measured_classes: MeasuredClasses<'a>,
    now: jiff::Timestamp,
    young: jiff::SignedDuration,
}

/// SF312.
pub(in crate::evaluate) fn autoscalers(subject: Subject<'_>) -> Judge {
    let autoscalers = subject
        .evidence
        .autoscalers
        .or_else(|| no_such_api("/apis/autoscaling/v2"))?;
    if autoscalers.is_empty() {
        return Ok(Outcome::not_applicable("no autoscaler scales on resource metrics"));
    }
    let cluster = Cluster::of(subject);
    let mut causes: BTreeMap<Cause, Vec<&Autoscaler>> = BTreeMap::new();
    for autoscaler in autoscalers {
        let condition = autoscaler.scaling_active.as_ref();
        // It is switched off where its target is scaled to zero.
        let condition =
            condition.filter(|condition| condition.status == "False" && condition.reason != "ScalingDisabled");
        if let Some(condition) = condition {
            let cause = Cause::of(autoscaler, condition, cluster.as_ref());
            causes.entry(cause).or_default().push(autoscaler);
        }
    }
    let all = count(autoscalers.len(), "autoscaler");
    if causes.is_empty() {
        return Ok(Outcome::pass(all));
    }
    // What is not the autoscalers' own fault stands first.
    let failing = |is_own: bool| {
        let causes = causes.iter().filter(move |(cause, _)| cause.is_own == is_own);
        let number: usize = causes.clone().map(|(_, autoscalers)| autoscalers.len()).sum();
        let told: Vec<String> = causes
            .map(|(cause, autoscalers)| format!("{} ({})", named(autoscalers), cause.told()))
            .collect();
        (number, told.join("; "))
    };
    let ((number, told), (own_number, own_told)) = (failing(false), failing(true));
    let outcome = match (number, own_number) {
        (0, own) => Outcome::warn(format!(
            "{own} of {all} cannot scale, by no fault of the metrics API: {own_told}"
        )),
        (number, 0) => Outcome::fail(format!("{number} of {all} cannot read metrics: {told}")),
        (number, own) => Outcome::fail(format!(
            "{number} of {all} cannot read metrics: {told}; {own} more cannot scale, by no fault of the metrics API: {own_told}"
        )),
    };
    let described = causes.values().filter_map(|autoscalers| autoscalers.first()).take(3);
    let commands = described.map(|autoscaler| {
        let kind = "horizontalpodautoscaler";
        subject.kubectl(["--namespace", &autoscaler.namespace, "describe", kind, &autoscaler.name])
    });
    let mut advice: Vec<&str> = causes.keys().map(|cause| cause.advice.as_str()).collect();
    advice.dedup();
    Ok(outcome
        .expected("condition ScalingActive=True")
        .objects(
            causes
                .values()
                .flatten()
                .map(|autoscaler| object("HorizontalPodAutoscaler", &autoscaler.namespace, &autoscaler.name)),
        )
        .fix(fix(advice.join("; "), commands)))
}

fn named(autoscalers: &[&Autoscaler]) -> String {
    names(autoscalers.iter().map(|a| format!("{}/{}", a.namespace, a.name)))
}

// === impl Cause ===

impl Cause {
    fn of(autoscaler: &Autoscaler, condition: &Condition, cluster: Option<&Cluster<'_>>) -> Self {
        let message = condition.message.strip_prefix(UNABLE).unwrap_or(&condition.message);
        let own = |meaning: String, advice: &str| Self {
            is_own: true,
            meaning,
            message: message.to_owned(),
            advice: advice.to_owned(),
        };
        if !condition.reason.ends_with("ResourceMetric") {
            return match condition.reason.as_str() {
                "FailedGetPodsMetric" | "FailedGetObjectMetric" | "FailedGetExternalMetric" => own(
                    "metrics of another API".to_owned(),
                    "see what serves custom.metrics.k8s.io and external.metrics.k8s.io",
                ),
                reason => own(reason.to_owned(), "see what its controller reports"),
            };
        }
        if let Some(pod) = finished_pod(autoscaler, message, cluster) {
            return own(
                format!("its selector takes in pod {pod}, which has finished"),
                "give what it scales a selector that no other pod's labels match",
            );
        }
        let by_target = || cluster?.fault(autoscaler);
        let is_of = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        let of_api = || Self {
            is_own: false,
            meaning: String::new(),
            message: message.to_owned(),
            advice: "see what its controller reports".to_owned(),
        };
        // It is said of pods that are not ready, and of ready ones that the metrics API leaves out.
        let is_seen = cluster.is_some() && autoscaler.target.is_some();
        if is_of(&NONE_OF_READY) && (!is_seen || matches!(by_target(), Some(Fault::OfApi))) {
            return of_api();
        }
        if let Some((_, meaning, advice)) = OWN.iter().find(|(part, ..)| message.contains(part)) {
            return own((*meaning).to_owned(), advice);
        }
        match by_target() {
            Some(Fault::OfTarget(meaning, advice)) if is_of(&[NO_METRICS]) => own(meaning, advice),
            _ => of_api(),
        }
    }

    fn told(&self) -> String {
        let Self { meaning, message, .. } = self;
        match (meaning.is_empty(), message.is_empty()) {
            (true, _) => message.clone(),
            (false, true) => meaning.clone(),
            (false, false) => format!("{meaning}: {message}"),
        }
    }
}

/// The pod without a request that a message names, where it has run to its end: another's, whose labels the selector matches too.
fn finished_pod<'m>(autoscaler: &Autoscaler, message: &'m str, cluster: Option<&Cluster<'_>>) -> Option<&'m str> {
    const FINISHED: [&str; 4] = ["Completed", "Succeeded", "Error", "Failed"];
    let named = message.contains("missing request for").then_some(message)?;
    let (_, name) = named.rsplit_once(" of Pod ")?;
    let mut pods = cluster?.pods.iter();
    let pod = pods.find(|pod| *pod.namespace == *autoscaler.namespace && *pod.name == *name)?;
    FINISHED.contains(&&*pod.status).then_some(name)
}

// === impl Cluster ===

impl<'a> Cluster<'a> {
    /// `None` where not all of it was seen.
    fn of(subject: Subject<'a>) -> Option<Self> {
        let evidence = subject.evidence;
        let (Observed::Seen(pods), Observed::Seen(metrics)) = (&evidence.pods, &evidence.pod_metrics) else {
            return None;
        };
        let measured: HashSet<PodName<'_>> = metrics.iter().map(PodMetrics::pod).collect();
        Some(Self {
            pods,
            measured_classes: MeasuredClasses::of(pods.iter(), |pod| measured.contains(&pod.full_name())),
            measured,
            now: now(subject, Source::PodMetrics).ok()?,
            young: settling(subject).ok()?,
        })
    }

    /// Whose fault it is that the metrics API has nothing of the pods of an autoscaler's target; `None` where that cannot be told.
    fn fault(&self, autoscaler: &Autoscaler) -> Option<Fault> {
        /// The kinds whose pods are told by their owner or their name.
        const OWNING: [&str; 3] = ["Deployment", "ReplicaSet", "StatefulSet"];
        let target = autoscaler.target.as_ref()?;
        let pods = self.pods.iter();
        let pods: Vec<&Pod> = pods
            .filter(|pod| *pod.namespace == *autoscaler.namespace && target.has(pod))
            .collect();
        let ScaleTarget { kind, name } = target;
        if pods.is_empty() {
            // Another kind may leave its pods to an object of another name.
            let meaning = format!("no pod of {kind} {name} was found");
            let fault = Fault::OfTarget(meaning, "see why what it scales has no pod");
            return OWNING.contains(&kind.as_str()).then_some(fault);
        }
        let settled: Vec<&Pod> = (pods.iter().copied())
            .filter(|pod| is_settled(pod, self.now, self.young))
            .collect();
        if settled.is_empty() {
            let young = words(self.young);
            let states = pods.iter().map(|pod| format!("{} is {}", pod.name, pod.status));
            let meaning = format!("no pod of {kind} {name} has been ready for {young}, {}", names(states));
            return Some(Fault::OfTarget(
                meaning,
                "see why the pods that it scales are not ready",
            ));
        }
        let measured = settled.iter().filter(|pod| self.has_metrics(pod)).count();
        if measured > 0 {
            let meaning = format!("{} of {kind} {name} have metrics by now", count(measured, "pod"));
            return Some(Fault::OfTarget(
                meaning,
                "see whether it recovers within a minute, else whether its target's selector selects its pods",
            ));
        }
        let sandboxes: Option<BTreeSet<&str>> = settled.iter().map(|pod| self.measured_classes.sandbox(pod)).collect();
        let Some(sandboxes) = sandboxes else {
            return Some(Fault::OfApi);
        };
        let meaning = format!("the pods of {kind} {name} run in RuntimeClass {}", names(sandboxes));
        Some(Fault::OfTarget(
            meaning,
            "scale on something else than what a sandbox hides",
        ))
    }

    fn has_metrics(&self, pod: &Pod) -> bool {
        self.measured.contains(&pod.full_name())
    }
}
