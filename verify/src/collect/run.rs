//! One collection under way: its deadline, its clock, what it has to tell of its progress, and what several sources share.

use super::obstacle::{Obstacle, observed, seconds};
use super::workloads::Lists;
use super::{Plan, Progress};
use crate::evidence::{ApiServer, Observed, Reason, Source, Timing, Unknown};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// A collection under way.
pub(super) struct Run<'a, P> {
    plan: &'a Plan,
    progress: &'a P,
    begun: Instant,
    deadline: Instant,
    timings: Mutex<BTreeMap<Source, Timing>>,
    /// The lists of workloads that were read.
    pub(super) workloads: Lists,
}

/// A source of which the first part was read.
pub(super) struct Open<T> {
    source: Source,
    started_ms: u64,
    seen: Observed<T>,
}

/// A collector's result as evidence has it.
pub(super) async fn plain<T>(collector: impl Future<Output = Result<T, Obstacle>>) -> Observed<T> {
    observed(collector.await)
}

impl<'a, P: Fn(Progress) + Send + Sync> Run<'a, P> {
    pub(super) fn new(plan: &'a Plan, progress: &'a P) -> Self {
        let begun = Instant::now();
        Self {
            plan,
            progress,
            begun,
            deadline: begun + plan.timeout,
            timings: Mutex::default(),
            workloads: Lists::default(),
        }
    }

    /// Reads a source, if it is planned, as long as there is time.
    pub(super) fn source<T>(
        &self,
        source: Source,
        collector: impl Future<Output = Observed<T>>,
    ) -> impl Future<Output = Observed<T>> {
        // On the heap: fifteen collectors in one future would be a hundred kilobytes of some thread's stack.
        let collector = Box::pin(collector);
        async move {
            if !self.plan.sources.contains(&source) {
                return Observed::not_collected();
            }
            let started_ms = self.start(source);
            let seen = self.in_time(source, collector).await;
            self.finish(source, started_ms, &seen);
            seen
        }
    }

    /// Reads the first part of a source.
    pub(super) fn open<T>(
        &self,
        source: Source,
        collector: impl Future<Output = Result<T, Obstacle>>,
    ) -> impl Future<Output = Open<T>> {
        let collector = Box::pin(plain(collector));
        async move {
            if !self.plan.sources.contains(&source) {
                let seen = Observed::not_collected();
                let started_ms = 0;
                return Open {
                    source,
                    started_ms,
                    seen,
                };
            }
            let started_ms = self.start(source);
            let seen = self.in_time(source, collector).await;
            Open {
                source,
                started_ms,
                seen,
            }
        }
    }

    /// Reads the rest of it.
    pub(super) async fn close<T, F: Future<Output = Result<T, Obstacle>>>(
        &self,
        open: Open<T>,
        rest: impl FnOnce(T) -> F,
    ) -> Observed<T> {
        if !self.plan.sources.contains(&open.source) {
            return open.seen;
        }
        let seen = match open.seen {
            Observed::Seen(first) => self.in_time(open.source, Box::pin(plain(rest(first)))).await,
            other => other,
        };
        self.finish(open.source, open.started_ms, &seen);
        seen
    }

    /// Reads something that belongs to a source which was read already, as long as there is time.
    pub(super) async fn more_of<T>(&self, source: Source, collector: impl Future<Output = Observed<T>>) -> Observed<T> {
        self.in_time(source, Box::pin(collector)).await
    }

    /// The API server's clock when a source had been read, where it told the time.
    pub(super) fn clock(&self, server: &Observed<ApiServer>, source: Source) -> Option<Timestamp> {
        let Observed::Seen(server) = server else {
            return None;
        };
        let timings = self.timings.lock().unwrap_or_else(PoisonError::into_inner);
        server.clock(&timings, source)
    }

    /// How much time the collection has left.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The time since the collection began, in milliseconds.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.now_ms()
    }

    /// When each source was read.
    pub(super) fn timings(self) -> BTreeMap<Source, Timing> {
        self.timings.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_time<T>(&self, source: Source, collector: impl Future<Output = Observed<T>>) -> Observed<T> {
        let span = tracing::debug_span!("collect", %source);
        let ended_early =
            |reason, message: String| Observed::Unknown(Unknown::new(reason, source.to_string(), message));
        tokio::select! {
            read = tokio::time::timeout_at(self.deadline, collector).instrument(span) => read.unwrap_or_else(|_| {
                let time = seconds(self.plan.timeout);
                ended_early(Reason::TimedOut, format!("not read when the audit's time of {time} was over"))
            }),
            () = self.plan.stop.cancelled() => {
                ended_early(Reason::NotCollected, "not read when the audit was interrupted".to_owned())
            }
        }
    }

    fn start(&self, source: Source) -> u64 {
        (self.progress)(Progress::Started(source));
        self.now_ms()
    }

    fn finish<T>(&self, source: Source, started_ms: u64, seen: &Observed<T>) {
        let ended_ms = self.now_ms();
        let state = match seen {
            Observed::Seen(_) => "seen",
            Observed::Absent => "absent",
            Observed::Unknown(_) => "unknown",
        };
        tracing::debug!(%source, state, started_ms, ended_ms, "source read");
        let mut timings = self.timings.lock().unwrap_or_else(PoisonError::into_inner);
        timings.insert(source, Timing { started_ms, ended_ms });
        drop(timings);
        (self.progress)(Progress::Finished(source, state));
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
