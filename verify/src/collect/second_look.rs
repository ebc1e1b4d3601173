//! A second look at pods that only the list had, and at rows that only the scrapes had: `evidence/second_look.rs` says why.
//!
//! Bounded: at most two more lists and one more scrape of each target, with a pause as long as kube-state-metrics may be behind.

use super::access::Cluster;
use super::obstacle::{Obstacle, observed};
use super::pods;
use crate::evidence::{Observed, Pod, PodAgain, RowAgain, Scrape, SecondLook};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What the first readings leave in doubt.
pub(super) struct Doubts<'a> {
    /// Pods without a row.
    pods: BTreeSet<&'a str>,
    /// Rows without a pod.
    rows: BTreeSet<&'a str>,
}

// === impl Doubts ===

impl<'a> Doubts<'a> {
    /// None where the readings agree, and where there is nothing to compare: where one was not read whole, and where there is
    /// no pod or no row at all, which is no matter of moments.
    pub(super) fn of(
        pods: &'a Observed<Vec<Pod>>,
        scrapes: &'a Observed<Vec<Scrape>>,
        now: Option<Timestamp>,
        lag: jiff::SignedDuration,
    ) -> Option<Self> {
        let (Observed::Seen(pods), Observed::Seen(scrapes)) = (pods, scrapes) else {
            return None;
        };
        let mut with_row: HashSet<&str> = HashSet::new();
        for scrape in scrapes {
            let Observed::Seen(read) = &scrape.rows else {
                return None;
            };
            with_row.extend(read.rows.iter().map(|row| &*row.uid));
        }
        if pods.is_empty() || with_row.is_empty() {
            return None;
        }
        let listed: HashSet<&str> = pods.iter().map(|pod| &*pod.uid).collect();
        let is_young = |pod: &Pod| now.is_some_and(|now| now.duration_since(pod.created) <= lag);
        let lacking = pods.iter().filter(|pod| !pod.deleting && !is_young(pod));
        let doubts = Self {
            pods: lacking
                .map(|pod| &*pod.uid)
                .filter(|uid| !with_row.contains(uid))
                .collect(),
            rows: with_row.into_iter().filter(|uid| !listed.contains(uid)).collect(),
        };
        (!doubts.pods.is_empty() || !doubts.rows.is_empty()).then_some(doubts)
    }

    fn all(&self) -> HashSet<&'a str> {
        self.pods.iter().chain(&self.rows).copied().collect()
    }
}

/// Looks again. `rows_of` scrapes every target again, and says of which of these UIDs there is a row. Where the time that is left is
/// too short for all of it, the list that was read settles what it can.
///
/// Needs what the list of pods and the scrape need.
pub(super) async fn collect<F>(
    cluster: &Cluster<'_>,
    doubts: Doubts<'_>,
    remaining: Duration,
    rows_of: impl FnOnce(HashSet<Box<str>>) -> F,
) -> Observed<SecondLook>
where
    F: Future<Output = Result<HashSet<Box<str>>, Obstacle>>,
{
    observed(look(cluster, &doubts, remaining, rows_of).await)
}

async fn look<F>(
    cluster: &Cluster<'_>,
    doubts: &Doubts<'_>,
    remaining: Duration,
    rows_of: impl FnOnce(HashSet<Box<str>>) -> F,
) -> Result<SecondLook, Obstacle>
where
    F: Future<Output = Result<HashSet<Box<str>>, Obstacle>>,
{
    // What was read must reach the evidence before the collection ends.
    const SPARE: Duration = Duration::from_millis(500);
    let begun = Instant::now();
    let listed = pods::listed(cluster, &doubts.all()).await?;
    let took = begun.elapsed();
    let mut look = SecondLook {
        pods: (doubts.pods.iter())
            .map(|uid| PodAgain {
                uid: (*uid).into(),
                listed: listed.get(*uid).is_some_and(|is_deleting| !is_deleting),
                row: None,
                listed_last: None,
            })
            .collect(),
        rows: (doubts.rows.iter())
            .map(|uid| RowAgain {
                uid: (*uid).into(),
                listed: listed.contains_key(*uid),
                row: None,
            })
            .collect(),
    };
    let open_pods = look.pods.iter().filter(|pod| !pod.is_settled()).map(|pod| &pod.uid);
    let open_rows = look.rows.iter().filter(|row| !row.is_settled()).map(|row| &row.uid);
    let open: HashSet<Box<str>> = open_pods.chain(open_rows).cloned().collect();
    if open.is_empty() {
        return Ok(look);
    }
    let lag = Duration::try_from(cluster.contract.thresholds.state_metrics_lag).unwrap_or_default();
    let (from, until) = (begun + lag, begun + remaining.saturating_sub(SPARE));
    tracing::debug!(
        pods = look.pods.len(),
        rows = look.rows.len(),
        open = open.len(),
        "pods and rows differ: looking again"
    );
    // A scrape and a list follow, of which the list alone takes that long.
    if from + took >= until {
        return Ok(look);
    }
    match timeout_at(until, follow(cluster, &mut look, from, open, rows_of)).await {
        Ok(followed) => followed?,
        Err(_elapsed) => tracing::debug!("no time is left to look again"),
    }
    Ok(look)
}

/// Scrapes again at that moment, and lists what these scrapes still lack.
async fn follow<F>(
    cluster: &Cluster<'_>,
    look: &mut SecondLook,
    from: Instant,
    open: HashSet<Box<str>>,
    rows_of: impl FnOnce(HashSet<Box<str>>) -> F,
) -> Result<(), Obstacle>
where
    F: Future<Output = Result<HashSet<Box<str>>, Obstacle>>,
{
    sleep_until(from).await;
    let with_row = rows_of(open.clone()).await?;
    for pod in look.pods.iter_mut().filter(|pod| open.contains(&pod.uid)) {
        pod.row = Some(with_row.contains(&pod.uid));
    }
    for row in look.rows.iter_mut().filter(|row| open.contains(&row.uid)) {
        row.row = Some(with_row.contains(&row.uid));
    }
    let open: HashSet<Box<str>> = (look.pods.iter())
        .filter(|pod| !pod.is_settled())
        .map(|pod| pod.uid.clone())
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let listed = pods::listed(cluster, &open.iter().map(|uid| &**uid).collect()).await?;
    for pod in look.pods.iter_mut().filter(|pod| open.contains(&pod.uid)) {
        pod.listed_last = Some(listed.get(&pod.uid).is_some_and(|is_deleting| !is_deleting));
    }
    Ok(())
}
