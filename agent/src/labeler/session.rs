//! Labels for as long as this replica leads: one task that owns all state. It watches namespaces and pods, decides what it
//! can from what it knows, and does a few pods at a time.

use super::MANAGED;
use super::desired::desired;
use super::job::{Job, Outcome, Tools};
use super::keys::ClusterLabels;
use super::namespaces::Namespaces;
use super::queue::Queue;
use super::scan::{Page, Pods, Scans};
use super::subject::Subject;
use crate::liveness::Pulse;
use crate::parameters::Parameters;
use crate::request::Refusal;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use http::StatusCode;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

/// How often the loop turns when nothing happens.
const TURN: Duration = Duration::from_secs(5);

struct Session<'tools> {
    tools: &'tools Tools,
    cluster: ClusterLabels,
    namespaces: Namespaces,
    queue: Queue,
    scans: Scans,
    under_way: FuturesUnordered<BoxFuture<'tools, Finished>>,
    pods_under_way: usize,
    page_under_way: bool,
    /// When all pods are looked at again, for what no watch told (an owner's labels).
    resync: Instant,
}

enum Finished {
    Pod(Box<Job>, Outcome),
    Page(Page, Result<Pods, Refusal>),
}

/// Labels until it is dropped, or until the parameters end.
pub(super) async fn run(tools: &Tools, mut parameters: watch::Receiver<Arc<Parameters>>, pulse: &Pulse) {
    let config = watcher::Config::default().page_size(tools.settings.page);
    let managed = config.clone().labels(&format!("{MANAGED}=true"));
    let namespaces = Api::<PartialObjectMeta<Namespace>>::all(tools.client.clone());
    let mut namespaces = pin!(watcher(namespaces, managed).default_backoff());
    let pods = Api::<PartialObjectMeta<Pod>>::all(tools.client.clone());
    let mut pods = pin!(watcher(pods, config).default_backoff());

    let mut session = Session::new(tools, ClusterLabels::of(&parameters.borrow_and_update()));
    loop {
        pulse.beat();
        session.start_work();
        let wake = session.wake();
        tokio::select! {
            Some(event) = namespaces.next() => session.namespace(event),
            // Not before it is known which of them are managed.
            Some(event) = pods.next(), if session.namespaces.is_complete() => session.pod_event(event),
            Some(finished) = session.under_way.next() => session.finished(finished),
            changed = parameters.changed() => {
                if changed.is_err() {
                    return;
                }
                session.parameters(ClusterLabels::of(&parameters.borrow_and_update()));
            }
            () = sleep_until(wake) => session.resync(),
        }
    }
}

// === impl Session ===

impl<'tools> Session<'tools> {
    fn new(tools: &'tools Tools, cluster: ClusterLabels) -> Self {
        Self {
            tools,
            cluster,
            namespaces: Namespaces::default(),
            queue: Queue::new(tools.settings.queue),
            scans: Scans::default(),
            under_way: FuturesUnordered::new(),
            pods_under_way: 0,
            page_under_way: false,
            resync: Instant::now() + tools.settings.resync.mul_f64(0.8 + fastrand::f64() / 5.0),
        }
    }

    /// When the loop has to turn, whatever happens.
    fn wake(&self) -> Instant {
        let turn = Instant::now() + TURN;
        turn.min(self.resync).min(self.queue.next_due().unwrap_or(turn))
    }

    fn start_work(&mut self) {
        let tools = self.tools;
        while self.pods_under_way < tools.settings.concurrent
            && let Some((subject, attempts)) = self.queue.pop(Instant::now())
        {
            // No longer managed: what it carries stays.
            let Some(namespace) = self.namespaces.get(&subject.namespace) else {
                self.queue.done(&subject.uid);
                continue;
            };
            let job = Box::new(Job {
                namespace: Arc::clone(namespace),
                cluster: self.cluster.clone(),
                subject,
                attempts,
            });
            self.pods_under_way += 1;
            self.under_way.push(Box::pin(async move {
                let outcome = job.run(tools).await;
                Finished::Pod(job, outcome)
            }));
        }
        // A page is read only where there is room for all of it: what was dropped once is not dropped again.
        let room = self.queue.len() <= tools.settings.queue / 4;
        if !self.page_under_way
            && self.namespaces.is_complete()
            && room
            && let Some(page) = self.scans.next()
        {
            self.page_under_way = true;
            self.under_way.push(Box::pin(async move {
                let read = page.read(tools).await;
                Finished::Page(page, read)
            }));
        }
        let pending = self.queue.pending() + usize::from(self.page_under_way || !self.scans.is_idle());
        tools.metrics.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
    }

    fn namespace(&mut self, event: watcher::Result<Event<PartialObjectMeta<Namespace>>>) {
        match event {
            Ok(event) => {
                for name in self.namespaces.take(event, &self.tools.keys) {
                    debug!(namespace = %name, "a managed namespace is new or changed");
                    self.scans.namespace(&name);
                }
            }
            Err(error) => warn!(%error, "the watch on namespaces failed"),
        }
    }

    fn pod_event(&mut self, event: watcher::Result<Event<PartialObjectMeta<Pod>>>) {
        match event {
            Ok(Event::Apply(pod) | Event::InitApply(pod)) => self.pod(&pod),
            Ok(Event::Delete(pod)) => self.queue.remove(pod.metadata.uid.as_deref().unwrap_or_default()),
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => warn!(%error, "the watch on pods failed"),
        }
    }

    /// Queues a pod, unless what is known says that nothing has to be written.
    fn pod(&mut self, pod: &PartialObjectMeta<Pod>) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let Some(values) = self.namespaces.get(namespace) else {
            return;
        };
        let Some(subject) = Subject::of(pod, &self.tools.keys) else {
            // On its way out.
            self.queue.remove(pod.metadata.uid.as_deref().unwrap_or_default());
            return;
        };
        if let Some(owner) = self.tools.owners.cached(subject.controller.as_ref()) {
            let changes = desired(&self.tools.keys, &self.cluster, values, &owner, &subject.current);
            if !changes.iter().any(super::desired::Change::writes) {
                self.tools.notices.left(&self.tools.keys, &subject, &changes);
                self.queue.remove(&subject.uid);
                return;
            }
        }
        if self.queue.push(subject).is_err() {
            debug!("the queue is full; all pods are looked at again later");
            self.scans.everything();
        }
    }

    fn finished(&mut self, finished: Finished) {
        match finished {
            Finished::Pod(job, outcome) => {
                self.pods_under_way -= 1;
                self.queue.done(&job.subject.uid);
                self.pod_done(*job, &outcome);
            }
            Finished::Page(page, Ok(pods)) => {
                self.page_under_way = false;
                self.tools.pace.fine();
                self.scans.advance(page, pods.metadata.continue_);
                for pod in &pods.items {
                    self.pod(pod);
                }
            }
            Finished::Page(page, Err(refusal)) => {
                self.page_under_way = false;
                let pause = self.tools.pace.trouble(refusal.retry_after);
                warn!(error = %refusal, ?pause, "could not list pods");
                self.scans.again(page, refusal.is(StatusCode::GONE));
            }
        }
    }

    fn pod_done(&mut self, job: Job, outcome: &Outcome) {
        let Job { subject, attempts, .. } = job;
        let (namespace, pod) = (subject.namespace.clone(), subject.name.clone());
        let settings = &self.tools.settings;
        self.tools.metrics.count(outcome.as_str());
        match outcome {
            Outcome::Unavailable(refusal) => {
                // Not the pod's fault: no attempt of its own.
                let pause = self.tools.pace.trouble(refusal.retry_after);
                warn!(error = %refusal, ?pause, %namespace, %pod, "could not label a pod now");
                self.queue.push_back(subject, attempts, Instant::now());
            }
            Outcome::Failed(refusal) if attempts + 1 < settings.attempts => {
                let pause = settings.retry * 2_u32.pow(attempts.min(8));
                let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
                debug!(error = %refusal, ?pause, %namespace, %pod, "could not label a pod");
                self.queue.push_back(subject, attempts + 1, Instant::now() + pause);
            }
            Outcome::Failed(refusal) => {
                self.tools.metrics.count("given_up");
                warn!(error = %refusal, %namespace, %pod, attempts = attempts + 1, "gave a pod up until it changes");
            }
            Outcome::Unchanged | Outcome::Gone | Outcome::Stale | Outcome::Contested => {
                debug!(outcome = outcome.as_str(), %namespace, %pod, "looked at a pod");
            }
            Outcome::Applied | Outcome::Corrected => {
                self.tools.pace.fine();
                debug!(outcome = outcome.as_str(), %namespace, %pod, "labelled a pod");
            }
        }
    }

    fn parameters(&mut self, cluster: ClusterLabels) {
        // A new token is none of the labeler's business.
        if cluster != self.cluster {
            info!(cluster_id = %cluster.cluster_id, region = %cluster.region, "labels every pod with new parameters");
            self.cluster = cluster;
            self.scans.everything();
        }
    }

    fn resync(&mut self) {
        if Instant::now() >= self.resync {
            self.resync = Instant::now() + self.tools.settings.resync.mul_f64(0.8 + fastrand::f64() / 5.0);
            self.scans.everything();
        }
    }
}
