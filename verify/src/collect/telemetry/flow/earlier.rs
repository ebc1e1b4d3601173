//! What earlier collections have read of the pages: who collects again and again compares with that, and waits for nothing.

use super::{Target, doubt};
use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::run::Run;
use crate::evidence::{Metrics, MetricsPage, MetricsSample, Observed};
use crate::flow::{self, Program};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Two readings of each page that was seen: one that is as old as the window in which it is judged, and one that will be.
#[derive(Debug, Default)]
pub struct EarlierPages(Mutex<BTreeMap<Page, Readings>>);

/// Program, namespace and pod.
type Page = (&'static str, String, String);

#[derive(Debug, Default)]
struct Readings {
    old: Option<Reading>,
    new: Option<Reading>,
    /// When the pod was last seen.
    seen: Option<Instant>,
}

#[derive(Debug)]
struct Reading {
    read: Instant,
    /// The samples as JSON: a tenth of what they are in memory, and there is a pod on each of some hundred nodes.
    samples: Box<[u8]>,
}

/// A pod that was not seen for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(30);

impl EarlierPages {
    /// Compares a page with what was read of it before, where it leaves something open, and remembers it.
    pub(super) async fn compared<P: Fn(Progress) + Send + Sync>(
        &self,
        run: &Run<'_, P>,
        cluster: &Cluster<'_>,
        program: Program,
        target: &Target<'_>,
        mut page: MetricsPage,
    ) -> MetricsPage {
        let Observed::Seen(now) = &page.first else {
            return page;
        };
        let thresholds = &cluster.contract.thresholds;
        let window = Duration::try_from(flow::longest(program, &page, thresholds)).unwrap_or_default();
        let is_open = doubt(run, cluster, program, target, now).await.is_any();
        if let Some(earlier) = self.exchange(program, target, now, window, is_open) {
            let now = std::mem::replace(&mut page.first, Observed::Seen(earlier));
            page.again = Some(now);
        }
        page
    }

    /// Remembers a reading, and gives the one to compare it with, where it leaves something open. None of another process than the
    /// page's.
    fn exchange(
        &self,
        program: Program,
        target: &Target<'_>,
        now: &Metrics,
        window: Duration,
        is_open: bool,
    ) -> Option<Metrics> {
        let read = Instant::now();
        let key = (program.name(), target.namespace.to_owned(), target.pod.name.clone());
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|_, readings| readings.seen.is_some_and(|seen| read.duration_since(seen) < FORGOTTEN));
        let readings = pages.entry(key).or_default();
        readings.seen = Some(read);
        let metrics = |reading: &Reading| reading.metrics(read, now.read_ms);
        let last = readings.new.as_ref().and_then(metrics);
        if last.is_some_and(|last| flow::restarted(program, &last, now)) {
            (readings.old, readings.new) = (None, None);
        }
        // What is older than the window becomes what is compared with.
        let is_old = |reading: &Reading| read.duration_since(reading.read) >= window;
        if readings.new.as_ref().is_some_and(is_old) {
            readings.old = readings.new.take();
        }
        let earlier = readings.old.as_ref().or(readings.new.as_ref());
        let earlier = earlier.filter(|_| is_open).and_then(metrics);
        if readings.new.is_none() {
            readings.new = Reading::of(read, now);
        }
        earlier
    }
}

// === impl Reading ===

impl Reading {
    fn of(read: Instant, metrics: &Metrics) -> Option<Self> {
        let samples = serde_json::to_vec(&metrics.samples).ok()?.into_boxed_slice();
        Some(Self { read, samples })
    }

    /// As it stands in evidence of a page that was read at `now`, which is `now_ms`.
    fn metrics(&self, now: Instant, now_ms: i64) -> Option<Metrics> {
        let samples: Vec<MetricsSample> = serde_json::from_slice(&self.samples).ok()?;
        let age = i64::try_from(now.duration_since(self.read).as_millis()).ok()?;
        Some(Metrics {
            read_ms: now_ms.checked_sub(age)?,
            samples,
        })
    }
}
