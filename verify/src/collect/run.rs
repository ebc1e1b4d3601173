//! One collection under way: its deadline, its clock, what it has to tell of its progress, and what several sources share.

use super::obstacle::{Obstacle, milliseconds, observed, seconds};
use super::workloads::Lists;
use super::{EarlierPages, Plan, Progress};
use crate::contract::StepId;
use crate::evidence::{ApiServer, Observed, Reason, Source, Timing, Unknown};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::SetOnce;
use tokio::time::Instant;
use tracing::Instrument;

/// A collection under way.
pub(super) struct Run<'a, P> {
    plan: &'a Plan,
    progress: &'a P,
    begun: Instant,
    deadline: Instant,
    timings: Mutex<BTreeMap<Source, Timing>>,
    /// The API server's clock, once it was asked: it and when it was told, in milliseconds since the collection began; `None`
    /// where it told none.
    clock: SetOnce<Option<(Timestamp, u64)>>,
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
            clock: SetOnce::new(),
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

    /// Reads something beside a source, if that is planned, as long as there is time.
    pub(super) async fn beside<T>(&self, source: Source, collector: impl Future<Output = Observed<T>>) -> Observed<T> {
        if self.plan.sources.contains(&source) {
            self.in_time(source, Box::pin(collector)).await
        } else {
            Observed::not_collected()
        }
    }

    /// The steps whose Helm releases are read.
    pub(super) fn releases(&self) -> &'a BTreeSet<StepId> {
        &self.plan.releases
    }

    /// How much time the collection has left.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The time since the collection began, in milliseconds.
    pub(super) fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.now_ms()).unwrap_or(i64::MAX)
    }

    /// Reads the API server's version, and keeps its clock for those that wait for it.
    pub(super) async fn clocked(&self, read: impl Future<Output = Observed<ApiServer>>) -> Observed<ApiServer> {
        let read = read.await;
        let told = (self.timings.lock().unwrap_or_else(PoisonError::into_inner))
            .get(&Source::ApiServer)
            .map(|timing| timing.ended_ms);
        let date = match &read {
            Observed::Seen(server) => server.date,
            Observed::Absent | Observed::Unknown(_) => None,
        };
        // It is asked once.
        let _ = self.clock.set(date.zip(told));
        read
    }

    /// The API server's clock now, as [`crate::evidence::Evidence::now`] has it. Waits until it was asked.
    pub(super) async fn clock(&self) -> Option<Timestamp> {
        let (date, told) = (*self.clock.wait().await)?;
        let passed = i64::try_from(self.now_ms().saturating_sub(told)).ok()?;
        date.checked_add(SignedDuration::from_millis(passed)).ok()
    }

    /// Tells that a source is waited for, at the most so long.
    pub(super) fn waits(&self, source: Source, within: Duration) {
        (self.progress)(Progress::Waiting(source, within));
    }

    /// What earlier collections have read, where they are to be compared with.
    pub(super) fn earlier(&self) -> Option<&EarlierPages> {
        self.plan.earlier.as_deref()
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
        milliseconds(self.begun.elapsed())
    }
}
