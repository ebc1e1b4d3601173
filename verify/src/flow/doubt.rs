//! What one reading of a page leaves open, and when a second one has told it. The collection reads again by it, and the
//! judgement asks for it.

use super::{Program, Queue, Samples, fluent_bit, restarted};
use crate::contract::Thresholds;
use crate::evidence::Metrics;

/// What one reading leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Whether the page lives.
    pub(crate) life: bool,
    /// Whether what comes in is delivered, and whether what was lost is past.
    pub(crate) flow: bool,
    /// Whether a counter grows of which nothing is known but that its name says loss.
    pub(crate) rumour: bool,
}

// === impl Doubt ===

impl Doubt {
    /// What a reading leaves open of a page that agrees with its container's start, or does not.
    pub(crate) fn of(program: Program, metrics: &Metrics, agrees: bool) -> Self {
        Self {
            life: !agrees,
            flow: leaves_a_question(program, metrics),
            rumour: program.rumours(metrics).values().any(|value| *value > 0.0),
        }
    }

    /// Whether it is to be read again.
    pub(crate) fn is_any(self) -> bool {
        self.life || self.flow || self.rumour
    }
}

/// Nothing delivered yet of what came in, something that waits, or counters of trouble or loss that may be an hour old or a
/// second.
fn leaves_a_question(program: Program, metrics: &Metrics) -> bool {
    let queues = program.queues(metrics).unwrap_or_default();
    let one_delivers = queues.iter().any(|queue| queue.delivered > 0.0);
    let of_queue = |queue: &Queue| {
        let nothing_yet = queue.delivered <= 0.0 && queue.taken_in > 0.0;
        let is_idle = one_delivers && queue.was_given_nothing();
        (nothing_yet && !is_idle) || queue.troubled > 0.0 || queue.waiting > 0.0
    };
    let paused = program == Program::FluentBit && fluent_bit::paused(Samples::of(metrics));
    paused || queues.iter().any(of_queue) || !program.losses(metrics).is_empty()
}

/// Whether a later reading has told what the first left open, so that nothing has to be waited for to the end of the window.
pub(crate) fn is_settled(program: Program, first: &Metrics, again: &Metrics, thresholds: &Thresholds) -> bool {
    let (Ok(before), Ok(after)) = (program.queues(first), program.queues(again)) else {
        return true;
    };
    if restarted(program, first, again) {
        return true;
    }
    let later = |queue: &Queue| after.iter().find(|later| later.name == queue.name);
    if program == Program::FluentBit {
        // It delivers within a second, or tries again. What stands between is told by time alone.
        return !(before.iter())
            .any(|queue| later(queue).is_some_and(|later| waits_for_its_turn(queue, later, thresholds)));
    }
    let (lost, now_lost) = (program.losses(first), program.losses(again));
    let loses_still = now_lost.iter().any(|now| now.since(&lost) > 0.0);
    let told = |queue: &Queue| later(queue).is_none_or(|later| has_moved(queue, later));
    // Losses of an hour ago and those of every minute look alike until the minute is over.
    (lost.is_empty() || loses_still) && before.iter().all(told)
}

/// More was delivered than was given up meanwhile.
pub(crate) fn has_moved(first: &Queue, again: &Queue) -> bool {
    let more = again.delivered - first.delivered;
    again.completed > first.completed && more > 0.0 && more > again.lost - first.lost
}

/// A quiet node whose chunks wait for their next try: nothing comes in, nothing is refused, nothing is delivered. So does an
/// output that hangs.
pub(crate) fn waits_for_its_turn(first: &Queue, again: &Queue, thresholds: &Thresholds) -> bool {
    let waits = first.waiting > 0.0 && again.waiting > 0.0;
    let stands = again.taken_in <= first.taken_in && again.troubled <= first.troubled && !has_moved(first, again);
    waits && stands && again.filled.is_none_or(|filled| filled < thresholds.queue_filling)
}
