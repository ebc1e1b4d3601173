//! Writes the ConfigMap `shuttle-status`, as long as this replica leads.

use super::reader::parse;
use super::status::{Facts, status};
use super::{REQUEST_WITHIN, words};
use crate::lifecycle::{Gate, Phase};
use crate::liveness::Pulse;
use crate::metrics::Metrics;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use crate::view::Sources;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use starform_verify::evidence::{STATUS_CONFIG_MAP, STATUS_KEY, ShuttleStatus};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{error, info};

/// A change of phase brings a change of verdict and registration with it: one write for all.
const SETTLE: Duration = Duration::from_millis(500);
/// How often it is written where nothing changes: the auditor calls a status stale that is several of these old.
const EVERY: Duration = Duration::from_mins(1);
/// A write that failed is tried again after this, doubling up to [`EVERY`].
const AGAIN: Duration = Duration::from_secs(1);

/// Writes the ConfigMap.
///
/// Needs `get`, `patch` and, for the first time, `create` on the ConfigMap `shuttle-status` in the own namespace.
#[derive(Debug)]
pub struct Publisher {
    api: Api<ConfigMap>,
    sources: Sources,
    metrics: Metrics,
    pulse: Pulse,
    /// As it was last read: a verification that cannot read it does not take it back.
    uid: Option<String>,
    /// What the ConfigMap said when this replica began to lead, then what it wrote itself; `None` until it was read. A new
    /// leader knows of no registration, while the cluster has one: were it to write that, every replica would be unready
    /// until Starbase answers.
    left: Option<Left>,
    /// Writes that failed since the last that did not.
    failures: u32,
}

/// A ConfigMap that was read: what it said, if it is there and can be understood.
#[derive(Debug)]
struct Left(Option<ShuttleStatus>);

/// What is written at once when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    leader: bool,
    phase: Phase,
    generation: Option<u64>,
    verdict: Option<(bool, Option<String>)>,
}

// === impl Publisher ===

impl Publisher {
    /// Within how long [`Publisher::run`] turns at least once: what its pulse is to be watched with.
    pub const TURNS_WITHIN: Duration = Duration::from_mins(3);

    /// A publisher of what `sources` say.
    #[must_use]
    pub fn new(client: kube::Client, sources: Sources, metrics: Metrics, pulse: Pulse) -> Self {
        Self {
            api: Api::namespaced(client, &sources.identity.namespace),
            sources,
            metrics,
            pulse,
            uid: None,
            left: None,
            failures: 0,
        }
    }

    /// Writes until the lifecycle has stopped: the sender of its snapshots is gone. The last write says so, if this
    /// replica led.
    pub async fn run(mut self) {
        // What it last told, and whether it did so as the leader.
        let mut told: Option<Key> = None;
        let mut spoke = false;
        let mut due = Instant::now() + SETTLE;
        loop {
            self.pulse.beat();
            let ended = tokio::select! {
                biased;
                changed = self.sources.snapshot.changed() => changed.is_err(),
                // Its sender may end before the lifecycle does; that says nothing.
                Ok(()) = self.sources.verifications.changed() => false,
                () = tokio::time::sleep_until(due) => {
                    let key = self.key();
                    spoke = key.speaks(spoke);
                    if spoke {
                        self.write().await;
                    } else {
                        (self.failures, self.left) = (0, None);
                    }
                    due = Instant::now() + if self.failures > 0 { again(self.failures) } else { jittered(EVERY) };
                    told = Some(key);
                    false
                }
            };
            let key = self.key();
            let news = told.as_ref() != Some(&key);
            if ended {
                if (news || self.failures > 0) && key.speaks(spoke) {
                    self.write().await;
                }
                self.pulse.rest();
                return;
            }
            // A write that is being tried again keeps its pace: the news comes with it.
            if news && self.failures == 0 {
                due = due.min(Instant::now() + SETTLE);
            }
        }
    }

    fn key(&self) -> Key {
        let snapshot = self.sources.snapshot.borrow();
        let verification = self.sources.verifications.borrow();
        key(&snapshot, verification.as_deref())
    }

    async fn write(&mut self) {
        match self.try_write().await {
            Ok(()) => {
                if self.failures > 0 {
                    info!(failures = self.failures, "the status was written again");
                }
                self.failures = 0;
            }
            Err(message) => {
                self.metrics.announcement_failed("status");
                // Once, not at every try.
                if self.failures == 0 {
                    error!(
                        config_map = STATUS_CONFIG_MAP,
                        error = message,
                        "the status was not written"
                    );
                }
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    async fn try_write(&mut self) -> Result<(), String> {
        let left = match self.left.take() {
            Some(left) => left,
            None => self.read().await?,
        };
        let status = self.status(left.0.as_ref());
        let applied = self.apply(&status).await;
        self.left = Some(if applied.is_ok() { Left(Some(status)) } else { left });
        applied
    }

    async fn read(&self) -> Result<Left, String> {
        match tokio::time::timeout(REQUEST_WITHIN, self.api.get_opt(STATUS_CONFIG_MAP)).await {
            Ok(Ok(found)) => Ok(Left(found.and_then(|found| parse(&found).ok()))),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err(format!("no answer within {} s", REQUEST_WITHIN.as_secs_f32())),
        }
    }

    fn status(&mut self, left: Option<&ShuttleStatus>) -> ShuttleStatus {
        let view = self.sources.view();
        let verification = view.verification.as_deref();
        if let Some(uid) = verification.and_then(|seen| seen.uid.clone()) {
            self.uid = Some(uid);
        }
        let mut status = status(Facts {
            names: view.names.as_ref(),
            identity: &view.identity,
            uid: self.uid.as_deref(),
            snapshot: &view.snapshot,
            verification,
            written: Timestamp::now(),
        });
        if let Some(left) = left.filter(|left| left.cluster_id == status.cluster_id) {
            inherit(&mut status, left);
        }
        status
    }

    async fn apply(&self, status: &ShuttleStatus) -> Result<(), String> {
        let json = serde_json::to_string(status).map_err(|error| error.to_string())?;
        let object = serde_json::json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": STATUS_CONFIG_MAP},
            "data": {STATUS_KEY: json},
        });
        // By force: its one key is the agent's own, whoever edited it.
        let params = PatchParams::apply("shuttle").force();
        let patch = Patch::Apply(&object);
        let request = self.api.patch(STATUS_CONFIG_MAP, &params, &patch);
        match tokio::time::timeout(REQUEST_WITHIN, request).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err(format!("no answer within {} s", REQUEST_WITHIN.as_secs_f32())),
        }
    }
}

// === impl Key ===

impl Key {
    /// Whether this replica may tell it. Who led until it stopped says that it stops: its Lease may be gone by now.
    fn speaks(&self, spoke: bool) -> bool {
        self.leader || (spoke && self.phase == Phase::Stopping)
    }
}

fn key(snapshot: &Snapshot, verification: Option<&Verification>) -> Key {
    Key {
        leader: snapshot.leader,
        phase: snapshot.phase,
        generation: snapshot.registration.map(|registered| registered.generation),
        verdict: verification.map(|seen| match &seen.gate {
            Gate::Passes => (true, None),
            Gate::Fails(broken) | Gate::Unknown(broken) => (false, broken.code().map(str::to_owned)),
        }),
    }
}

/// Takes over what a new leader does not know yet. A refusal ends what it inherits.
fn inherit(status: &mut ShuttleStatus, left: &ShuttleStatus) {
    if status.uid.is_empty() {
        status.uid.clone_from(&left.uid);
    }
    if status.registration.is_none() && status.phase != Phase::Rejected && status.uid == left.uid {
        status.registration.clone_from(&left.registration);
    }
}

fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(0.9 + 0.2 * fastrand::f64())
}

fn again(failures: u32) -> Duration {
    let doubled = AGAIN.saturating_mul(1 << failures.saturating_sub(1).min(6));
    jittered(doubled.min(EVERY))
}

#[cfg(test)]
mod tests;
