//! The canary: the agent's own pod. It carries the contract's labels; that they come back on the row of `kube_pod_labels`
//! under its own UID, and that its PodMetrics are fresh, proves what no configuration can.
//!
//! The pod template gives it project, app and deployment; what only the parameters know, cluster ID and region, it gives
//! itself.

use crate::identity::Identity;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use kube::core::ObjectMeta;
use kube::core::metadata::{PartialObjectMeta, PartialObjectMetaExt as _};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Canary, Evidence, Observed, PodMetrics, PodRow, Source};
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

/// The field manager. Not the labeler's: what one manager leaves out of what it applies is taken off.
pub const FIELD_MANAGER: &str = "shuttle-canary";

/// How long the API server may take to store labels.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Labels that were stored so long before the answer were there already: the API server tells whole seconds.
const ALREADY: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// The labels that the own pod carries, as the API server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// All of the pod's labels.
    pub labels: BTreeMap<String, String>,
    /// When it got them.
    pub at: Timestamp,
    /// Whether it got them just now, so that the time until they are on the row says something.
    pub fresh: bool,
}

/// The source could not be seen, or not all of it.
#[derive(Clone, Copy, Debug)]
struct Unseen;

/// Why the own pod has no labels.
#[derive(Debug, Error)]
pub enum LabelError {
    /// No answer in time.
    #[error("labelling pod {namespace}/{pod}: no answer within {}s", TIMEOUT.as_secs())]
    TimedOut {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
    },
    /// The API server refused. 409: the pod of that name is another one than this process runs in.
    #[error("labelling pod {namespace}/{pod}: {said}")]
    Refused {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
        /// What the API server said.
        said: String,
    },
}

/// Gives the own pod `labels` by server-side apply: whoever else set another value is overruled.
///
/// Needs `patch pods` in the own namespace.
///
/// # Errors
/// No answer in time, or a refusal.
pub async fn label(
    client: &kube::Client,
    identity: &Identity,
    labels: &BTreeMap<String, String>,
) -> Result<Labelled, LabelError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &identity.namespace);
    let patch = ObjectMeta {
        // A precondition: an earlier or later pod of that name is refused.
        uid: Some(identity.uid.clone()),
        labels: Some(labels.clone()),
        ..ObjectMeta::default()
    }
    .into_request_partial::<Pod>();
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let patch = Patch::Apply(&patch);
    let answer = pods.patch_metadata(&identity.pod, &parameters, &patch);
    let (namespace, pod) = (identity.namespace.clone(), identity.pod.clone());
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(pod)) => Ok(labelled(pod, Timestamp::now())),
        Ok(Err(error)) => Err(LabelError::Refused {
            namespace,
            pod,
            said: in_words(&error),
        }),
        Err(_) => Err(LabelError::TimedOut { namespace, pod }),
    }
}

/// Whether the evidence shows the own pod without one of these labels.
#[must_use]
pub fn is_stripped(evidence: &Evidence, identity: &Identity, wanted: &BTreeMap<String, String>) -> bool {
    let Observed::Seen(pods) = &evidence.pods else {
        return false;
    };
    let Some(own) = pods.iter().find(|pod| *pod.uid == *identity.uid) else {
        return false;
    };
    let carried = |key: &String| {
        let position = evidence.label_keys.iter().position(|known| known == key)?;
        own.labels.get(position)?.as_deref()
    };
    (wanted.iter())
        .filter(|(key, _)| evidence.label_keys.contains(key))
        .any(|(key, value)| carried(key) != Some(value))
}

/// What the evidence shows of the own pod. Pure.
///
/// Where rows or PodMetrics could not be seen, nothing is claimed: `observed` is `None`.
#[must_use]
pub fn observe(
    contract: &Contract,
    evidence: &Evidence,
    identity: &Identity,
    labelled: Option<&Labelled>,
    previous: &Canary,
) -> Canary {
    let labels = labelled.map(|labelled| &labelled.labels);
    let at = labelled.map(|labelled| labelled.at);
    let row = own_row(evidence, identity);
    let metrics = own_metrics(evidence, identity);
    let seen = row.is_ok() && metrics.is_ok();
    let row = row.ok().flatten();
    let shown = |key: &str, position: usize| {
        let carried = labels.and_then(|labels| labels.get(key));
        let shown = row.and_then(|row| row.labels.get(position)?.as_deref());
        carried.is_some() && carried.map(String::as_str) == shown
    };
    let missing: Vec<String> = (evidence.label_keys.iter().enumerate())
        .filter(|(position, key)| !shown(key, *position))
        .map(|(_, key)| key.clone())
        .collect();
    let now = evidence.now(Source::PodMetrics);
    let metrics = metrics.ok().flatten();
    let age = metrics
        .zip(now)
        .map(|(metrics, now)| now.duration_since(metrics.timestamp).as_millis());
    let earlier = (previous.labelled == at).then_some(previous.lag_ms).flatten();
    let lag = labelled.filter(|labelled| labelled.fresh && missing.is_empty());
    let lag = lag.and_then(|labelled| Some(read(evidence, Source::StateMetricsScrape)?.duration_since(labelled.at)));
    Canary {
        pod: identity.pod.clone(),
        uid: identity.uid.clone(),
        labelled: at,
        row: row.is_some(),
        missing,
        lag_ms: earlier.or_else(|| lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(0))),
        metrics_age_ms: age.map(|age| u64::try_from(age).unwrap_or(0)),
        metrics_age_limit_ms: age_limit(contract, metrics),
        observed: (seen.then(|| read(evidence, Source::PodMetrics))).flatten(),
    }
}

/// The row under the own UID.
fn own_row<'a>(evidence: &'a Evidence, identity: &Identity) -> Result<Option<&'a PodRow>, Unseen> {
    let scrapes = match &evidence.scrapes {
        Observed::Seen(scrapes) => scrapes.as_slice(),
        Observed::Absent => return Ok(None),
        Observed::Unknown(_) => return Err(Unseen),
    };
    let mut whole = true;
    for scrape in scrapes {
        let Observed::Seen(read) = &scrape.rows else {
            whole = false;
            continue;
        };
        if let Some(own) = read.rows.iter().find(|row| row.is_of(&identity.uid)) {
            return Ok(Some(own));
        }
    }
    if whole { Ok(None) } else { Err(Unseen) }
}

/// The own PodMetrics.
fn own_metrics<'a>(evidence: &'a Evidence, identity: &Identity) -> Result<Option<&'a PodMetrics>, Unseen> {
    match &evidence.pod_metrics {
        Observed::Seen(all) => {
            let own = (identity.namespace.as_str(), identity.pod.as_str());
            Ok(all.iter().find(|metrics| metrics.pod() == own))
        }
        Observed::Absent => Ok(None),
        Observed::Unknown(_) => Err(Unseen),
    }
}

/// How old PodMetrics may be: as the checks have it, for the window that they themselves tell.
fn age_limit(contract: &Contract, metrics: Option<&PodMetrics>) -> u64 {
    let thresholds = &contract.thresholds;
    let window = metrics.map_or(0, |metrics| metrics.window_ms);
    let resolution = u64::try_from(thresholds.metric_resolution.as_millis()).unwrap_or(0);
    let sampling = u64::try_from(thresholds.kubelet_sampling.as_millis()).unwrap_or(0);
    (window.max(resolution))
        .saturating_mul(u64::from(thresholds.fresh_windows))
        .saturating_add(sampling)
}

/// When a source had been read, by the own clock.
fn read(evidence: &Evidence, source: Source) -> Option<Timestamp> {
    let ended = evidence.timings.get(&source)?.ended_ms;
    let passed = jiff::SignedDuration::from_millis(i64::try_from(ended).ok()?);
    evidence.collected.checked_add(passed).ok()
}

fn labelled(pod: PartialObjectMeta<Pod>, now: Timestamp) -> Labelled {
    // When the API server last took something from this manager: an apply that changes nothing leaves it as it was.
    let stored = (pod.metadata.managed_fields.iter().flatten())
        .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.subresource.is_none())
        .find_map(|entry| entry.time.as_ref().map(|time| time.0));
    let already = stored.filter(|stored| now.duration_since(*stored) > ALREADY);
    Labelled {
        labels: pod.metadata.labels.unwrap_or_default(),
        at: already.unwrap_or(now),
        fresh: already.is_none(),
    }
}

/// What the API server said, without the structure around it.
pub(crate) fn in_words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{}: {}", status.code, status.message),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
