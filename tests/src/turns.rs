//! Whose turn a cluster is: tests run at the same time, but only one of them has a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Clusters of which a test needs one, whichever it is, by name.
pub(crate) type Pool = [&'static str];

/// A cluster's name; its holder's turn ends with this value.
pub(crate) struct Turn {
    pub(crate) cluster: &'static str,
    /// The first of its pool stands for the pool.
    pool: &'static str,
}

/// Who waits for a pool, and which of its clusters somebody has.
#[derive(Default)]
struct Queue {
    taken: BTreeSet<&'static str>,
    waiting: BTreeSet<String>,
}

static QUEUES: Mutex<BTreeMap<&'static str, Queue>> = Mutex::new(BTreeMap::new());
static CHANGED: Condvar = Condvar::new();

impl Turn {
    /// Waits until a cluster of the pool is free, and nobody waits for one whose name comes before that of this thread. The
    /// test runner names a test's thread after the test: so tests of one module follow each other, whichever thread was
    /// first, and what the first of them installed is there for the next.
    pub(crate) fn of(pool: &'static Pool) -> Self {
        let name = test();
        let first = pool.first().copied().unwrap_or_default();
        let mut queues = queues();
        queues.entry(first).or_default().waiting.insert(name.clone());
        loop {
            let queue = queues.entry(first).or_default();
            let free = pool.iter().copied().find(|cluster| !queue.taken.contains(cluster));
            if let Some(cluster) = free
                && queue.waiting.first() == Some(&name)
            {
                queue.waiting.remove(&name);
                queue.taken.insert(cluster);
                // Another cluster may be free for whoever is first now.
                CHANGED.notify_all();
                return Self { cluster, pool: first };
            }
            queues = CHANGED.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        queues().entry(self.pool).or_default().taken.remove(self.cluster);
        CHANGED.notify_all();
    }
}

fn queues() -> MutexGuard<'static, BTreeMap<&'static str, Queue>> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of the test that this thread runs.
pub(crate) fn test() -> String {
    std::thread::current().name().unwrap_or("a thread").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread::Builder;

    #[test]
    fn one_after_the_other_by_name_and_others_at_the_same_time() {
        let first = Turn::of(&["one"]);
        let (sender, came) = channel();
        let waiting: Vec<_> = ["c", "a", "b"]
            .map(|name| {
                let sender = sender.clone();
                let work = move || {
                    let turn = Turn::of(&["one"]);
                    sender.send(test()).unwrap();
                    drop(turn);
                };
                Builder::new().name(name.to_owned()).spawn(work).unwrap()
            })
            .into();
        // Others are free meanwhile.
        let both = [Turn::of(&["two", "three"]), Turn::of(&["two", "three"])];
        assert_eq!(both.map(|turn| turn.cluster), ["two", "three"]);
        while queues()["one"].waiting.len() < 3 {
            std::thread::yield_now();
        }
        assert!(came.try_recv().is_err());
        drop(first);
        for thread in waiting {
            thread.join().unwrap();
        }
        assert_eq!(came.try_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
