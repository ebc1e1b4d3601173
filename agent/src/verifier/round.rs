//! One round: from the own pod's labels to the verdict.

use super::cost::processor_time;
use super::metrics::Metrics;
use super::proven;
use super::status::{self, Proven};
use crate::canary::{self, Labelled};
use crate::identity::Identity;
use crate::join::Joiner;
use crate::lifecycle::Gate;
use crate::parameters::Parameters;
use crate::snapshot::Snapshot;
use crate::verification::Verification;
use jiff::Timestamp;
use starform_verify::collect::{Connection, EarlierPages, Plan, Targets, collect};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Canary, Evidence, Join, Observed, ShuttleStatus, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How long collecting may take, and each of its requests. Nothing is waited for: collectors whose page leaves something open
/// are compared with what an earlier round has read of them. With five seconds for the own labels and ten for the kubelets a
/// round ends within 35.
const COLLECTING: Duration = Duration::from_secs(20);
const REQUEST: Duration = Duration::from_secs(10);
/// How long the kubelets of one round may take; those that were not read are the first of the next.
const JOINING: Duration = Duration::from_secs(10);
/// How old another leader's join may be to stand until the own first pass is done.
const INHERITED: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// Everything that a round needs, and what it keeps from one to the next.
pub struct Verifier {
    client: kube::Client,
    targets: Targets,
    contract: Arc<Contract>,
    selection: Selection,
    identity: Identity,
    joiner: Joiner,
    metrics: Metrics,
    /// What earlier rounds have read of the collectors' pages.
    earlier: Arc<EarlierPages>,
    pub(super) labelled: Option<Labelled>,
    /// Evidence showed the own pod without one of its labels.
    stripped: bool,
    canary: Canary,
}

/// What of the rest of the agent a round depends on.
#[derive(Debug)]
pub(super) struct Circumstances {
    pub(super) leading: bool,
    pub(super) status: Option<ShuttleStatus>,
    pub(super) snapshot: Snapshot,
    pub(super) parameters: Arc<Parameters>,
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
        let target = Target::inside();
        Self {
            targets: Connection::from_client(client.clone(), target).into(),
            client,
            contract,
            selection: Selection::inside(),
            identity,
            joiner,
            metrics,
            earlier: Arc::default(),
            labelled: None,
            stripped: false,
            canary: Canary::default(),
        }
    }

    /// One round. Ends within 35 s.
    pub(super) async fn verify(&mut self, circumstances: &Circumstances, stop: &CancellationToken) -> Verification {
        let begun = Instant::now();
        let spent = processor_time();
        self.label(circumstances).await;
        let plan = Plan {
            sources: self.selection.collected(),
            releases: self.selection.releases(),
            timeout: COLLECTING,
            request_timeout: REQUEST,
            earlier: Some(Arc::clone(&self.earlier)),
            stop: stop.clone(),
        };
        let evidence = collect(&self.targets, &self.contract, &plan, |_| {}).await;
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
    pub(super) async fn join(&mut self, circumstances: &Circumstances, evidence: &Evidence) -> Join {
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
    pub(super) fn judge(&mut self, circumstances: &Circumstances, evidence: Evidence, join: Join) -> Verification {
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

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("identity", &self.identity)
            .field("labelled", &self.labelled)
            .finish_non_exhaustive()
    }
}
