//! What two readings of a queue say of what it delivers.

use super::number;
use crate::contract::Thresholds;
use crate::evaluate::age::words;
use crate::evidence::Unknown;
use crate::flow::{Program, Queue, has_moved, waits_for_its_turn};
use jiff::SignedDuration;

/// How a pod does.
pub(in crate::evaluate) enum Delivery<'a> {
    /// What came in was delivered.
    Delivers,
    /// Nothing came in.
    Idle,
    /// It started a moment ago.
    Young,
    /// It delivers, and is behind.
    Late(String),
    /// It does not deliver, and why that is said.
    Stuck(String),
    /// Its page is one of the past: whatever wrote it stands still.
    Still(String),
    /// It cannot be told from what was read.
    Unclear(String),
    /// It could not be read (again).
    Unseen(&'a Unknown),
}

/// What two readings of a page say of one of its queues.
pub(in crate::evaluate) struct Readings {
    pub(in crate::evaluate) first: Queue,
    pub(in crate::evaluate) again: Option<Queue>,
}

/// What lies between two readings, and what has to.
#[derive(Clone, Copy, Debug)]
pub(in crate::evaluate) struct Window {
    pub(in crate::evaluate) apart: SignedDuration,
    /// Within which what flows has to have moved.
    pub(in crate::evaluate) rhythm: SignedDuration,
    /// Within which what waits for its next try has to have moved too.
    pub(in crate::evaluate) longest: SignedDuration,
}

/// By what a queue is judged.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) program: Program,
    /// How long the process runs.
    pub(super) uptime: Option<SignedDuration>,
    pub(super) window: Window,
    pub(super) thresholds: &'a Thresholds,
}

// === impl Window ===

impl Window {
    /// Whether the readings are as far apart as the program's own rhythm asks for. Both are rounded to the second.
    pub(in crate::evaluate) fn holds(self, wanted: SignedDuration) -> bool {
        self.apart.as_secs() >= wanted.as_secs()
    }
}

// === impl Readings ===

impl Readings {
    /// The later of the readings.
    pub(super) fn last(&self) -> &Queue {
        self.again.as_ref().unwrap_or(&self.first)
    }

    /// How the queue of `pod` does.
    pub(super) fn delivery(&self, pod: &str, context: Context<'_>) -> Delivery<'static> {
        let last = self.last();
        if last.delivered <= 0.0 {
            return context.has_delivered_nothing(pod, last);
        }
        let behind = last.behind.unwrap_or_default();
        let Context { window, thresholds, .. } = context;
        let how_far = || format!("what {pod} delivers is {} behind what it takes in", seconds(behind));
        if behind >= thresholds.flow_behind_fail.as_secs_f64() {
            return Delivery::Stuck(format!(
                "{}: what is older than its log is lost when that is cut",
                how_far()
            ));
        }
        let is_late = behind >= thresholds.flow_behind_warn.as_secs_f64();
        let moves = |delivery: Delivery<'static>| if is_late { Delivery::Late(how_far()) } else { delivery };
        let (first, Some(again)) = (&self.first, &self.again) else {
            return moves(Delivery::Delivers);
        };
        if has_moved(first, again) {
            return moves(Delivery::Delivers);
        }
        let within = words(window.apart);
        // Who looks every second sees nothing move within one.
        if !window.holds(thresholds.flow_window) {
            return Delivery::Unclear(format!(
                "{pod} delivered nothing within {within}; a window of {} did not fit",
                words(thresholds.flow_window)
            ));
        }
        let waits = first.waiting > 0.0 && again.waiting > 0.0;
        if again.troubled > first.troubled {
            let times = number(again.troubled - first.troubled);
            // A store that refuses for good is no store that one waits for.
            let for_good = if again.lost > first.lost {
                ": what was refused is lost"
            } else {
                ""
            };
            return Delivery::Stuck(format!(
                "{pod} was refused {times} times within {within} and delivered nothing{for_good}"
            ));
        }
        let takes_in = again.taken_in > first.taken_in;
        let fills = || match again.filled {
            Some(filled) if filled >= thresholds.queue_filling => {
                format!(", and what waits fills {:.0} % of its space", filled * 100.0)
            }
            _ => String::new(),
        };
        if takes_in && (waits || window.holds(window.rhythm) && context.program != Program::FluentBit) {
            return Delivery::Stuck(format!(
                "{pod} takes in and delivered nothing within {within}{}",
                fills()
            ));
        }
        if waits && !(again.behind.is_some() && is_late) {
            // It may wait for its next try, or for what is sent in its rhythm.
            let may_wait = match context.program {
                Program::FluentBit => waits_for_its_turn(first, again, thresholds) && !window.holds(window.longest),
                Program::Vmagent => again.waiting <= first.waiting && !window.holds(window.rhythm),
                Program::Alloy => !window.holds(window.rhythm),
            };
            if !may_wait {
                return Delivery::Stuck(format!(
                    "{pod} delivered nothing within {within}, and more than that waits{}",
                    fills()
                ));
            }
        }
        let quiet = !takes_in && again.waiting <= 0.0;
        if quiet && first.may_be_quiet && again.may_be_quiet {
            return moves(Delivery::Delivers);
        }
        if is_late {
            return Delivery::Late(format!("{}, and it delivered nothing within {within}", how_far()));
        }
        let wanted = if waits { window.longest } else { window.rhythm };
        let short = if window.holds(wanted) {
            String::new()
        } else {
            format!("; a window of {} did not fit", words(wanted))
        };
        Delivery::Unclear(format!(
            "{pod} delivered nothing within {within}, and nothing was refused{}{short}",
            trouble(again)
        ))
    }
}

// === impl Context ===

impl Context<'_> {
    fn has_delivered_nothing(self, pod: &str, last: &Queue) -> Delivery<'static> {
        if last.taken_in <= 0.0 {
            return Delivery::Idle;
        }
        // One that does not say since when it runs may not be young.
        if self.uptime.is_some_and(|uptime| uptime < self.thresholds.flow_start) {
            return Delivery::Young;
        }
        let since = self.uptime.map_or_else(
            || "since it started".to_owned(),
            |uptime| format!("in the {} since it started", words(uptime)),
        );
        Delivery::Stuck(format!("{pod} has delivered nothing {since}{}", trouble(last)))
    }
}

/// Seconds in words.
fn seconds(seconds: f64) -> String {
    words(SignedDuration::from_secs(
        SignedDuration::try_from_secs_f64(seconds).unwrap_or_default().as_secs(),
    ))
}

/// `, after 24 failures`.
fn trouble(queue: &Queue) -> String {
    if queue.troubled > 0.0 {
        format!(", after {} failures since it started", number(queue.troubled))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests;
