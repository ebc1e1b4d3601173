//! What a Lease says, and since when this process has seen it say so. Pure.

use super::Settings;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::core::ObjectMeta;
use std::time::Duration;
use tokio::time::Instant;

/// A Lease's record, with the moment at which it was first seen so. The Lease's own times are never compared with this
/// machine's: clocks differ, and a leader whose clock is slow would lose its Lease while it renews it.
#[derive(Debug, Default)]
pub(super) struct Observation {
    seen: Option<(LeaseSpec, Instant)>,
}

/// Whether a Lease may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is held by nobody, by this process, or by one that has not renewed it in time.
    Takeable,
    /// Another process holds it at least until then.
    Held {
        /// The end of its duration, counted from the last change that was seen.
        until: Instant,
    },
}

/// The Lease as this process would write it to take it.
pub(super) fn claim(found: Option<&Lease>, settings: &Settings, holder: &str, now: Timestamp) -> Lease {
    let former = found.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let own = former.holder_identity.as_deref() == Some(holder);
    let spec = LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(i32::try_from(settings.duration.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: former.acquire_time.filter(|_| own).or(Some(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(match (found, former.lease_transitions.unwrap_or_default()) {
            (None, _) => 0,
            (Some(_), transitions) if own => transitions,
            (Some(_), transitions) => transitions.saturating_add(1),
        }),
        ..former
    };
    Lease {
        metadata: found.map_or_else(
            || ObjectMeta {
                name: Some(settings.name.clone()),
                ..ObjectMeta::default()
            },
            |lease| lease.metadata.clone(),
        ),
        spec: Some(spec),
    }
}

/// The same Lease, renewed.
pub(super) fn renewal(held: &Lease, now: Timestamp) -> Lease {
    let mut lease = held.clone();
    lease.spec.get_or_insert_default().renew_time = Some(MicroTime(now));
    lease
}

/// The same Lease, held by nobody: whoever sees it takes it at once.
pub(super) fn release(held: &Lease, now: Timestamp) -> Lease {
    let mut lease = renewal(held, now);
    // As client-go leaves it; the number of transitions stays, the next holder counts on.
    lease.spec.get_or_insert_default().holder_identity = Some(String::new());
    lease
}

/// Who holds it; empty where nobody does.
pub(super) fn holder(lease: &Lease) -> &str {
    let spec = lease.spec.as_ref();
    spec.and_then(|spec| spec.holder_identity.as_deref())
        .unwrap_or_default()
}

// === impl Observation ===

impl Observation {
    /// Takes note of what was read just now; whether it may be taken.
    pub(super) fn note(&mut self, found: Option<&Lease>, settings: &Settings, own: &str, now: Instant) -> Standing {
        let Some(lease) = found else {
            self.seen = None;
            return Standing::Takeable;
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let since = match self.seen.take() {
            // Compared as a whole: a write that leaves the record as it is (a label, an annotation) renews nothing.
            Some((before, since)) if before == spec => since,
            _ => now,
        };
        let until = since + term(&spec, settings.duration);
        self.seen = Some((spec, since));
        let holder = holder(lease);
        if holder.is_empty() || holder == own || until <= now {
            Standing::Takeable
        } else {
            Standing::Held { until }
        }
    }
}

/// How long a Lease holds from its last renewal. A holder of another version may have chosen longer, and is believed
/// within reason: a record that says years must not lock everybody out.
fn term(spec: &LeaseSpec, own: Duration) -> Duration {
    let said = spec
        .lease_duration_seconds
        .and_then(|seconds| u64::try_from(seconds).ok());
    said.map_or(own, Duration::from_secs).clamp(own, own * 4)
}

#[cfg(test)]
mod tests;
