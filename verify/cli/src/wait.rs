//! Audits until the cluster conforms, or until waiting has no sense.

use super::failure::Failure;
use super::live::{Interrupts, Live};
use super::seen::Seen;
use starform_verify::report::{ExitCode, FailOn, Report, ToolError, Verdict, exit_code};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Audits once, or as often as `--wait` lets it. Gives the last evidence and its report.
pub(crate) fn audit(live: &Live<'_>, fail_on: FailOn) -> Result<Seen, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::tool(format!("the asynchronous runtime could not start: {error}")))?;
    let ended = runtime.block_on(audit_within(live, fail_on));
    // A request that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    ended
}

async fn audit_within(live: &Live<'_>, fail_on: FailOn) -> Result<Seen, Failure> {
    let started = Instant::now();
    let wait = live.time.wait.unwrap_or_default();
    let mut interrupts = Interrupts::listen()?;
    let targets = tokio::select! {
        targets = live.connect() => targets?,
        signal = interrupts.next() => return Err(Failure::from(interruption(signal, "nothing had been read yet"))),
    };
    let mut last: Option<Seen> = None;
    loop {
        let stop = CancellationToken::new();
        let mut look = std::pin::pin!(live.look(&targets, stop.clone()));
        let Seen { evidence, mut report } = tokio::select! {
            seen = &mut look => seen,
            signal = interrupts.next() => {
                stop.cancel();
                return Ok(interrupted(look.await, last, signal));
            }
        };
        let waited = started.elapsed();
        let left = wait.saturating_sub(waited);
        if let Some(reason) = ends(&report, fail_on, left) {
            if live.time.wait.is_some() {
                live.printer.note(&format!("waited {}: {reason}", words(waited)));
            }
            return Ok(Seen { evidence, report });
        }
        if last
            .as_ref()
            .is_none_or(|last| last.report.summary.answer != report.summary.answer)
        {
            live.printer
                .note(&format!("waiting, {} left: {}", words(left), report.summary.answer));
        }
        if let Some(signal) = interrupts.pause(pause(live.time.poll_interval, left)).await {
            report.error = Some(interruption(signal, LAST_LOOK));
            return Ok(Seen { evidence, report });
        }
        last = Some(Seen { evidence, report });
    }
}

const LAST_LOOK: &str = "this is what was seen last";

/// What there is when a signal comes: the look before this one, whole, or this one as far as it got.
fn interrupted(unfinished: Seen, last: Option<Seen>, signal: &'static str) -> Seen {
    let (mut seen, what) = match last {
        Some(last) => (last, LAST_LOOK),
        None => (unfinished, "this is what had been read"),
    };
    seen.report.error = Some(interruption(signal, what));
    seen
}

/// Why no further look is taken.
fn ends(report: &Report, fail_on: FailOn, left: Duration) -> Option<&'static str> {
    if exit_code(report, fail_on) == ExitCode::Conforms {
        Some("what was asked for is as it should be")
    } else if left.is_zero() {
        Some("the time is over")
    } else if is_lasting(report) {
        Some("waiting cannot mend what is wrong")
    } else {
        None
    }
}

/// Whether anything that is wrong stays wrong without somebody doing something about it.
fn is_lasting(report: &Report) -> bool {
    report
        .checks()
        .any(|check| check.lasting && matches!(check.verdict, Verdict::Fail | Verdict::Unknown))
}

/// The interval, a tenth longer or shorter so that many auditors do not ask at once, and never longer than what is left.
fn pause(interval: Duration, left: Duration) -> Duration {
    interval.mul_f64(0.9 + 0.2 * fastrand::f64()).min(left)
}

fn interruption(signal: &'static str, what: &str) -> ToolError {
    ToolError {
        message: format!("interrupted by {signal}: {what}"),
        hints: Vec::new(),
    }
}

fn words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_never_outlasts_the_wait() {
        for _ in 0..100 {
            let paused = pause(Duration::from_secs(5), Duration::from_mins(1));
            assert!(paused >= Duration::from_millis(4500) && paused <= Duration::from_millis(5500));
            assert_eq!(
                pause(Duration::from_secs(5), Duration::from_secs(1)),
                Duration::from_secs(1)
            );
        }
    }
}
