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
    last: Instant,
}

// === impl Liveness ===

impl Liveness {
    /// Adds a loop that turns at least once in `within`. The time runs from now.
    #[must_use]
    pub fn watch(&self, name: &'static str, within: Duration) -> Pulse {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.push(Loop {
            name,
            within,
            last: Instant::now(),
        });
        Pulse {
            loops: Arc::clone(&self.loops),
            position: loops.len() - 1,
        }
    }

    /// The loops that have not turned in time, with how long they have not.
    #[must_use]
    pub fn stuck(&self) -> Vec<(&'static str, Duration)> {
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        (loops.iter())
            .map(|each| (each, each.last.elapsed()))
            .filter(|(each, since)| *since > each.within)
            .map(|(each, since)| (each.name, since))
            .collect()
    }
}

// === impl Pulse ===

impl Pulse {
    /// The loop has turned once more.
    pub fn beat(&self) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = loops.get_mut(self.position) {
            own.last = Instant::now();
        }
    }
}
