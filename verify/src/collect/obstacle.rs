//! Why there is nothing to read.

use super::get::Get;
use crate::evidence::{Observed, Reason, Trouble, Unknown, Waited};
use std::time::Duration;

/// Why there is nothing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The one object asked for does not exist.
    Absent,
    /// 410: a list's continue token has expired.
    Expired(Box<Unknown>),
    /// 406 or 415: it is not given in the form that was asked for.
    OtherForm(Box<Unknown>),
    /// It could not be looked at.
    Unknown(Box<Unknown>),
}

/// An obstacle to this request.
pub(super) fn unknown(get: &Get, reason: Reason, message: &str) -> Unknown {
    Unknown::new(reason, get.name(), message)
}

/// A connection that failed in this way, in these words.
pub(super) fn troubled(get: &Get, trouble: Trouble, message: &str) -> Unknown {
    Unknown {
        trouble: Some(trouble),
        ..unknown(get, trouble.reason(), message)
    }
}

/// An answer that is not one to this request, of whatever answered.
pub(super) fn foreign(get: &Get, detail: &str) -> Unknown {
    troubled(get, Trouble::NotTheApi, &get.foreign(detail))
}

/// The obstacle of time: nothing of an answer's body had come by then.
pub(super) fn timed_out(get: &Get, timeout: Duration) -> Unknown {
    waited(
        get,
        Trouble::TimedOut,
        timeout,
        0,
        &format!("waited {}", seconds(timeout)),
    )
}

/// An answer that was waited for that long, of whose body so much had come.
pub(super) fn waited(get: &Get, trouble: Trouble, time: Duration, bytes: u64, detail: &str) -> Unknown {
    let ms = milliseconds(time);
    Unknown {
        waited: Some(Waited { ms, bytes }),
        ..troubled(get, trouble, &trouble.message(detail))
    }
}

/// A time as evidence counts it.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `10s`, `0.5s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

// === impl Obstacle ===

impl From<Unknown> for Obstacle {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(Box::new(unknown))
    }
}

impl Obstacle {
    /// As evidence has it.
    pub(super) fn observed<T>(self) -> Observed<T> {
        match self {
            Self::Absent => Observed::Absent,
            Self::Expired(unknown) | Self::OtherForm(unknown) | Self::Unknown(unknown) => Observed::Unknown(*unknown),
        }
    }
}

/// A collector's result as evidence has it.
pub(super) fn observed<T>(result: Result<T, Obstacle>) -> Observed<T> {
    result.map_or_else(Obstacle::observed, Observed::Seen)
}
