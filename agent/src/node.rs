//! The role `shuttle node`: proves its own node, and says so as the node's condition `StarformTelemetryReady`.
//!
//! Node-local facts only: the kubelet of this node shows container metrics of this node's pods, this one among them, and
//! the contract's collectors run here. Nothing that costs as much as the cluster is large.

use crate::canary::in_words;
use crate::identity::Identity;
use crate::kubelet::{Kubelet, Kubelets};
use crate::liveness::Pulse;
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

mod collectors;
mod condition;
mod proof;
mod taint;

pub use self::collectors::Collector;
pub use self::condition::NodeCondition;
pub use self::proof::{Proof, Verdict};
pub use self::taint::TAINT;

use self::condition::Published;
use self::taint::Lifting;

/// The node role's loop turns at least so often: what its [`Pulse`] is to be made with, with slack.
pub const TURNS_WITHIN: Duration = Duration::from_mins(2);

/// How often a proven node is proven again and its condition renewed; up to a fifth longer, so that a cluster's nodes do
/// not write all at once.
const RENEWAL: Duration = Duration::from_mins(1);
/// How often one that is not is tried: at first, and doubling up to the renewal's time.
const RETRY: Duration = Duration::from_secs(2);
/// How long a request to the API server may take.
const REQUEST: Duration = Duration::from_secs(10);

/// What the role is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This pod.
    pub identity: Identity,
    /// Where this node's kubelet answers.
    pub kubelet: Kubelet,
    /// The condition's type, as the contract names it.
    pub condition: String,
    /// The collectors that run on every node. Empty where the contract names none.
    pub collectors: Vec<Collector>,
    /// Whether to lift the startup taint.
    pub lift_startup_taint: bool,
}

/// Where the node stands, for the admin server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last proof; `None` before the first.
    pub verdict: Option<Verdict>,
    /// Whether the condition was last published, and as `True`: what readiness is.
    pub ready: bool,
    /// Why the condition could not be published, or the taint not lifted.
    pub problem: Option<String>,
    /// When this was so.
    pub at: Timestamp,
}

/// `shuttle_node_*`.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    proven: Gauge,
    published: Counter,
    failures: Counter,
}

struct Role {
    client: kube::Client,
    kubelets: Kubelets,
    settings: Settings,
    published: Published,
    lifting: Option<Lifting>,
    metrics: Metrics,
}

/// Proves the node until it is stopped.
///
/// Needs `get nodes/metrics` and `patch nodes/status`; for collectors `list pods` in their namespaces; with the startup
/// taint `get` and `patch nodes`, and `create` and `patch events.events.k8s.io` in the namespace `default`.
pub async fn run(
    client: kube::Client,
    kubelets: Kubelets,
    settings: Settings,
    metrics: Metrics,
    standing: watch::Sender<Standing>,
    pulse: Pulse,
    stop: CancellationToken,
) {
    let lifting =
        (settings.lift_startup_taint).then(|| Lifting::new(client.clone(), &settings.identity, Instant::now()));
    let mut role = Role {
        client,
        kubelets,
        settings,
        published: Published::default(),
        lifting,
        metrics,
    };
    let mut retry = RETRY;
    loop {
        pulse.beat();
        let now = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            now = role.turn() => now,
        };
        let settled = now.ready && now.problem.is_none();
        standing.send_replace(now);
        retry = if settled { RETRY } else { (retry * 2).min(RENEWAL) };
        let pause = if settled { RENEWAL } else { retry }.mul_f64(1.0 + fastrand::f64() * 0.2);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

// === impl Standing ===

impl Standing {
    /// Before the first proof.
    #[must_use]
    pub fn starting(at: Timestamp) -> Self {
        Self {
            verdict: None,
            ready: false,
            problem: None,
            at,
        }
    }
}

// === impl Role ===

impl Role {
    /// Proves, publishes, and lifts the taint where it is to be lifted.
    async fn turn(&mut self) -> Standing {
        let verdict = self.prove().await.verdict();
        self.metrics.proven.set(i64::from(verdict.proven));
        if verdict.proven {
            debug!(reason = verdict.reason, "node proven");
        } else {
            warn!(reason = verdict.reason, because = %verdict.message, "node is not proven");
        }
        let published = self.publish(&verdict).await;
        let lifted = match &mut self.lifting {
            Some(lifting) => lifting.attend(&verdict, Instant::now(), Timestamp::now()).await,
            None => Ok(()),
        };
        for problem in [&published, &lifted]
            .into_iter()
            .filter_map(|result| result.as_ref().err())
        {
            self.metrics.failures.inc();
            warn!(%problem, "node could not be written");
        }
        Standing {
            ready: verdict.proven && published.is_ok(),
            verdict: Some(verdict),
            problem: published.err().or(lifted.err()),
            at: Timestamp::now(),
        }
    }

    async fn prove(&self) -> Proof {
        let Settings {
            identity,
            kubelet,
            collectors,
            ..
        } = &self.settings;
        let pods = self.kubelets.pods(kubelet).await.map_err(|error| error.to_string());
        let read = pods.map(|pods| proof::Shown {
            pods: pods.len(),
            own: pods.contains(&identity.namespace, &identity.pod),
        });
        Proof {
            kubelet: read,
            collectors: collectors::look(&self.client, &identity.node, collectors).await,
        }
    }

    async fn publish(&mut self, verdict: &Verdict) -> Result<(), String> {
        let node = &self.settings.identity.node;
        let kind = &self.settings.condition;
        if !self.published.is_known() {
            let before = condition::read(&self.client, node, kind, REQUEST).await?;
            self.published = Published::known(before);
        }
        let next = self.published.next(kind, verdict, Timestamp::now());
        condition::write(&self.client, node, &next, REQUEST).await?;
        self.metrics.published.inc();
        if next.last_transition_time == next.last_heartbeat_time {
            info!(condition = %kind, status = next.status, reason = %next.reason, "node condition changed");
        }
        self.published = Published::known(Some(next));
        Ok(())
    }
}

// === impl Metrics ===

impl Metrics {
    /// Adds them to a registry whose prefix is `shuttle`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("node");
        registry.register("proven", "Whether this node was last proven", self.proven.clone());
        registry.register(
            "condition_writes",
            "Times the node's condition was written",
            self.published.clone(),
        );
        registry.register(
            "write_failures",
            "Times the node could not be written",
            self.failures.clone(),
        );
    }
}

fn api_error(what: &str, node: &str, error: &kube::Error) -> String {
    format!("{what} node {node}: {}", in_words(error))
}

#[cfg(test)]
mod tests;
