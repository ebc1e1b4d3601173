//! Joins the pods that a kubelet's metrics name with the rows of `kube_pod_labels`. Pure.

use crate::kubelet::Pods;
use jiff::{SignedDuration, Timestamp};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Evidence, Observed, Pod, PodName, PodRow, Source};
use std::collections::HashMap;

/// How many pods a problem names.
const EXAMPLES: usize = 5;

/// The rows, and the pods that they are of.
pub(super) struct Rows<'a> {
    /// The first row of a pod, and how many it has.
    first: HashMap<PodName<'a>, (&'a PodRow, u32)>,
    pods: HashMap<PodName<'a>, &'a Pod>,
    on_node: HashMap<&'a str, Vec<&'a Pod>>,
    /// The API server's clock when pods and rows were read: the earlier of the two.
    now: Timestamp,
    /// How far kube-state-metrics may be behind.
    lag: SignedDuration,
    /// How long a pod runs until the kubelet must have metrics of it.
    settled: SignedDuration,
    /// The share of settled pods that may lack metrics.
    missing: f64,
}

// === impl Rows ===

impl<'a> Rows<'a> {
    /// Of evidence in which pods, every scrape and the API server's clock were seen.
    pub(super) fn of(contract: &Contract, evidence: &'a Evidence) -> Option<Self> {
        let (Observed::Seen(all), Observed::Seen(scrapes)) = (&evidence.pods, &evidence.scrapes) else {
            return None;
        };
        // What came or went while pods and rows were read joins nothing, and the kubelet may keep it for a while.
        let passing = evidence.passing();
        let now = (evidence.now(Source::Pods)?).min(evidence.now(Source::StateMetricsScrape)?);
        let mut first: HashMap<_, (&PodRow, u32)> = HashMap::with_capacity(all.len());
        for scrape in scrapes {
            let Observed::Seen(read) = &scrape.rows else {
                return None;
            };
            for row in read.rows.iter().filter(|row| !passing.has_row(&row.uid)) {
                first.entry(row.pod()).or_insert((row, 0)).1 += 1;
            }
        }
        let staying: Vec<&Pod> = all.iter().filter(|pod| !passing.has_pod(&pod.uid)).collect();
        let mut on_node: HashMap<&str, Vec<&Pod>> = HashMap::new();
        for pod in staying.iter().copied() {
            if let Some(node) = &pod.node {
                on_node.entry(node).or_default().push(pod);
            }
        }
        let thresholds = &contract.thresholds;
        Some(Self {
            first,
            pods: staying.iter().map(|pod| (pod.full_name(), *pod)).collect(),
            on_node,
            now,
            lag: thresholds.state_metrics_lag,
            settled: thresholds.kubelet_sampling.saturating_mul(3),
            missing: thresholds.pod_metrics_missing,
        })
    }

    /// How many pods of a node join exactly one row, which is their own; or in words why not all of them do.
    ///
    /// A pod that the API server does not list, lists elsewhere, or that was made or is being deleted just now, is not
    /// judged: the kubelet was asked later, keeps what has gone for a while, and names static pods that have no mirror.
    pub(super) fn judge(&self, node: &str, read: &Pods) -> Result<u32, String> {
        let (mut joined, mut without, mut foreign, mut several) = (0, Vec::new(), Vec::new(), Vec::new());
        for key in read.iter() {
            let Some(pod) = self.pods.get(&key) else { continue };
            if pod.deleting || pod.node.as_deref() != Some(node) || self.now.duration_since(pod.created) <= self.lag {
                continue;
            }
            match self.first.get(&key) {
                None => without.push(*pod),
                Some((_, 2..)) => several.push(*pod),
                Some((row, _)) if !row.is_of(&pod.uid) => foreign.push(*pod),
                Some(_) => joined += 1,
            }
        }
        let judged = joined + count(&without) + count(&foreign) + count(&several);
        for (pods, what) in [
            (&several, "have more than one row of kube_pod_labels"),
            (&without, "have no row of kube_pod_labels"),
            (&foreign, "have only the row of an earlier pod of that name"),
        ] {
            if !pods.is_empty() {
                return Err(format!("{} of {judged} pods {what}: {}", pods.len(), examples(pods)));
            }
        }
        self.complete(node, read)?;
        Ok(joined)
    }

    /// Whether the kubelet's metrics name the pods that run there.
    fn complete(&self, node: &str, read: &Pods) -> Result<(), String> {
        // What was started again a moment ago has no metrics yet.
        let settled = |pod: &&&Pod| {
            let started = pod.started.unwrap_or(pod.created);
            pod.is_running() && self.now.duration_since(started) > self.settled
        };
        let here = self.on_node.get(node).map(Vec::as_slice).unwrap_or_default();
        let running: Vec<&Pod> = here.iter().filter(settled).copied().collect();
        let named = |pod: &&Pod| read.contains(&pod.namespace, &pod.name);
        // Of what runs in a sandbox the kubelet may be told nothing; that it names others shows that it is told of the rest.
        let names_some = running.iter().any(named);
        let is_hidden = |pod: &&Pod| names_some && pod.runtime_class.is_some();
        let missing: Vec<&Pod> = (running.iter().copied())
            .filter(|pod| !named(pod) && !is_hidden(pod))
            .collect();
        if missing.is_empty() || f64::from(count(&missing)) <= f64::from(count(&running)) * self.missing {
            return Ok(());
        }
        Err(format!(
            "the kubelet's metrics lack {} of {} running pods: {}",
            missing.len(),
            running.len(),
            examples(&missing)
        ))
    }
}

fn count(pods: &[&Pod]) -> u32 {
    u32::try_from(pods.len()).unwrap_or(u32::MAX)
}

fn examples(pods: &[&Pod]) -> String {
    let named: Vec<String> = (pods.iter().take(EXAMPLES))
        .map(|pod| format!("{}/{}", pod.namespace, pod.name))
        .collect();
    let rest = if pods.len() > EXAMPLES { ", …" } else { "" };
    format!("{}{rest}", named.join(", "))
}

#[cfg(test)]
mod tests;
