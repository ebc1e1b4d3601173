//! Step 3, what all of it is for: that metrics join the rows of `kube_pod_labels`.

use super::pod_label_rows::{by, pods, restart, rows, shards};
use crate::evaluate::age::{is_settled, now, settling, too_young};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{count, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Pod, PodMetrics, PodName, Source};
use std::collections::{HashMap, HashSet};

/// SF329.
pub(in crate::evaluate) fn join(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let pods = pods(subject)?;
    let metrics = evidence
        .pod_metrics
        .or_else(|| no_such_api("/apis/metrics.k8s.io/v1beta1/pods"))?;
    let shards = shards(subject)?;
    let now = now(subject, Source::PodMetrics)?;
    let young = settling(subject)?;
    // What came or went while it was read joins nothing, and nothing is wrong with that.
    let passing = evidence.passing();
    let mut found: HashMap<PodName<'_>, usize> = HashMap::new();
    for row in rows(&shards).filter(|row| !passing.has_row(&row.uid)) {
        *found.entry(row.pod()).or_default() += 1;
    }
    let settled: HashSet<PodName<'_>> = pods
        .iter()
        .filter(|pod| is_settled(pod, now, young) && !passing.has_pod(&pod.uid))
        .map(Pod::full_name)
        .collect();
    let joined: Vec<PodName<'_>> = metrics
        .iter()
        .map(PodMetrics::pod)
        .filter(|pod| settled.contains(pod))
        .collect();
    if joined.is_empty() {
        return Ok(too_young("pod with metrics", young));
    }
    let rows_of = |pod: &PodName<'_>| found.get(pod).copied().unwrap_or_default();
    let none: Vec<_> = joined.iter().filter(|pod| rows_of(pod) == 0).collect();
    let many: Vec<_> = joined.iter().filter(|pod| rows_of(pod) > 1).collect();
    let bad = if many.is_empty() { &none } else { &many };
    let what = if many.is_empty() {
        "without a row"
    } else {
        "with more than one row"
    };
    let verdict = share::judge(bad.len(), joined.len(), subject.contract.thresholds.pod_rows_missing);
    let observed = format!(
        "{} of {} with metrics {what} on (namespace, pod): {}",
        bad.len(),
        count(joined.len(), "pod"),
        names(bad.iter().map(|(namespace, pod)| format!("{namespace}/{pod}")))
    );
    Ok(by(verdict, observed, || Outcome::pass(count(joined.len(), "pod")))
        .expected_unless_pass("exactly one row: a join on (namespace, pod) drops the one and refuses the other")
        .objects(bad.iter().map(|(namespace, pod)| object("Pod", namespace, pod)))
        .fix_unless_pass(restart(subject)))
}
