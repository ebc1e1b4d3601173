//! Audits until the cluster conforms, or until waiting has no sense.

use super::failure::Failure;
use super::live::{Live, Round};
use starform_verify::evidence::Evidence;
use starform_verify::report::{ExitCode, FailOn, Report, ToolError, Verdict, exit_code};
use std::time::{Duration, Instant};

/// Audits once, or as often as `--wait` lets it. Gives the last evidence and its report.
pub(crate) fn audit(live: &Live<'_>, fail_on: FailOn) -> Result<(Evidence, Report), Failure> {
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

async fn audit_within(live: &Live<'_>, fail_on: FailOn) -> Result<(Evidence, Report), Failure> {
    let started = Instant::now();
    let wait = live.time.wait.unwrap_or_default();
    let connection = live.connect().await?;
    let mut told = String::new();
    loop {
        let Round {
            evidence,
            mut report,
            interrupted,
        } = live.round(&connection).await?;
        if let Some(signal) = interrupted {
            report.error = Some(interruption(signal));
            return Ok((evidence, report));
        }
        let waited = started.elapsed();
        let left = wait.saturating_sub(waited);
        let reason = if exit_code(&report, fail_on) == ExitCode::Conforms {
            Some("conforms")
        } else if left.is_zero() {
            Some("the time is over")
        } else if is_lasting(&report) {
            Some("waiting cannot mend what is wrong")
        } else {
            None
        };
        if let Some(reason) = reason {
            if live.time.wait.is_some() {
                live.printer.note(&format!("waited {}: {reason}", seconds(waited)));
            }
            return Ok((evidence, report));
        }
        if report.summary.answer != told {
            told.clone_from(&report.summary.answer);
            live.printer.note(&format!("waiting, {} left: {told}", seconds(left)));
        }
        if let Some(signal) = live.pause(pause(live.time.poll_interval, left)).await? {
            report.error = Some(interruption(signal));
            return Ok((evidence, report));
        }
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

fn interruption(signal: &'static str) -> ToolError {
    ToolError {
        message: format!("interrupted by {signal}: this is what had been seen until then"),
        hints: Vec::new(),
    }
}

fn seconds(duration: Duration) -> String {
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
            let paused = pause(Duration::from_secs(5), Duration::from_secs(60));
            assert!(paused >= Duration::from_millis(4500) && paused <= Duration::from_millis(5500));
            assert_eq!(
                pause(Duration::from_secs(5), Duration::from_secs(1)),
                Duration::from_secs(1)
            );
        }
    }
}
