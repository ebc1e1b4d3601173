//! Whether a page lives. Fluent Bit's is a copy that its engine makes each second and its server hands out: where the engine
//! stands still, the last copy goes on being shown (fluent-bit v5.1.1: src/flb_metrics_exporter.c,
//! src/http_server/api/v2/metrics.c). vmagent and Alloy write theirs at each request.

use super::{Program, Samples, alloy, fluent_bit, vmagent};
use crate::contract::Thresholds;
use crate::evidence::Metrics;
use jiff::{SignedDuration, Timestamp};

/// What two readings of a page say of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It lives.
    Lives,
    /// Its uptime did not grow by the time between the readings.
    Still,
    /// It is too soon to say, or there is one reading only, which does not agree with the container's start.
    Untold,
}

/// Since when the process runs, by what its page says.
pub(crate) fn uptime(program: Program, metrics: &Metrics, now: Option<Timestamp>) -> Option<SignedDuration> {
    let samples = Samples::of(metrics);
    let seconds = match program {
        Program::FluentBit => samples.value(fluent_bit::UPTIME)?,
        Program::Vmagent => samples.value(vmagent::UPTIME)?,
        Program::Alloy => {
            let started = Timestamp::from_second(whole(samples.value(alloy::STARTED)?)?).ok()?;
            return Some(SignedDuration::from_secs(now?.duration_since(started).as_secs()));
        }
    };
    Some(SignedDuration::from_secs(whole(seconds)?))
}

/// Whether a page agrees with when its container was started. That time is the node's, as what the page says is; `now` is the
/// API server's, so that of clocks that differ a page does not agree, and is read twice.
pub(crate) fn agrees(
    program: Program,
    metrics: &Metrics,
    started: Option<Timestamp>,
    now: Option<Timestamp>,
    thresholds: &Thresholds,
) -> bool {
    let told = || {
        let since = match program {
            Program::Alloy => {
                let process = whole(Samples::of(metrics).value(alloy::STARTED)?)?;
                return Some(SignedDuration::from_secs(process - started?.as_second()));
            }
            Program::FluentBit | Program::Vmagent => now?.duration_since(started?),
        };
        Some(uptime(program, metrics, now)?.saturating_sub(since))
    };
    told().is_some_and(|apart| apart.abs() <= thresholds.uptime_agrees)
}

/// What the second reading says of the page's life.
pub(crate) fn standing(
    program: Program,
    first: &Metrics,
    again: Option<&Metrics>,
    agrees: bool,
    thresholds: &Thresholds,
) -> Standing {
    let untold = if agrees { Standing::Lives } else { Standing::Untold };
    let Some(again) = again else {
        return untold;
    };
    let apart = SignedDuration::from_millis(again.read_ms.saturating_sub(first.read_ms));
    if apart < thresholds.flow_window / 2 {
        return untold;
    }
    // Of a page that is written at the request, one that agreed has said all.
    if program != Program::FluentBit && agrees {
        return Standing::Lives;
    }
    // Alloy says when it started, which does not move.
    if program == Program::Alloy {
        return Standing::Lives;
    }
    match (uptime(program, first, None), uptime(program, again, None)) {
        // A page may be slow to come: half of the time is enough, for what stands still does not grow at all.
        (Some(before), Some(after)) if after.saturating_sub(before).saturating_mul(2) >= apart => Standing::Lives,
        (Some(before), Some(after)) if after >= before => Standing::Still,
        // It started anew.
        _ => Standing::Untold,
    }
}

/// Whether the process of a page is another than that of the page before, or began its counters anew.
pub(crate) fn restarted(program: Program, before: &Metrics, after: &Metrics) -> bool {
    let started = |metrics: &Metrics| whole(Samples::of(metrics).value(alloy::STARTED)?);
    match program {
        Program::Alloy => matches!((started(before), started(after)), (Some(before), Some(after)) if before != after),
        _ => matches!(
            (uptime(program, before, None), uptime(program, after, None)),
            (Some(before), Some(after)) if after < before
        ),
    }
}

/// The whole part of a value that can have one; an infinite one and `NaN` are not below the bound.
fn whole(value: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bounds are those of seconds that a clock can tell"
    )]
    (value.abs() < 1e12).then_some(value as i64)
}

#[cfg(test)]
mod tests;
