//! Kubernetes Events, one a transition.

use super::status::cut;
use super::{REQUEST_WITHIN, words};
use crate::identity::Identity;
use crate::lifecycle::Phase;
use crate::snapshot::Transition;
use backon::{ExponentialBuilder, Retryable};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use std::time::Duration;

/// What the API server takes of a note, in bytes.
const NOTE: usize = 1024;
/// Two tries more, a second or two apart: an Event that is minutes late tells nothing that the ConfigMap does not.
const TRIES_MORE: usize = 2;

/// Writes Events about the own pod: `kubectl -n starform-system get events`.
///
/// Needs `create` on `events.k8s.io/events` in the own namespace.
#[derive(Clone, Debug)]
pub struct Events {
    api: Api<Event>,
    identity: Identity,
}

// === impl Events ===

impl Events {
    /// Of this pod.
    #[must_use]
    pub fn new(client: kube::Client, identity: Identity) -> Self {
        Self {
            api: Api::namespaced(client, &identity.namespace),
            identity,
        }
    }

    /// Publishes one. The Event's name is the transition's own, so that one that was written before its answer got lost
    /// is not written again.
    ///
    /// # Errors
    /// What the API server said last, or that it did not answer in time.
    pub async fn publish(&self, transition: &Transition) -> Result<(), String> {
        let event = event(&self.identity, transition);
        let params = PostParams::default();
        let attempt = || async {
            match tokio::time::timeout(REQUEST_WITHIN, self.api.create(&params, &event)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(kube::Error::Api(status))) if status.is_already_exists() => Ok(()),
                Ok(Err(error)) => Err(Refused {
                    // A permission that is missing is missing a second later too.
                    lasting: matches!(&error, kube::Error::Api(status) if (400..429).contains(&status.code)),
                    message: words(&error),
                }),
                Err(_) => Err(Refused {
                    lasting: false,
                    message: format!("no answer within {} s", REQUEST_WITHIN.as_secs_f32()),
                }),
            }
        };
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_times(TRIES_MORE)
            .with_jitter();
        attempt
            .retry(backoff)
            .when(|refused| !refused.lasting)
            .await
            .map_err(|refused| refused.message)
    }
}

struct Refused {
    lasting: bool,
    message: String,
}

/// The Event of a transition.
fn event(identity: &Identity, transition: &Transition) -> Event {
    let Transition { from, to, reason, at } = transition;
    Event {
        action: Some("ChangePhase".to_owned()),
        event_time: Some(MicroTime(*at)),
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}-{to}", identity.pod, at.as_nanosecond())),
            namespace: Some(identity.namespace.clone()),
            ..ObjectMeta::default()
        },
        note: Some(cut(&format!("{from} to {to}: {reason}"), NOTE)),
        reason: Some(word(*from, *to).to_owned()),
        regarding: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(identity.pod.clone()),
            namespace: Some(identity.namespace.clone()),
            uid: Some(identity.uid.clone()),
            ..ObjectReference::default()
        }),
        reporting_controller: Some("starform.io/shuttle".to_owned()),
        reporting_instance: Some(identity.pod.clone()),
        type_: Some(kind(*from, *to).to_owned()),
        ..Event::default()
    }
}

/// The Event's reason.
fn word(from: Phase, to: Phase) -> &'static str {
    match (from, to) {
        (_, Phase::Starting) => "Starting",
        (_, Phase::Verifying) => "Verifying",
        (_, Phase::Standby) => "Standby",
        (_, Phase::Registering) => "Registering",
        (Phase::Degraded, Phase::Active) => "Recovered",
        (_, Phase::Active) => "Registered",
        (_, Phase::Degraded) => "Degraded",
        (_, Phase::Rejected) => "Rejected",
        (_, Phase::Stopping) => "Stopping",
    }
}

/// The Event's type. A registration that stood and does not any more is worth a look, whatever comes next.
fn kind(from: Phase, to: Phase) -> &'static str {
    let lost = matches!(from, Phase::Active | Phase::Degraded) && matches!(to, Phase::Verifying | Phase::Registering);
    if lost || matches!(to, Phase::Degraded | Phase::Rejected) {
        "Warning"
    } else {
        "Normal"
    }
}

#[cfg(test)]
mod tests;
