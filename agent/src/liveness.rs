//! Whether the agent's own loops make progress. Never asks the network: a control plane that is away is no reason to
//! restart the agent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// All loops of the process.
#[derive(Clone, Debug, Default)]
pub struct Liveness {
    loops: Arc<Mutex<Vec<Loop>>>,
}

/// One loop's side.
#[derive(Clone, Debug)]
pub struct Pulse {
    loops: Arc<Mutex<Vec<Loop>>>,
    position: usize,
}

#[derive(Debug)]
struct Loop {
    name: &'static str,
    within: Duration,
    /// `None` while it rests.
    last: Option<Instant>,
}

// === impl Liveness ===

impl Liveness {
    /// Adds a loop that turns at least once in `within`. The time runs from now. A loop of the same name is replaced:
    /// one that is started again is one loop still.
    #[must_use]
    pub fn watch(&self, name: &'static str, within: Duration) -> Pulse {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Loop {
            name,
            within,
            last: Some(Instant::now()),
        };
        let position = if let Some(position) = loops.iter().position(|each| each.name == name) {
            loops[position] = started;
            position
        } else {
            loops.push(started);
            loops.len() - 1
        };
        Pulse {
            loops: Arc::clone(&self.loops),
            position,
        }
    }

    /// The loops that have not turned in time, with how long they have not.
    #[must_use]
    pub fn stuck(&self) -> Vec<(&'static str, Duration)> {
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        (loops.iter())
            .filter_map(|each| Some((each, each.last?.elapsed())))
            .filter(|(each, since)| *since > each.within)
            .map(|(each, since)| (each.name, since))
            .collect()
    }
}

// === impl Pulse ===

impl Pulse {
    /// The loop has turned once more.
    pub fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// The loop has nothing to do until its next beat, as one of the leader has nothing to do in the standby, or has
    /// ended as it should.
    pub fn rest(&self) {
        self.set(None);
    }

    fn set(&self, last: Option<Instant>) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = loops.get_mut(self.position) {
            own.last = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_does_not_turn_in_time_is_named() {
        let liveness = Liveness::default();
        let slow = liveness.watch("slow", Duration::from_mins(1));
        let quick = liveness.watch("quick", Duration::from_secs(5));
        assert_eq!(liveness.stuck(), []);
        advance(Duration::from_secs(6)).await;
        assert_eq!(liveness.stuck(), [("quick", Duration::from_secs(6))]);
        quick.beat();
        assert_eq!(liveness.stuck(), []);
        advance(Duration::from_secs(55)).await;
        let stuck: Vec<_> = liveness.stuck().into_iter().map(|(name, _)| name).collect();
        assert_eq!(stuck, ["slow", "quick"]);
        slow.beat();
        quick.beat();
        assert_eq!(liveness.stuck(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_rests_is_not_stuck_until_it_has_begun_again() {
        let liveness = Liveness::default();
        let labeler = liveness.watch("labeler", Duration::from_secs(5));
        labeler.rest();
        advance(Duration::from_hours(1)).await;
        assert_eq!(liveness.stuck(), []);
        labeler.beat();
        advance(Duration::from_secs(6)).await;
        assert_eq!(liveness.stuck(), [("labeler", Duration::from_secs(6))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_is_started_again_is_one_loop() {
        let liveness = Liveness::default();
        let first = liveness.watch("labeler", Duration::from_secs(5));
        advance(Duration::from_secs(4)).await;
        drop(first);
        let second = liveness.watch("labeler", Duration::from_secs(5));
        advance(Duration::from_secs(4)).await;
        assert_eq!(liveness.stuck(), []);
        second.beat();
        advance(Duration::from_secs(6)).await;
        assert_eq!(liveness.stuck().len(), 1);
    }
}
