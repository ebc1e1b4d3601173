//! Gives every pod in a managed namespace (`starform.io/managed: "true"`) the contract's label keys. Only the leader does.
//!
//! | key | value | where another field manager has set another value |
//! |---|---|---|
//! | cluster-id, region | the parameters: Shuttle's own | corrected by force, with an Event |
//! | project | the namespace's label of that key | left, with an Event |
//! | app, deployment | the label of that key of the pod's topmost controller, else of the namespace | left, with an Event |
//!
//! A key that no source has is left out and counted. A label of Shuttle's own that somebody removed comes back; one that
//! Shuttle gave goes when its source no longer has it. No label is touched that the pod's own controller selects its pods
//! by: the controller would lose the pod and create another, without end.
//!
//! **A namespace that is no longer managed keeps its pods' labels.** Who takes the mark away wants Shuttle to leave the
//! namespace alone, and the admission policy, which knows only the mark, would refuse the removal. They go with the pods.
//!
//! Writes are server-side apply under the field manager `shuttle`, bound to the pod's UID. What is right already is not
//! written, whoever owns it. Owners are read again after some minutes, and all pods are looked at again every ten: so a
//! Deployment whose label changes shows on its pods within a quarter of an hour; everything else shows at once.
//!
//! Two leaders at once write the same labels, so the second finds nothing to do.
//!
//! What it may cost: the queue, the owners and what Events were sent are bounded; of a pod only what the decision needs is
//! kept, and only while it waits. Reads and writes are paced each, at most four pods are worked on at a time, and a server
//! that is in trouble or says `Retry-After` is left alone for that time.
//!
//! RBAC, cluster-wide: `list` and `watch` on `namespaces`, `list`, `watch` and `patch` on `pods`, `get` on `replicasets`,
//! `deployments`, `statefulsets`, `daemonsets` (`apps`), `jobs` and `cronjobs` (`batch`), `create` and `patch` on `events`
//! (`events.k8s.io`).

mod desired;
mod expiring;
mod job;
mod keys;
mod metrics;
mod namespaces;
mod notices;
mod owners;
mod pace;
mod queue;
mod scan;
mod session;
mod subject;
mod write;

use self::job::Tools;
use self::keys::Keys;
use self::notices::Notices;
use self::owners::Owners;
use self::pace::Pace;
use crate::identity::Identity;
use crate::liveness::Pulse;
use crate::parameters::Parameters;
use starform_verify::contract::Contract;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use self::metrics::Metrics;

/// The label of a namespace whose pods are Starform's; its value is `true`.
pub const MANAGED: &str = "starform.io/managed";
/// The field manager of Shuttle's server-side applies.
pub const FIELD_MANAGER: &str = "shuttle";

/// What the labeler hears.
#[derive(Debug)]
pub struct Inbox {
    /// Cluster ID and region.
    pub parameters: watch::Receiver<Arc<Parameters>>,
    /// Whether this replica leads: it labels only then.
    pub leading: watch::Receiver<bool>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// How much it may do at a time, and keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Pods written a second, at most.
    pub writes_per_second: u32,
    /// Of which so many at once.
    pub burst: u32,
    /// Owners and pages of pods read a second, at most.
    pub reads_per_second: u32,
    /// Pods worked on at a time.
    pub concurrent: usize,
    /// Pods that wait, at most; what is too much is found again.
    pub queue: usize,
    /// Owners that are kept, at most.
    pub owners: usize,
    /// For how long.
    pub keep_owners: Duration,
    /// How often all pods are looked at again.
    pub resync: Duration,
    /// Pods in a page of a list.
    pub page: u32,
    /// How long one request may take.
    pub request: Duration,
    /// How long one page of a list may take.
    pub list: Duration,
    /// How often a pod is tried whose write is refused, until it changes.
    pub attempts: u32,
    /// How long to wait after the first refusal; it doubles.
    pub retry: Duration,
}

/// Labels while this replica leads, until it is stopped.
pub async fn run(
    client: kube::Client,
    identity: &Identity,
    contract: &Contract,
    inbox: Inbox,
    settings: Settings,
    metrics: Metrics,
    pulse: Pulse,
) {
    let Inbox {
        parameters,
        mut leading,
        stop,
    } = inbox;
    let keys = Arc::new(Keys::of(contract));
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            elected = leading.wait_for(|leading| *leading) => if elected.is_err() { return },
            () = turning(&pulse) => {}
        }
        info!("began to label");
        let pace = Arc::new(Pace::new(&settings));
        let (notices, waiting) = Notices::new(metrics.clone());
        let tools = Tools {
            owners: Owners::new(client.clone(), Arc::clone(&keys), Arc::clone(&pace), &settings),
            client: client.clone(),
            keys: Arc::clone(&keys),
            settings: settings.clone(),
            pace,
            notices,
            metrics: metrics.clone(),
        };
        // What is under way when leadership ends is dropped: a write that arrives all the same is what the next leader
        // would write.
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            _ = leading.wait_for(|leading| !*leading) => {}
            () = session::run(&tools, parameters.clone(), &pulse) => {}
            () = notices::publish(client.clone(), identity, waiting) => {}
        }
        metrics.pending.set(0);
        info!("ceased to label");
        if stop.is_cancelled() || parameters.has_changed().is_err() {
            return;
        }
    }
}

/// Never ends; the loop that waits for leadership makes progress.
async fn turning(pulse: &Pulse) {
    loop {
        pulse.beat();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            writes_per_second: 25,
            burst: 10,
            reads_per_second: 50,
            concurrent: 4,
            queue: 4096,
            owners: 4096,
            keep_owners: Duration::from_mins(5),
            resync: Duration::from_mins(10),
            page: 250,
            request: Duration::from_secs(10),
            list: Duration::from_secs(30),
            attempts: 5,
            retry: Duration::from_secs(1),
        }
    }
}
