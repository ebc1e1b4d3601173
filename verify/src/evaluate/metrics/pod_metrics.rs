//! Step 3, first half: which pods the metrics API has metrics of.
//!
//! Not every running pod has some. metrics-server leaves a whole pod out of which one container used no CPU, or no memory, since
//! it started (metrics-server v0.9.0: pkg/scraper/client/resource/decode.go, `checkContainerMetrics`), as a placeholder's does
//! that only sleeps; and of what runs in a sandbox the kubelet may be told nothing. So a pod that lacks them tells of its kubelet
//! only where the others of its node lack them too.

use super::metrics_api::kubelets;
use super::server;
use crate::evaluate::age::{is_settled, now, settling, too_young, unsettled, words};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Pod, PodMetrics, PodName, Source};
use crate::report::{ObjectReference, Verdict};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The settled pods of a node.
#[derive(Default)]
struct OfNode<'a> {
    with: usize,
    without: Vec<&'a Pod>,
}

/// The settled pods that lack metrics, by what that tells.
#[derive(Default)]
struct Lacking<'a> {
    /// Of nodes none of whose pods has any.
    of_silent_nodes: Vec<&'a Pod>,
    /// Of nodes more of whose pods have none than have some.
    of_most: Vec<&'a Pod>,
    /// Others of their node have some.
    alone: Vec<&'a Pod>,
    /// Their RuntimeClass is one of which no pod has any, on whichever node.
    sandboxed: Vec<&'a Pod>,
    silent_nodes: Vec<&'a str>,
}

/// The RuntimeClasses of which a pod has metrics. Any other is a sandbox: a runtime that hides one pod hides all; nvidia's, for
/// one, is the node's own with other arguments.
pub(super) struct MeasuredClasses<'a>(HashSet<&'a str>);

/// SF308.
pub(in crate::evaluate) fn pod_metrics_complete(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let pods = evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    let metrics = evidence
        .pod_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/pods"))?;
    let nodes = evidence
        .node_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/nodes"))?;
    let now = now(subject, Source::PodMetrics)?;
    let young = settling(subject)?;
    let measured: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let on_measured_nodes = pods
        .iter()
        .filter(|pod| pod.node.as_deref().is_some_and(|node| measured.contains(node)));
    let unsettled = unsettled(on_measured_nodes.clone(), now, young);
    let and_unsettled = |told: String| match &unsettled {
        Some((_, unsettled)) => format!("{told}; {unsettled}"),
        None => told,
    };
    let running: Vec<&Pod> = on_measured_nodes.filter(|pod| is_settled(pod, now, young)).collect();
    if running.is_empty() {
        // Never nothing to judge: metrics-server itself is a running pod.
        let too_young = too_young("pod", young);
        let observed = and_unsettled(too_young.observed.clone());
        return Ok(too_young.with_observed(observed));
    }
    let by_pod: HashMap<PodName<'_>, &PodMetrics> = metrics.iter().map(|metrics| (metrics.pod(), metrics)).collect();
    let metrics_of = |pod: &Pod| by_pod.get(&pod.full_name()).copied();
    let lacking = Lacking::of(&running, |pod| metrics_of(pod).is_some());
    let expected = format!("PodMetrics of every pod that has been running for {}", words(young));
    if metrics.is_empty() {
        let node = running.first().and_then(|pod| pod.node.as_deref()).unwrap_or_default();
        let told = format!("PodMetricsList is empty: {}", lack(&running, running.len()));
        return Ok(Outcome::fail(and_unsettled(told))
            .expected(expected)
            .objects(objects(&running))
            .fix(kubelets(subject, node)));
    }
    if let Some(outcome) = lacking.judged(subject, running.len(), &expected, and_unsettled) {
        return Ok(outcome);
    }
    let partial: Vec<&Pod> = (running.iter().copied())
        .filter(|pod| metrics_of(pod).is_some_and(|metrics| metrics.containers < pod.ready))
        .collect();
    if !partial.is_empty() {
        return Ok(Outcome::warn(and_unsettled(format!(
            "{} with metrics of only some containers: {}",
            count(partial.len(), "pod"),
            named(&partial)
        )))
        .expected("metrics of every ready container: a sum over what is served counts too little")
        .objects(objects(&partial)));
    }
    let told = and_unsettled(lacking.told(&count(running.len(), "running pod")));
    if unsettled.is_some_and(|(unsettled, _)| unsettled > running.len()) {
        return Ok(Outcome::warn(told).expected(format!(
            "more pods that have been running for {} than pods that have not",
            words(young)
        )));
    }
    Ok(Outcome::pass(told))
}

// === impl MeasuredClasses ===

impl<'a> MeasuredClasses<'a> {
    pub(super) fn of(pods: impl Iterator<Item = &'a Pod>, has_metrics: impl Fn(&Pod) -> bool) -> Self {
        let measured = pods.filter(|pod| has_metrics(pod));
        Self(measured.filter_map(|pod| pod.runtime_class.as_deref()).collect())
    }

    /// The RuntimeClass of a pod, where it is a sandbox.
    pub(super) fn sandbox<'p>(&self, pod: &'p Pod) -> Option<&'p str> {
        let class = pod.runtime_class.as_deref()?;
        (!self.0.contains(class)).then_some(class)
    }
}

// === impl Lacking ===

impl<'a> Lacking<'a> {
    fn of(running: &[&'a Pod], has_metrics: impl Fn(&Pod) -> bool) -> Self {
        let mut lacking = Self::default();
        let measured = MeasuredClasses::of(running.iter().copied(), &has_metrics);
        let mut nodes: BTreeMap<&str, OfNode<'a>> = BTreeMap::new();
        for pod in running.iter().copied() {
            let node = nodes.entry(pod.node.as_deref().unwrap_or_default()).or_default();
            match has_metrics(pod) {
                true => node.with += 1,
                false if measured.sandbox(pod).is_some() => lacking.sandboxed.push(pod),
                false => node.without.push(pod),
            }
        }
        for (name, OfNode { with, without }) in nodes {
            match without.len() {
                0 => {}
                _ if with == 0 => {
                    lacking.silent_nodes.push(name);
                    lacking.of_silent_nodes.extend(without);
                }
                lacks if lacks > with => lacking.of_most.extend(without),
                _ => lacking.alone.extend(without),
            }
        }
        lacking
    }

    /// What is wrong with it: nodes of which nothing is known, and pods that lack metrics beside others. Both are judged, and the
    /// worse decides: a single silent pod must not hide what lacks elsewhere.
    fn judged(
        &self,
        subject: Subject<'_>,
        running: usize,
        expected: &str,
        and_unsettled: impl Fn(String) -> String,
    ) -> Option<Outcome> {
        let thresholds = &subject.contract.thresholds;
        let silent = &self.of_silent_nodes;
        let of_silent = share::judge(silent.len(), running, thresholds.pod_metrics_missing);
        let scattered: Vec<&Pod> = self.of_most.iter().chain(&self.alone).copied().collect();
        let of_most = share::judge(self.of_most.len(), running, thresholds.pod_metrics_missing);
        let of_scattered = if scattered.len() * 2 > running {
            Verdict::Fail
        } else if share::exceeds(scattered.len(), running, thresholds.pod_metrics_scattered) {
            of_most.max(Verdict::Warn)
        } else {
            of_most
        };
        let told_of_silent = || {
            let nodes = names(&self.silent_nodes);
            format!("{}, which is every settled pod of {nodes}", lack(silent, running))
        };
        let told_of_scattered = || lack(&scattered, running);
        let few = || format!("{expected}: a few idle ones have none, but most of a node's have");
        let silent_node = self.silent_nodes.first().copied().unwrap_or_default();
        let outcome = match (of_silent, of_scattered) {
            (Verdict::Pass, Verdict::Pass) => return None,
            (verdict, Verdict::Pass) => of(verdict, and_unsettled(told_of_silent()))
                .expected(expected)
                .objects(objects(silent))
                .fix(kubelets(subject, silent_node)),
            (Verdict::Pass, verdict) => of(verdict, and_unsettled(told_of_scattered()))
                .expected(few())
                .objects(objects(&scattered))
                .fix(log(subject)),
            (of_silent, of_scattered) => {
                let told = format!("{}; on other nodes {}", told_of_silent(), told_of_scattered());
                let both: Vec<&Pod> = silent.iter().chain(&scattered).copied().collect();
                let fix = if of_silent >= of_scattered {
                    kubelets(subject, silent_node)
                } else {
                    log(subject)
                };
                of(of_silent.max(of_scattered), and_unsettled(told))
                    .expected(few())
                    .objects(objects(&both))
                    .fix(fix)
            }
        };
        Some(outcome)
    }

    /// What is told where none of it is a fault.
    fn told(&self, running: &str) -> String {
        let alone = (!self.alone.is_empty()).then(|| {
            format!(
                "; {} without metrics, though others of the same node have some (a container that used no CPU since it \
                 started has none): {}",
                count(self.alone.len(), "pod"),
                named(&self.alone)
            )
        });
        let sandboxed = (!self.sandboxed.is_empty()).then(|| {
            let classes: Vec<&str> = (self.sandboxed.iter())
                .filter_map(|pod| pod.runtime_class.as_deref())
                .collect();
            let classes: std::collections::BTreeSet<&str> = classes.into_iter().collect();
            format!(
                "; {} of RuntimeClass {} without metrics: {}",
                count(self.sandboxed.len(), "pod"),
                names(classes),
                named(&self.sandboxed)
            )
        });
        format!(
            "{running}{}{}",
            alone.unwrap_or_default(),
            sandboxed.unwrap_or_default()
        )
    }
}

fn of(verdict: Verdict, observed: String) -> Outcome {
    match verdict {
        Verdict::Fail => Outcome::fail(observed),
        _ => Outcome::warn(observed),
    }
}

fn lack(pods: &[&Pod], running: usize) -> String {
    let running = count(running, "running pod");
    format!("{} of {running} without metrics: {}", pods.len(), named(pods))
}

fn named(pods: &[&Pod]) -> String {
    names(pods.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)))
}

fn objects(pods: &[&Pod]) -> Vec<ObjectReference> {
    pods.iter()
        .map(|pod| object("Pod", &pod.namespace, &pod.name))
        .collect()
}

/// What to look at where kubelets are read, and most pods of a node are left out.
fn log(subject: Subject<'_>) -> Advice {
    let name = server::name(subject);
    fix(
        format!("see why {name} leaves them out: metrics-server's log names them where it runs with --v=1"),
        [server::logs(subject, ["--since", "2m"])],
    )
}
