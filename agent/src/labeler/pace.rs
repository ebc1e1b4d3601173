//! How fast the labeler may ask the API server: two token buckets, and one pause for both while the server is in trouble.

use super::Settings;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// For every request of the labeler but the watches.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    reads: Bucket,
    writes: Bucket,
    paused_until: Instant,
    /// How often in a row the server was in trouble.
    troubles: u32,
}

/// A token bucket, as the generic cell rate algorithm has it: one moment instead of a count.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    tolerance: Duration,
    /// When the bucket would be full again.
    full: Instant,
}

/// What a turn is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    Read,
    Write,
}

/// The longest pause that is chosen here.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest that a server may ask for: an answer that says years must not end the labeler.
const RETRY_AFTER: Duration = Duration::from_mins(10);

// === impl Pace ===

impl Pace {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(Mutex::new(State {
            reads: Bucket::new(settings.reads_per_second, settings.reads_per_second),
            writes: Bucket::new(settings.writes_per_second, settings.burst),
            paused_until: Instant::now(),
            troubles: 0,
        }))
    }

    /// Waits until it is this request's turn.
    pub(super) async fn turn(&self, turn: Turn) {
        while let Err(until) = self.attempt(turn) {
            sleep_until(until).await;
        }
    }

    fn attempt(&self, turn: Turn) -> Result<(), Instant> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.paused_until > now {
            return Err(state.paused_until);
        }
        match turn {
            Turn::Read => state.reads.take(now),
            Turn::Write => state.writes.take(now),
        }
    }

    /// The server answered as it should.
    pub(super) fn fine(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).troubles = 0;
    }

    /// The server did not answer, or asked for patience. Nothing is asked for so long as it says, else for a time that
    /// doubles; how long.
    pub(super) fn trouble(&self, retry_after: Option<Duration>) -> Duration {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let doubled = Duration::from_millis(500) * 2_u32.pow(state.troubles.min(8));
        let chosen = doubled.min(PAUSE).mul_f64(0.5 + fastrand::f64() / 2.0);
        let pause = retry_after.unwrap_or_default().min(RETRY_AFTER) + chosen;
        let now = Instant::now();
        // Requests that were under way together fail together: they are one trouble.
        if state.paused_until <= now {
            state.troubles = state.troubles.saturating_add(1);
        }
        state.paused_until = state.paused_until.max(now + pause);
        pause
    }
}

// === impl Bucket ===

impl Bucket {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self {
            interval,
            tolerance: interval * burst.saturating_sub(1),
            full: Instant::now(),
        }
    }

    /// Takes a token; else says when there will be one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let full = self.full.max(now);
        if full > now + self.tolerance {
            return Err(full - self.tolerance);
        }
        self.full = full + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let start = Instant::now();
        let settings = Settings {
            writes_per_second: 10,
            burst: 5,
            ..Settings::default()
        };
        let pace = Pace::new(&settings);
        for _ in 0..5 {
            pace.turn(Turn::Write).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            pace.turn(Turn::Write).await;
        }
        let took = start.elapsed();
        assert!((1990..=2020).contains(&took.as_millis()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_holds_reads_and_writes_alike() {
        let start = Instant::now();
        let pace = Pace::new(&Settings::default());
        pace.trouble(Some(Duration::from_secs(7)));
        pace.turn(Turn::Read).await;
        pace.turn(Turn::Write).await;
        let took = start.elapsed();
        assert!(
            took >= Duration::from_secs(7) && took < Duration::from_secs(8),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_after_trouble_pauses_longer_up_to_a_bound_and_success_forgets_it() {
        let pace = Pace::new(&Settings::default());
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            last = pace.trouble(None);
            pace.turn(Turn::Read).await;
        }
        assert!(last >= PAUSE / 2 && last <= PAUSE, "{last:?}");
        pace.fine();
        assert!(pace.trouble(None) <= Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_fail_together_are_one_trouble() {
        let pace = Pace::new(&Settings::default());
        for _ in 0..4 {
            pace.trouble(None);
        }
        pace.turn(Turn::Read).await;
        assert!(pace.trouble(None) <= Duration::from_secs(1));
    }
}
