//! Tells of conflicts and corrections by Events on the pods: each once an hour, and all together at a bounded rate.

use super::desired::Change;
use super::expiring::Expiring;
use super::keys::Keys;
use super::metrics::Metrics;
use super::pace::Bucket;
use super::subject::{Subject, Uid};
use crate::identity::Identity;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

/// What is to be told, and what was.
#[derive(Debug)]
pub(super) struct Notices {
    told: Mutex<Expiring<(Uid, usize), ()>>,
    sender: mpsc::Sender<Notice>,
    metrics: Metrics,
}

/// One Event.
#[derive(Debug)]
pub(super) struct Notice {
    reason: &'static str,
    /// With the key in it: Events of one action and reason are aggregated, and keep the first one's note.
    action: String,
    note: String,
    pod: ObjectReference,
}

/// How many wait to be sent; more are dropped and counted.
const WAITING: usize = 64;
/// Of how many pods' labels it is known that they were told of.
const TOLD: usize = 4096;
/// For how long.
const AGAIN: Duration = Duration::from_hours(1);
/// Events a second, after a burst of so many.
const RATE: (u32, u32) = (1, 20);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends Events for as long as it is polled. Failures are only logged: an Event is a courtesy.
pub(super) async fn publish(client: kube::Client, identity: &Identity, mut receiver: mpsc::Receiver<Notice>) {
    let reporter = Reporter {
        controller: "shuttle".to_owned(),
        instance: Some(identity.pod.clone()),
    };
    // Aggregates: the same reason on the same pod within six minutes is one Event with a count.
    let recorder = Recorder::new(client, reporter);
    let mut bucket = Bucket::new(RATE.0, RATE.1);
    while let Some(notice) = receiver.recv().await {
        while let Err(until) = bucket.take(Instant::now()) {
            sleep_until(until).await;
        }
        let event = Event {
            type_: EventType::Warning,
            reason: notice.reason.to_owned(),
            note: Some(notice.note),
            action: notice.action,
            secondary: None,
        };
        match timeout(TIMEOUT, recorder.publish(&event, &notice.pod)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "could not send an Event on a pod's label"),
            Err(_) => warn!("could not send an Event on a pod's label in time"),
        }
    }
}

// === impl Notices ===

impl Notices {
    pub(super) fn new(metrics: Metrics) -> (Self, mpsc::Receiver<Notice>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let notices = Self {
            told: Mutex::new(Expiring::new(TOLD)),
            sender,
            metrics,
        };
        (notices, receiver)
    }

    /// Tells of what was left as it is.
    pub(super) fn left(&self, keys: &Keys, subject: &Subject, changes: &[Change]) {
        for change in changes {
            let place = change.place();
            let (Some(key), Some(current)) = (keys.iter().nth(place), subject.current.get(place)) else {
                continue;
            };
            let name = &key.name;
            let found = current.value.as_deref().unwrap_or_default();
            let note = match change {
                Change::Conflict(_, wanted) => format!(
                    "Label {name} is `{found}`, set by {}; namespace and owner say `{wanted}`. It was left as it is: \
                     remove it where it is set, and Shuttle will set it.",
                    manager(current.other.as_deref())
                ),
                Change::Selected(_, wanted) => format!(
                    "Label {name} is `{found}` and should be `{wanted}`. It was left as it is, for the pod's \
                     controller selects its pods by this label: take it out of the selector and the pod template.",
                ),
                _ => continue,
            };
            if self.is_news(&subject.uid, place) {
                self.metrics.conflicts.inc();
                info!(namespace = %subject.namespace, pod = %subject.name, key = %name, "left a label as it is");
                let reason = match change {
                    Change::Selected(..) => "LabelSelected",
                    _ => "LabelConflict",
                };
                self.send(reason, name, note, subject);
            }
        }
    }

    /// Tells of what was corrected by force.
    pub(super) fn corrected(&self, keys: &Keys, subject: &Subject, changes: &[Change]) {
        for change in changes {
            let place = change.place();
            if let (Change::Correct(_, wanted), Some(key), Some(current)) =
                (change, keys.iter().nth(place), subject.current.get(place))
            {
                let name = &key.name;
                let found = current.value.as_deref().unwrap_or_default();
                let note = format!(
                    "Label {name} was `{found}`, set by {}; it is this cluster's `{wanted}` again. Remove it where it \
                     is set.",
                    manager(current.other.as_deref())
                );
                info!(namespace = %subject.namespace, pod = %subject.name, key = %name, "corrected a label");
                self.send("LabelCorrected", name, note, subject);
            }
        }
    }

    /// Tells that a write met a conflict that was not foreseen. `said` is the API server's.
    pub(super) fn contested(&self, subject: &Subject, said: &str) {
        // No key's place: at most one of these an hour and pod.
        if self.is_news(&subject.uid, usize::MAX) {
            self.metrics.conflicts.inc();
            let note: String = format!("Labels were left as they are: {said}")
                .chars()
                .take(900)
                .collect();
            self.send("LabelConflict", "labels", note, subject);
        }
    }

    fn is_news(&self, uid: &Uid, place: usize) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let key = (Uid::clone(uid), place);
        if told.get(&key, now).is_some() {
            return false;
        }
        told.insert(key, (), now + AGAIN);
        true
    }

    fn send(&self, reason: &'static str, label: &str, note: String, subject: &Subject) {
        let notice = Notice {
            reason,
            action: format!("Label {label}").chars().take(128).collect(),
            note,
            pod: subject.reference(),
        };
        if self.sender.try_send(notice).is_err() {
            self.metrics.events_dropped.inc();
            debug!(reason, namespace = %subject.namespace, pod = %subject.name, "dropped an Event");
        }
    }
}

fn manager(name: Option<&str>) -> String {
    match name {
        None | Some("") => "a field manager without a name".to_owned(),
        Some(name) => format!("the field manager `{name}`"),
    }
}
