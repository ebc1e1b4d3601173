//! Leader election among the replicas, by the Lease `shuttle` in the agent's namespace.
//!
//! Why not kube-lease-manager 0.13, the one crate for kube 5: it renews by server-side apply without a resourceVersion,
//! so that a leader which was paused past its Lease's end writes over its successor, and both lead until the successor
//! looks again. Here every write carries the resourceVersion that was read; whoever comes second gets a conflict.
//!
//! Times are measured on this process' monotonic clock only. A leader counts from the *start* of its last successful
//! renewal and stops leading at four fifths of the Lease's duration, so before anybody can take it. The others count
//! from when they saw the record change, which is later. So a slow API server, or one that restarts, ends leadership
//! only after that time, and a process that is paused (its clock may stand still with it) can still find itself leading
//! for a moment beside its successor. That is harmless by design: Starbase's registration generation refuses the stale
//! one, and the labels that both would write are the same.
//!
//! RBAC, in the agent's namespace: `get` and `update` on the Lease `shuttle` of `coordination.k8s.io`, and `create` on
//! Leases (a name cannot restrict `create`).

mod lease;
mod record;

use self::lease::{LeaseClient, Unwritten};
use self::record::{Observation, Standing};
use crate::identity::Identity;
use crate::liveness::Pulse;
use futures::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// The Lease and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name: an API of its own, others look for it.
    pub name: String,
    /// How long it holds without a renewal; whole seconds.
    pub duration: Duration,
    /// How often the leader renews it.
    pub renew: Duration,
    /// How often the others look, and how soon a leader tries again that could not renew.
    pub poll: Duration,
    /// How long one request may take.
    pub request: Duration,
}

/// Takes part in the election until it is stopped. `leading` says whether this replica leads; it says no before the
/// Lease is given back, whatever way this function ends.
///
/// `step_down` makes a leader give the Lease back and stay out for its duration, so that another replica can take it; if
/// none does, this one comes back. On `stop` the Lease is given back, and the next replica takes it at once.
pub async fn run(
    client: kube::Client,
    settings: Settings,
    identity: &Identity,
    leading: watch::Sender<bool>,
    step_down: Arc<Notify>,
    pulse: Pulse,
    stop: CancellationToken,
) {
    let mut candidate = Candidate {
        lease: LeaseClient::new(client, &identity.namespace, &settings.name, settings.request),
        holder: identity.pod.clone(),
        observation: Observation::default(),
        not_before: Instant::now(),
        settings,
        leading: Leading(leading),
        step_down,
        pulse,
        stop,
    };
    while let Some(held) = candidate.follow().await {
        candidate.lead(held).await;
    }
}

/// One replica in the election.
struct Candidate {
    lease: LeaseClient,
    holder: String,
    observation: Observation,
    /// It stays out until then, having stepped down.
    not_before: Instant,
    settings: Settings,
    leading: Leading,
    step_down: Arc<Notify>,
    pulse: Pulse,
    stop: CancellationToken,
}

/// The Lease while this process holds it.
struct Held {
    lease: Lease,
    /// When the last successful write of it was begun.
    since: Instant,
}

/// What the rest of the agent is told. Says no when it is dropped, too: a cancelled election must not leave a leader.
struct Leading(watch::Sender<bool>);

/// How an attempt to renew ended.
enum Renewal {
    Renewed,
    /// Another holds it.
    Lost(String),
    /// Not known, or not now.
    Failed(String),
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "shuttle".to_owned(),
            duration: Duration::from_secs(15),
            renew: Duration::from_secs(5),
            poll: Duration::from_secs(2),
            request: Duration::from_secs(3),
        }
    }
}

impl Settings {
    /// How long a leader leads on after the start of its last successful renewal.
    fn deadline(&self) -> Duration {
        self.duration * 4 / 5
    }
}

// === impl Candidate ===

impl Candidate {
    /// Looks on until the Lease is this process' own; `None` when it is stopped.
    async fn follow(&mut self) -> Option<Held> {
        let mut failing = false;
        loop {
            self.pulse.beat();
            let read = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                read = self.lease.read() => read,
            };
            let mut again = Instant::now() + shortened(self.settings.poll);
            match read {
                Err(refusal) if failing => debug!(error = %refusal, "could still not read the Lease"),
                Err(refusal) => {
                    failing = true;
                    warn!(error = %refusal, "could not read the Lease");
                }
                Ok(found) => {
                    failing = false;
                    match self.attempt(found).await {
                        Ok(held) => return Some(held),
                        Err(until) => again = again.min(until.unwrap_or(again)),
                    }
                }
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = sleep_until(again) => {}
            }
        }
    }

    /// Takes the Lease if it may; else says when its holder's time is over, where that is known.
    async fn attempt(&mut self, found: Option<Lease>) -> Result<Held, Option<Instant>> {
        let now = Instant::now();
        let standing = self.observation.note(found.as_ref(), &self.settings, &self.holder, now);
        if let Standing::Held { until } = standing {
            return Err(Some(until));
        }
        if now < self.not_before {
            return Err(Some(self.not_before));
        }
        let claim = record::claim(found.as_ref(), &self.settings, &self.holder, Timestamp::now());
        // Not cancelled by `stop`: a Lease that was taken unseen would keep the others waiting.
        match self.lease.write(&claim).await {
            Ok(lease) => Ok(Held { lease, since: now }),
            Err(Unwritten::Conflict) => {
                debug!("another replica wrote the Lease first");
                Err(None)
            }
            Err(Unwritten::Failed(refusal)) => {
                warn!(error = %refusal, "could not take the Lease");
                Err(None)
            }
        }
    }

    /// Leads until the Lease is lost or given back.
    async fn lead(&mut self, mut held: Held) {
        // What was said to an earlier leadership does not concern this one.
        let _ = self.step_down.notified().now_or_never();
        let transitions = held.lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
        info!(holder = %self.holder, transitions, "took the Lease, leads");
        self.leading.0.send_replace(true);
        let mut next = Instant::now() + shortened(self.settings.renew);
        loop {
            let deadline = held.since + self.settings.deadline();
            self.pulse.beat();
            let renewal = tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    self.give_back(held, "stopped").await;
                    return;
                }
                () = self.step_down.notified() => {
                    let out = self.settings.duration;
                    self.give_back(held, "a later registration stands").await;
                    self.not_before = Instant::now() + out + out.mul_f64(fastrand::f64() / 5.0);
                    return;
                }
                renewal = timeout_at(deadline, async {
                    sleep_until(next).await;
                    self.renew(&mut held).await
                }) => renewal,
            };
            match renewal {
                Ok(Renewal::Renewed) => next = Instant::now() + shortened(self.settings.renew),
                Ok(Renewal::Failed(error)) => {
                    warn!(%error, "could not renew the Lease");
                    next = Instant::now() + shortened(self.settings.poll) / 2;
                }
                Ok(Renewal::Lost(holder)) => {
                    self.leading.0.send_replace(false);
                    warn!(%holder, "lost the Lease, follows");
                    return;
                }
                Err(_) => {
                    self.leading.0.send_replace(false);
                    warn!(
                        seconds = self.settings.deadline().as_secs(),
                        "could not renew the Lease in time, follows"
                    );
                    return;
                }
            }
        }
    }

    async fn renew(&self, held: &mut Held) -> Renewal {
        let since = Instant::now();
        match self.lease.write(&record::renewal(&held.lease, Timestamp::now())).await {
            Ok(lease) => {
                *held = Held { lease, since };
                return Renewal::Renewed;
            }
            Err(Unwritten::Failed(refusal)) => return Renewal::Failed(refusal.to_string()),
            Err(Unwritten::Conflict) => {}
        }
        // Somebody else wrote, or an earlier renewal came through whose answer did not.
        match self.lease.read().await {
            Ok(Some(lease)) if record::holder(&lease) == self.holder => {
                held.lease = lease;
                Renewal::Failed("it was written meanwhile, and still names this replica".to_owned())
            }
            Ok(found) => Renewal::Lost(found.as_ref().map_or("", record::holder).to_owned()),
            Err(refusal) => Renewal::Failed(refusal.to_string()),
        }
    }

    /// Stops leading, then empties the Lease. A failure is only logged: the Lease ends by itself.
    async fn give_back(&self, held: Held, why: &'static str) {
        self.leading.0.send_replace(false);
        let mut lease = held.lease;
        // A second time where a renewal was under way, whose answer was not waited for.
        for _ in 0..2 {
            match self.lease.write(&record::release(&lease, Timestamp::now())).await {
                Ok(_) => {
                    info!(why, "gave the Lease back, follows");
                    return;
                }
                Err(Unwritten::Failed(refusal)) => {
                    warn!(error = %refusal, why, "could not give the Lease back, follows");
                    return;
                }
                Err(Unwritten::Conflict) => {}
            }
            match self.lease.read().await {
                Ok(Some(found)) if record::holder(&found) == self.holder => lease = found,
                _ => return,
            }
        }
    }
}

/// Between four fifths and the whole: replicas and clusters must not ask in step.
fn shortened(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + fastrand::f64() / 5.0)
}

// === impl Leading ===

impl Drop for Leading {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}
