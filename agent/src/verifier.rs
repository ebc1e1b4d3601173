//! The verifier: collects the evidence of the gating checks from inside the cluster, again and again, and publishes what
//! they come to.
//!
//! One round is: label the own pod where it needs it, collect, read the kubelets whose turn it is, observe the canary,
//! judge. Evidence is dropped before the verdict is published: with ten thousand pods it is megabytes.

use crate::canary::{self, Labelled};
use crate::identity::Identity;
use crate::join::Joiner;
use crate::lifecycle::{Gate, Phase};
use crate::liveness::Pulse;
use crate::parameters::Parameters;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use jiff::Timestamp;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use starform_verify::collect::{Connection, Plan, collect};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Canary, Evidence, Join, Observed, ShuttleStatus, Target, Vantage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

mod metrics;
mod pace;
mod proven;
mod status;

pub use self::metrics::Metrics;
use self::pace::Pace;
use self::status::Proven;

/// The verifier's loop turns at least so often: what its [`Pulse`] is to be made with, with slack.
pub const TURNS_WITHIN: Duration = Duration::from_mins(2);

/// How long collecting may take, and each of its requests. With five seconds for the own labels and ten for the kubelets a
/// round ends within thirty.
const COLLECTING: Duration = Duration::from_secs(15);
const REQUEST: Duration = Duration::from_secs(10);
/// How long the kubelets of one round may take; those that were not read are the first of the next.
const JOINING: Duration = Duration::from_secs(10);
/// How long a change is waited upon for the next one: a rollout is many.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// How often the loop says that it lives while it waits.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How old another leader's join may be to stand until the own first pass is done.
const INHERITED: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// What the verifier hears.
#[derive(Debug)]
pub struct Inbox {
    /// Whether this replica holds the Lease: only then it reads kubelets.
    pub leading: watch::Receiver<bool>,
    /// The ConfigMap `shuttle-status`, whoever wrote it: its join stands where there is none of the own.
    pub status: watch::Receiver<Option<ShuttleStatus>>,
    /// Where the lifecycle stands: it sets the pace, and is part of the own status.
    pub snapshot: watch::Receiver<Snapshot>,
    /// Cluster ID and region, which the own pod carries.
    pub parameters: watch::Receiver<Arc<Parameters>>,
    /// A verification is wanted now.
    pub verify: Arc<Notify>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Everything that a round needs, and what it keeps from one to the next.
pub struct Verifier {
    client: kube::Client,
    connection: Connection,
    contract: Arc<Contract>,
    selection: Selection,
    identity: Identity,
    joiner: Joiner,
    metrics: Metrics,
    labelled: Option<Labelled>,
    /// Evidence showed the own pod without one of its labels.
    stripped: bool,
    canary: Canary,
}

/// What of the rest of the agent a round depends on.
#[derive(Debug)]
struct Circumstances {
    leading: bool,
    status: Option<ShuttleStatus>,
    snapshot: Snapshot,
    parameters: Arc<Parameters>,
}

/// Verifies until it is stopped. Publishes every verification; those who look late see the last one.
///
/// Needs what [`starform_verify::collect::rbac`] lists for the agent's checks, `patch pods` in the own namespace, and `get
/// nodes/metrics`.
pub async fn run(
    mut verifier: Verifier,
    mut inbox: Inbox,
    verifications: watch::Sender<Option<Arc<Verification>>>,
    pulse: Pulse,
) {
    let mut pace = Pace::default();
    loop {
        pulse.beat();
        let circumstances = Circumstances {
            leading: *inbox.leading.borrow_and_update(),
            status: inbox.status.borrow_and_update().clone(),
            snapshot: inbox.snapshot.borrow_and_update().clone(),
            parameters: Arc::clone(&inbox.parameters.borrow_and_update()),
        };
        let stop = inbox.stop.clone();
        let verification = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            verification = verifier.verify(&circumstances, &stop) => verification,
        };
        pace.spent(Instant::now(), verification.took, verification.cost);
        verifications.send_replace(Some(Arc::new(verification)));
        if !wait(&pace, &mut inbox, &verifications, &pulse).await {
            return;
        }
    }
}

/// Waits until the next verification is due, or wanted. Whether there is to be another.
async fn wait(
    pace: &Pace,
    inbox: &mut Inbox,
    verifications: &watch::Sender<Option<Arc<Verification>>>,
    pulse: &Pulse,
) -> bool {
    let jitter = fastrand::f64();
    let due = |phase: Phase| {
        let passes = verifications
            .borrow()
            .as_ref()
            .is_some_and(|last| last.gate == Gate::Passes);
        pace.due(is_settled(phase) && passes, jitter)
    };
    loop {
        pulse.beat();
        let phase = inbox.snapshot.borrow_and_update().phase;
        tokio::select! {
            biased;
            () = inbox.stop.cancelled() => return false,
            () = inbox.verify.notified() => break,
            changed = inbox.parameters.changed() => match changed {
                Ok(()) => break,
                Err(_) => return false,
            },
            changed = inbox.leading.changed() => match changed {
                Ok(()) => break,
                Err(_) => return false,
            },
            // The phase sets the pace: it is looked at again.
            changed = inbox.snapshot.changed() => if changed.is_err() {
                return false;
            },
            () = tokio::time::sleep_until(due(phase)) => return true,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    // One change seldom comes alone.
    let soonest = pace.soonest(Instant::now() + DEBOUNCE);
    while Instant::now() < soonest {
        pulse.beat();
        tokio::select! {
            biased;
            () = inbox.stop.cancelled() => return false,
            () = tokio::time::sleep_until(soonest.min(Instant::now() + HEARTBEAT)) => {}
        }
    }
    true
}

/// Whether nothing waits for the next verdict while the gating checks pass.
fn is_settled(phase: Phase) -> bool {
    match phase {
        Phase::Active | Phase::Standby | Phase::Registering | Phase::Rejected | Phase::Stopping => true,
        Phase::Starting | Phase::Verifying | Phase::Degraded => false,
    }
}

// === impl Verifier ===

impl Verifier {
    /// One that has seen nothing yet. The client must not retry (`Config::default_retry = false`).
    #[must_use]
    pub fn new(
        client: kube::Client,
        contract: Arc<Contract>,
        identity: Identity,
        joiner: Joiner,
        metrics: Metrics,
    ) -> Self {
        let target = Target {
            context: None,
            context_named: false,
            kubeconfig: None,
            vantage: Vantage::Inside,
        };
        Self {
            connection: Connection::from_client(client.clone(), target),
            client,
            contract,
            selection: Selection::inside(),
            identity,
            joiner,
            metrics,
            labelled: None,
            stripped: false,
            canary: Canary::default(),
        }
    }

    /// One round. Ends within 30 s.
    async fn verify(&mut self, circumstances: &Circumstances, stop: &CancellationToken) -> Verification {
        let begun = Instant::now();
        let spent = processor_time();
        self.label(circumstances).await;
        let plan = Plan {
            sources: self.selection.collected(),
            timeout: COLLECTING,
            request_timeout: REQUEST,
            stop: stop.clone(),
        };
        let evidence = collect(&self.connection, &self.contract, &plan, |_| {}).await;
        let join = self.join(circumstances, &evidence).await;
        let mut verification = self.judge(circumstances, evidence, join);
        verification.took = begun.elapsed();
        verification.cost = processor_time().saturating_sub(spent);
        debug!(
            gate = ?verification.gate,
            took_ms = verification.took.as_millis(),
            cost_ms = verification.cost.as_millis(),
            "cluster verified"
        );
        self.metrics.show(&verification);
        verification
    }

    /// Gives the own pod cluster ID and region, where it has not got them, or others.
    async fn label(&mut self, circumstances: &Circumstances) {
        let wanted = self.wanted(&circumstances.parameters);
        let carries = |labelled: &Labelled| {
            wanted
                .iter()
                .all(|(key, value)| labelled.labels.get(key) == Some(value))
        };
        if self.labelled.as_ref().is_some_and(carries) && !self.stripped {
            return;
        }
        match canary::label(&self.client, &self.identity, &wanted).await {
            Ok(labelled) => {
                info!(pod = %self.identity.pod, fresh = labelled.fresh, "own pod labelled");
                self.labelled = Some(labelled);
                self.stripped = false;
            }
            Err(error) => {
                warn!(%error, "own pod was not labelled");
                self.labelled = None;
            }
        }
    }

    fn wanted(&self, parameters: &Parameters) -> BTreeMap<String, String> {
        let shuttle = &self.contract.components.shuttle;
        BTreeMap::from([
            (
                shuttle.cluster_id_label.to_string(),
                parameters.cluster_id.as_str().to_owned(),
            ),
            (shuttle.region_label.to_string(), parameters.region.as_str().to_owned()),
        ])
    }

    /// The leader's own join; until its first pass is done, and on a standby, that of the status.
    async fn join(&mut self, circumstances: &Circumstances, evidence: &Evidence) -> Join {
        let inherited = circumstances.status.as_ref().map(|status| &status.join);
        if !circumstances.leading {
            self.joiner.forget();
            return inherited.cloned().unwrap_or_default();
        }
        let deadline = Instant::now() + JOINING;
        self.joiner.round(&self.contract, evidence, deadline).await;
        let own = self.joiner.join();
        if own.complete || own.failed_nodes > 0 {
            return own;
        }
        // A takeover: what the leader before has proven stands until it is proven anew.
        let stands = |join: &&Join| {
            join.complete
                && join
                    .oldest
                    .is_some_and(|at| Timestamp::now().duration_since(at) <= INHERITED)
        };
        inherited.filter(stands).cloned().unwrap_or(own)
    }

    /// Judges the evidence, and drops it.
    fn judge(&mut self, circumstances: &Circumstances, evidence: Evidence, join: Join) -> Verification {
        let wanted = self.wanted(&circumstances.parameters);
        self.stripped = canary::is_stripped(&evidence, &self.identity, &wanted);
        self.canary = canary::observe(
            &self.contract,
            &evidence,
            &self.identity,
            self.labelled.as_ref(),
            &self.canary,
        );
        let uid = match &evidence.identity {
            Observed::Seen(uid) => Some(uid.clone()),
            Observed::Absent | Observed::Unknown(_) => None,
        };
        let nodes = proven::nodes(&self.contract, &evidence);
        let proven = Proven {
            uid: uid.as_deref(),
            canary: &self.canary,
            join: &join,
            nodes: &nodes,
        };
        let Circumstances {
            snapshot, parameters, ..
        } = circumstances;
        let own = status::own(&self.identity, parameters, snapshot, proven, Timestamp::now());
        let evidence = evidence.with_own_status(own);
        let report = evaluate(&self.contract, &evidence, &self.selection);
        Verification {
            gate: Gate::of(&report, &self.contract),
            report,
            uid,
            canary: self.canary.clone(),
            join,
            nodes,
            took: Duration::ZERO,
            cost: Duration::ZERO,
        }
    }
}

/// The processor time that this process has used by now.
fn processor_time() -> Duration {
    match getrusage(UsageWho::RUSAGE_SELF) {
        Ok(usage) => {
            let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        }
        Err(error) => {
            // Cannot be: the call has no other failure than a wrong argument.
            error!(%error, "the process's own times could not be read");
            Duration::ZERO
        }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("identity", &self.identity)
            .field("labelled", &self.labelled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
