//! A map that forgets: each entry after its time, and the oldest where it would grow past its bound.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use tokio::time::Instant;

/// The map.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    bound: usize,
    entries: HashMap<K, (V, Instant)>,
    /// The keys in the order of their insertion, each once.
    order: VecDeque<K>,
}

// === impl Expiring ===

impl<K: Clone + Eq + Hash, V: Clone> Expiring<K, V> {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn get(&self, key: &K, now: Instant) -> Option<V> {
        let (value, until) = self.entries.get(key)?;
        (now < *until).then(|| value.clone())
    }

    pub(super) fn insert(&mut self, key: K, value: V, until: Instant) {
        if self.entries.insert(key.clone(), (value, until)).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.entries.len() > self.bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_entry_is_forgotten_after_its_time() {
        let now = Instant::now();
        let mut map = Expiring::new(2);
        map.insert("a", 1, now + Duration::from_secs(10));
        assert_eq!(map.get(&"a", now + Duration::from_secs(9)), Some(1));
        assert_eq!(map.get(&"a", now + Duration::from_secs(10)), None);
    }

    #[test]
    fn the_oldest_makes_room_and_no_more_than_the_bound_are_kept() {
        let now = Instant::now();
        let until = now + Duration::from_secs(10);
        let mut map = Expiring::new(2);
        for round in 0..100 {
            for key in ["a", "b", "c"] {
                map.insert(key, round, until);
            }
        }
        assert_eq!(map.get(&"a", now), None);
        assert_eq!((map.get(&"b", now), map.get(&"c", now)), (Some(99), Some(99)));
        assert_eq!((map.entries.len(), map.order.len()), (2, 2));
    }
}
