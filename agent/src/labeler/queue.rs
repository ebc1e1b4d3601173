//! The pods that wait to be labelled, each once, the newest that is known of it. Bounded: what does not fit is found again
//! by a later look at all pods.

use super::subject::{Subject, Uid};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use tokio::time::Instant;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    bound: usize,
    waiting: HashMap<Uid, Waiting>,
    /// Those that may be taken, in the order in which they came; also some that no longer wait.
    ready: VecDeque<Uid>,
    /// Those whose time has not come.
    delayed: BTreeSet<(Instant, Uid)>,
    /// Those that were taken and are not done.
    taken: HashSet<Uid>,
}

#[derive(Debug)]
struct Waiting {
    subject: Subject,
    /// How often it was tried in vain.
    attempts: u32,
    /// Not before.
    due: Option<Instant>,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

// === impl Queue ===

impl Queue {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            waiting: HashMap::new(),
            ready: VecDeque::new(),
            delayed: BTreeSet::new(),
            taken: HashSet::new(),
        }
    }

    /// Puts in what was just seen of a pod, in place of what was known. Its failures are forgotten.
    pub(super) fn push(&mut self, subject: Subject) -> Result<(), Full> {
        let uid = Uid::clone(&subject.uid);
        if let Some(waiting) = self.waiting.get_mut(&uid) {
            waiting.subject = subject;
            waiting.attempts = 0;
            if let Some(due) = waiting.due.take() {
                self.delayed.remove(&(due, Uid::clone(&uid)));
                self.ready.push_back(uid);
            }
            return Ok(());
        }
        if self.waiting.len() >= self.bound {
            return Err(Full);
        }
        if self.ready.len() > 2 * self.bound {
            self.forget_those_removed();
        }
        self.ready.push_back(Uid::clone(&uid));
        self.waiting.insert(
            uid,
            Waiting {
                subject,
                attempts: 0,
                due: None,
            },
        );
        Ok(())
    }

    /// Puts back what was taken and failed, for later; not where something newer waits already.
    pub(super) fn push_back(&mut self, subject: Subject, attempts: u32, due: Instant) {
        let uid = Uid::clone(&subject.uid);
        if self.waiting.contains_key(&uid) {
            return;
        }
        self.delayed.insert((due, Uid::clone(&uid)));
        self.waiting.insert(
            uid,
            Waiting {
                subject,
                attempts,
                due: Some(due),
            },
        );
    }

    /// Forgets a pod: it is right as it is, or gone.
    pub(super) fn remove(&mut self, uid: &str) {
        if let Some(Waiting { due: Some(due), .. }) = self.waiting.remove(uid) {
            self.delayed.remove(&(due, Uid::from(uid)));
        }
    }

    /// The next one, with how often it was tried in vain. It counts as taken until [`Self::done`].
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Subject, u32)> {
        while self.delayed.first().is_some_and(|(due, _)| *due <= now) {
            let (_, uid) = self.delayed.pop_first()?;
            if let Some(waiting) = self.waiting.get_mut(&uid) {
                waiting.due = None;
            }
            self.ready.push_back(uid);
        }
        // Those that are taken, a few at most, wait until they are done: one pod is never written twice at a time.
        for _ in 0..self.ready.len() {
            let uid = self.ready.pop_front()?;
            if self.taken.contains(&uid) {
                self.ready.push_back(uid);
                continue;
            }
            match self.waiting.get(&uid) {
                Some(Waiting { due: None, .. }) => {}
                _ => continue,
            }
            if let Some(waiting) = self.waiting.remove(&uid) {
                self.taken.insert(uid);
                return Some((waiting.subject, waiting.attempts));
            }
        }
        None
    }

    /// One that was taken is done.
    pub(super) fn done(&mut self, uid: &str) {
        self.taken.remove(uid);
    }

    fn forget_those_removed(&mut self) {
        let mut seen = HashSet::new();
        let waiting = &self.waiting;
        self.ready
            .retain(|uid| waiting.contains_key(uid) && seen.insert(Uid::clone(uid)));
    }

    /// When the next of the delayed ones is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many wait or are being labelled.
    pub(super) fn pending(&self) -> usize {
        self.waiting.len() + self.taken.len()
    }
}

#[cfg(test)]
mod tests;
