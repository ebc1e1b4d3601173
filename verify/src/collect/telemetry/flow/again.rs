//! The second reading of a page that left something open.

use super::{Target, doubt, metrics, request};
use crate::collect::Progress;
use crate::collect::access::Cluster;
use crate::collect::obstacle::unknown;
use crate::collect::run::Run;
use crate::evidence::{MetricsPage, Observed, Reason};
use crate::flow::{self, Program};
use jiff::SignedDuration;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// What a reading itself may take at the least; with less time left those before are all there is.
const MARGIN: Duration = Duration::from_secs(2);
/// What was read must reach the evidence before the collection ends.
const SPARE: Duration = Duration::from_millis(500);

/// Reads it after the contract's window, and then on until it is told what was open, at the most for as long as the program's
/// rhythm.
pub(super) async fn read<P: Fn(Progress) + Send + Sync>(
    run: &Run<'_, P>,
    cluster: &Cluster<'_>,
    program: Program,
    target: &Target<'_>,
    at_once: &Semaphore,
    mut page: MetricsPage,
) -> MetricsPage {
    let Observed::Seen(first) = &page.first else {
        return page;
    };
    let doubt = doubt(run, cluster, program, target, first).await;
    if !doubt.is_any() {
        return page;
    }
    let thresholds = &cluster.contract.thresholds;
    let step = duration(thresholds.flow_window);
    let longest = if doubt.flow {
        duration(flow::longest(program, &page, thresholds))
    } else {
        step
    };
    run.waits(program.source(), longest);
    let begun = Instant::now();
    while run.remaining() >= step.saturating_add(MARGIN) {
        tokio::time::sleep(step).await;
        let reading = async {
            let _turn = at_once.acquire().await;
            metrics(run, cluster, program, target).await
        };
        // However slow the line: the first reading may not be lost to this one.
        let Ok(read) = timeout(run.remaining().saturating_sub(SPARE), reading).await else {
            break;
        };
        let settled = match &read {
            Observed::Seen(again) => flow::is_settled(program, first, again, thresholds),
            Observed::Absent | Observed::Unknown(_) => true,
        };
        page.again = Some(read);
        if settled || !doubt.flow || begun.elapsed() >= longest {
            return page;
        }
    }
    if page.again.is_none() {
        let get = request(cluster, program, target, &program.terms(cluster.contract).path);
        let get = get.unwrap_or_else(|why| why.0);
        let why = "there was no time left to read it again";
        page.again = Some(Observed::Unknown(unknown(&get, Reason::TimedOut, why)));
    }
    page
}

fn duration(signed: SignedDuration) -> Duration {
    Duration::try_from(signed).unwrap_or_default()
}
