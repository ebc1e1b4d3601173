//! What several processes see of one thing, each through a channel of its own.
//!
//! tokio wakes those who wait for one `watch` channel in random order (`BigNotify` in its `sync/watch.rs`), and only an
//! unstable option seeds that. With a channel each they are woken in the order in which they subscribed, so that a seed
//! gives the same trace. The real processes share no channel either.

use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The thing. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Feed<T>(Arc<Mutex<Told<T>>>);

struct Told<T> {
    last: T,
    to: Vec<watch::Sender<T>>,
}

// === impl Feed ===

impl<T: Clone> Feed<T> {
    pub(crate) fn new(first: T) -> Self {
        Self(Arc::new(Mutex::new(Told {
            last: first,
            to: Vec::new(),
        })))
    }

    /// For one task that waits: what stands now counts as seen.
    pub(crate) fn subscribe(&self) -> watch::Receiver<T> {
        let mut told = self.0.lock().unwrap();
        let (sender, receiver) = watch::channel(told.last.clone());
        told.to.push(sender);
        receiver
    }

    /// Tells every process that still listens.
    pub(crate) fn send(&self, value: &T) {
        let mut told = self.0.lock().unwrap();
        told.last = value.clone();
        told.to.retain(|sender| sender.send(value.clone()).is_ok());
    }

    /// What was told last.
    pub(crate) fn last(&self) -> T {
        self.0.lock().unwrap().last.clone()
    }
}
