//! When the next verification is due. Pure: the time is told.

use std::time::Duration;
use tokio::time::Instant;

/// While something waits for the verdict.
const EAGER: Duration = Duration::from_secs(1);
/// While nothing does.
const SETTLED: Duration = Duration::from_secs(30);
/// However dear a verification is.
const LONGEST: Duration = Duration::from_mins(10);
/// Verifications that something asks for are so far apart at least.
const APART: Duration = Duration::from_secs(1);
/// Of each period the verification may use a tenth of a core, and a hundredth while nothing waits for it: the rest of the
/// period is so many times its cost.
const EAGER_REST: u32 = 9;
const SETTLED_REST: u32 = 99;

/// What the last verification took and cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    ended: Instant,
    took: Duration,
    cost: Duration,
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self {
            ended: Instant::now(),
            took: Duration::ZERO,
            cost: Duration::ZERO,
        }
    }
}

impl Pace {
    /// A verification ended.
    pub(super) fn spent(&mut self, ended: Instant, took: Duration, cost: Duration) {
        *self = Self { ended, took, cost };
    }

    /// When the next is due. `jitter` in 0..1 lengthens the time by up to a fifth, or while something waits for the
    /// verdict from one second to two: it never makes it dearer.
    pub(super) fn due(&self, settled: bool, jitter: f64) -> Instant {
        let (shortest, rest, stretch) = if settled {
            (SETTLED, SETTLED_REST, 0.2)
        } else {
            (EAGER, EAGER_REST, 1.0)
        };
        let pause = self
            .pause(shortest, rest)
            .mul_f64(1.0 + jitter.clamp(0.0, 1.0) * stretch);
        self.ended + pause.min(LONGEST)
    }

    /// When one that is asked for may begin, not before `wanted`. Its cost is bounded too: what changes all the time is
    /// not verified all the time.
    pub(super) fn soonest(&self, wanted: Instant) -> Instant {
        wanted
            .max(self.ended + self.pause(Duration::ZERO, EAGER_REST).min(LONGEST))
            .max(self.begun() + APART)
    }

    /// How long to rest after a verification for it to cost no more than its share.
    fn pause(&self, shortest: Duration, rest: u32) -> Duration {
        // The share is of the whole period, in which the verification itself stands.
        let period = self.cost.saturating_mul(rest + 1);
        period.saturating_sub(self.took).max(shortest)
    }

    fn begun(&self) -> Instant {
        self.ended.checked_sub(self.took).unwrap_or(self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace(took: Duration, cost: Duration) -> Pace {
        let mut pace = Pace::default();
        pace.spent(Instant::now(), took, cost);
        pace
    }

    fn pause(pace: &Pace, settled: bool, jitter: f64) -> Duration {
        pace.due(settled, jitter) - pace.ended
    }

    #[tokio::test(start_paused = true)]
    async fn a_cheap_verification_is_made_every_second_or_two_and_every_half_minute_once_settled() {
        let cheap = pace(Duration::from_millis(50), Duration::from_millis(10));
        assert_eq!(pause(&cheap, false, 0.0), Duration::from_secs(1));
        assert_eq!(pause(&cheap, false, 1.0), Duration::from_secs(2));
        assert_eq!(pause(&cheap, true, 0.0), Duration::from_secs(30));
        assert_eq!(pause(&cheap, true, 1.0), Duration::from_secs(36));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dear_one_is_made_less_often_and_at_least_every_ten_minutes() {
        let dear = pace(Duration::from_millis(900), Duration::from_millis(600));
        assert_eq!(pause(&dear, false, 0.0), Duration::from_millis(5_100));
        assert_eq!(pause(&dear, true, 0.0), Duration::from_millis(59_100));
        assert_eq!(
            pause(&pace(Duration::from_secs(20), Duration::from_secs(20)), true, 1.0),
            LONGEST
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_comes_at_once_but_neither_twice_a_second_nor_all_the_time() {
        let cheap = pace(Duration::from_millis(50), Duration::from_millis(10));
        let wanted = cheap.ended + Duration::from_millis(300);
        assert_eq!(cheap.soonest(wanted), cheap.ended + Duration::from_millis(950));
        let later = cheap.ended + Duration::from_secs(5);
        assert_eq!(cheap.soonest(later), later);
        let dear = pace(Duration::from_millis(500), Duration::from_millis(500));
        assert_eq!(dear.soonest(wanted), dear.ended + Duration::from_millis(4_500));
    }

    proptest! {
        #[test]
        fn the_share_of_a_core_is_kept(cost in 0_u64..5_900, waits in 0_u64..30_000, jitter in 0.0..1.0_f64) {
            let cost = Duration::from_millis(cost);
            let took = cost + Duration::from_millis(waits);
            let pace = pace(took, cost);
            for (settled, share) in [(false, 0.1), (true, 0.01)] {
                let period = took + pause(&pace, settled, jitter);
                prop_assert!(cost.as_secs_f64() <= period.as_secs_f64() * share * 1.000_001);
            }
        }
    }
}
