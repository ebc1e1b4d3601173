//! How long the lifecycle waits for what. Waits are ranges: the shell draws from them, so that the agents of a fleet do
//! not come in step (Fleet's, Teleport's and Elastic's agents did: a fixed timer is a herd).

use std::time::Duration;

/// A wait of at least `least` and at most `most`; every length between is as likely as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Never shorter.
    pub least: Duration,
    /// Never longer.
    pub most: Duration,
}

/// Two failing verifications that lie so far apart are a failure; one may be a blink of the API server's.
pub(super) const APART: Duration = Duration::from_secs(10);
/// So long the phase is held while the gate is not seen to pass.
pub(super) const HOLD: Duration = Duration::from_mins(10);
/// A verifier that says nothing for so long is asked, and from then on the gate counts as not seen.
pub(super) const SILENCE: Duration = Duration::from_mins(10);
/// A passing verification of this age still carries a registration.
pub(super) const FRESH: Duration = Duration::from_mins(5);
/// The backoff starts anew once Starbase has accepted everything for so long. Not at the first success: a Starbase that
/// comes and goes would be met at full speed each time.
pub(super) const CALM: Duration = Duration::from_mins(5);
/// The last heartbeat may take so long; a pod has 30 s to end by default.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// A Retry-After is obeyed up to here. A longer one is taken for a mistake: it would strand the cluster.
const RETRY_AFTER_AT_MOST: Duration = Duration::from_hours(1);
/// Heartbeats are never closer, nor further apart, whatever Starbase asks for: nought would be a busy loop.
const INTERVAL_AT_LEAST: Duration = Duration::from_secs(5);
const INTERVAL_AT_MOST: Duration = Duration::from_hours(1);
/// The first backoff's longest wait; it doubles with every setback.
const FIRST: Duration = Duration::from_secs(2);
/// No backoff waits longer: about a heartbeat, so that an outage's end is met by no more than a usual minute's requests.
const LONGEST: Duration = Duration::from_mins(2);
/// No backoff waits less: what bounds the rate of requests.
const SHORTEST: Duration = Duration::from_millis(200);
/// Refused: a human has to mend it, and the mended token is seen at once. This is for what is mended at Starbase's end.
const REFUSED: Wait = Wait {
    least: Duration::from_mins(4),
    most: Duration::from_mins(6),
};

/// Full jitter, for the `streak`th setback in a row.
pub(super) fn backoff(streak: u32) -> Wait {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(streak.saturating_sub(1)).unwrap_or(u32::MAX));
    Wait {
        least: SHORTEST,
        most: doubled.min(LONGEST),
    }
}

/// Until the next heartbeat: ±20 %.
pub(super) fn heartbeat(interval: Duration) -> Wait {
    Wait {
        least: interval * 4 / 5,
        most: interval * 6 / 5,
    }
}

/// Until a refused registration is tried again.
pub(super) fn refused() -> Wait {
    REFUSED
}

/// A heartbeat interval that can be kept.
pub(super) fn interval(asked: Duration) -> Duration {
    asked.clamp(INTERVAL_AT_LEAST, INTERVAL_AT_MOST)
}

/// A Retry-After that is obeyed.
pub(super) fn retry_after(asked: Duration) -> Duration {
    asked.min(RETRY_AFTER_AT_MOST)
}

// === impl Wait ===

impl Wait {
    /// None.
    pub const NONE: Self = Self::exactly(Duration::ZERO);

    /// Exactly so long.
    #[must_use]
    pub const fn exactly(length: Duration) -> Self {
        Self {
            least: length,
            most: length,
        }
    }

    /// The same after `first`.
    #[must_use]
    pub fn after(self, first: Duration) -> Self {
        Self {
            least: first.saturating_add(self.least),
            most: first.saturating_add(self.most),
        }
    }

    /// One of its lengths.
    #[must_use]
    pub fn draw(self, random: &mut fastrand::Rng) -> Duration {
        let spread = self.most.saturating_sub(self.least);
        self.least + spread.mul_f64(random.f64())
    }
}
