//! Audits until the cluster conforms, or until waiting has no sense.

use super::failure::Failure;
use super::live::{Interrupts, Live};
use super::seen::Seen;
use starform_verify::report::{CheckResult, ExitCode, FailOn, Report, ToolError, Verdict, Waited, WaitsFor, exit_code};
use std::collections::BTreeMap;
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
    let mut waiting = Waiting::default();
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
        waiting.note(&report, waited);
        if let Some(reason) = ends(&report, fail_on, left) {
            if live.time.wait.is_some() {
                let told = waiting.ended(&report, waited, reason);
                live.printer.note(&sentence(&told));
                report.times.waited = Some(told);
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

/// Since when each check is seen not to be as it should be, look after look. Those that stand behind others are not waited
/// for themselves.
#[derive(Default)]
struct Waiting(BTreeMap<String, Duration>);

// === impl Waiting ===

impl Waiting {
    /// Takes note of what a look came to, so long after the beginning.
    fn note(&mut self, report: &Report, at: Duration) {
        let seen = report.checks().filter(|check| is_waited_for(check));
        self.0 = seen
            .map(|check| (check.code.clone(), self.0.get(&check.code).copied().unwrap_or(at)))
            .collect();
    }

    /// How it ended.
    fn ended(&self, report: &Report, waited: Duration, reason: &str) -> Waited {
        let checks = report.checks().filter(|check| is_waited_for(check));
        Waited {
            took_ms: milliseconds(waited),
            ended: reason.to_owned(),
            waits_for: checks
                .map(|check| WaitsFor {
                    code: check.code.clone(),
                    for_ms: milliseconds(waited.saturating_sub(self.0.get(&check.code).copied().unwrap_or(waited))),
                    observed: check.observed.clone(),
                })
                .collect(),
        }
    }
}

fn is_waited_for(check: &CheckResult) -> bool {
    matches!(check.verdict, Verdict::Fail | Verdict::Unknown) && check.behind.is_none()
}

/// `waited 2 min 0 s: the time is over; still not so: SF303 for 1 min 50 s, SF321 for 20 s`.
fn sentence(waited: &Waited) -> String {
    let whole = |ms: u64| words(Duration::from_millis(ms));
    let mut sentence = format!("waited {}: {}", whole(waited.took_ms), waited.ended);
    let still: Vec<String> = (waited.waits_for.iter().take(SHOWN))
        .map(|check| format!("{} for {}", check.code, whole(check.for_ms)))
        .collect();
    if !still.is_empty() {
        sentence = format!("{sentence}; still not as it should be: {}", still.join(", "));
    }
    match waited.waits_for.len().saturating_sub(SHOWN) {
        0 => sentence,
        more => format!("{sentence} and {more} more"),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How many checks are named in a line.
const SHOWN: usize = 4;
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
    let may_read_nothing = report.error.as_ref().is_some_and(|error| error.forbidden);
    may_read_nothing
        || report
            .checks()
            .any(|check| check.lasting && matches!(check.verdict, Verdict::Fail | Verdict::Unknown))
}

/// The interval, a tenth longer or shorter so that many auditors do not ask at once, and never longer than what is left.
fn pause(interval: Duration, left: Duration) -> Duration {
    interval.mul_f64(0.9 + 0.2 * fastrand::f64()).min(left)
}

fn interruption(signal: &'static str, what: &str) -> ToolError {
    ToolError::new(format!("interrupted by {signal}: {what}"), Vec::new())
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
    use crate::render::sample;

    #[test]
    fn it_says_what_it_still_waited_for_and_for_how_long() {
        let broken = sample::wildcard();
        let mut waiting = Waiting::default();
        let seconds = Duration::from_secs;
        waiting.note(&broken, seconds(1));
        waiting.note(&sample::healthy(), seconds(6));
        waiting.note(&broken, seconds(11));
        waiting.note(&broken, seconds(16));
        let ended = waiting.ended(&broken, seconds(75), "the time is over");
        // It passed in between: what counts is since when it did not.
        let told: Vec<_> = ended
            .waits_for
            .iter()
            .map(|check| (check.code.as_str(), check.for_ms))
            .collect();
        assert_eq!(told, [("SF324", 64_000)]);
        assert_eq!(
            sentence(&ended),
            "waited 1 min 15 s: the time is over; still not as it should be: SF324 for 1 min 4 s"
        );
        let ended = waiting.ended(&sample::healthy(), seconds(80), "what was asked for is as it should be");
        assert_eq!(
            sentence(&ended),
            "waited 1 min 20 s: what was asked for is as it should be"
        );
    }

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
