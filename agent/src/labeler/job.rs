//! The work on one pod: owner, decision, write.

use super::Settings;
use super::desired::{self, Change, Owner};
use super::keys::{ClusterLabels, Keys, Values};
use super::metrics::{KeyLabel, Metrics};
use super::notices::Notices;
use super::owners::Owners;
use super::pace::{Pace, Turn};
use super::subject::Subject;
use super::write::{self, Written};
use crate::request::Refusal;
use std::sync::Arc;

/// What all work shares.
pub(super) struct Tools {
    pub(super) client: kube::Client,
    pub(super) keys: Arc<Keys>,
    pub(super) settings: Settings,
    pub(super) pace: Arc<Pace>,
    pub(super) owners: Owners,
    pub(super) notices: Notices,
    pub(super) metrics: Metrics,
}

/// A pod, with what it is judged by.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) subject: Subject,
    /// How often it was tried in vain.
    pub(super) attempts: u32,
    pub(super) namespace: Arc<Values>,
    pub(super) cluster: ClusterLabels,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing had to be written.
    Unchanged,
    /// Written.
    Applied,
    /// Written, and another's value taken over.
    Corrected,
    /// The pod is gone.
    Gone,
    /// It changed meanwhile; the watch tells.
    Stale,
    /// Another owns a value; left.
    Contested,
    /// The request was refused.
    Failed(Refusal),
    /// The server is in trouble, or asks for patience.
    Unavailable(Refusal),
}

// === impl Job ===

impl Job {
    /// Does it.
    pub(super) async fn run(&self, tools: &Tools) -> Outcome {
        let subject = &self.subject;
        let found = tools.owners.find(&subject.namespace, subject.controller.as_ref()).await;
        let (owner, refusal) = match found {
            Ok(owner) => (owner, None),
            Err(refusal) if refusal.is_unavailable() => return Outcome::Unavailable(refusal),
            // The rest can be given without the owner.
            Err(refusal) => (Arc::new(Owner::Unknown), Some(refusal)),
        };
        let changes = desired::desired(&tools.keys, &self.cluster, &self.namespace, &owner, &subject.current);
        count_without_source(tools, &changes);
        tools.notices.left(&tools.keys, subject, &changes);
        let Some(labels) = desired::applied(&tools.keys, &subject.current, &changes) else {
            return refusal.map_or(Outcome::Unchanged, Outcome::Failed);
        };
        let force = changes.iter().any(|change| matches!(change, Change::Correct(..)));
        tools.pace.turn(Turn::Write).await;
        match write::apply(&tools.client, subject, &labels, force, tools.settings.request).await {
            Written::Done => {
                tools.notices.corrected(&tools.keys, subject, &changes);
                match refusal {
                    Some(refusal) => Outcome::Failed(refusal),
                    None if force => Outcome::Corrected,
                    None => Outcome::Applied,
                }
            }
            Written::Gone => Outcome::Gone,
            Written::Stale => Outcome::Stale,
            Written::Contested(said) => {
                tools.notices.contested(subject, &said);
                Outcome::Contested
            }
            Written::Failed(refusal) if refusal.is_unavailable() => Outcome::Unavailable(refusal),
            Written::Failed(refusal) => Outcome::Failed(refusal),
        }
    }
}

fn count_without_source(tools: &Tools, changes: &[Change]) {
    for change in changes {
        if let Change::NoSource(place) = change
            && let Some(key) = tools.keys.iter().nth(*place)
        {
            let label = KeyLabel { key: key.name.clone() };
            tools.metrics.without_source.get_or_create(&label).inc();
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// As metrics write it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Corrected => "corrected",
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Contested => "contested",
            Self::Failed(_) => "failed",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
