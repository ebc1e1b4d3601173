//! What two readings of a queue say of what it delivers.

use super::number;
use crate::evaluate::age::words;
use crate::evidence::Unknown;
use crate::flow::Queue;
use jiff::SignedDuration;

/// How a pod does.
pub(in crate::evaluate) enum Delivery<'a> {
    /// What came in was delivered.
    Delivers,
    /// Nothing came in.
    Idle,
    /// It started a moment ago.
    Young,
    /// It does not deliver, and why that is said.
    Stuck(String),
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

/// How long the process of a pod runs, and until when it may have delivered nothing.
#[derive(Clone, Copy)]
pub(super) struct Age {
    pub(super) uptime: Option<SignedDuration>,
    pub(super) start: SignedDuration,
}

// === impl Readings ===

impl Readings {
    /// How the queue of `pod` does; `window` is what lies between the readings.
    pub(super) fn delivery(&self, pod: &str, age: Age, window: SignedDuration) -> Delivery<'static> {
        let Self { first, again } = self;
        let last = again.as_ref().unwrap_or(first);
        if last.delivered <= 0.0 {
            if last.taken_in <= 0.0 {
                return Delivery::Idle;
            }
            if age.is_young() {
                return Delivery::Young;
            }
            let since = age.uptime.map_or_else(
                || "since it started".to_owned(),
                |uptime| format!("in the {} since it started", words(uptime)),
            );
            return Delivery::Stuck(format!("{pod} has delivered nothing {since}{}", trouble(last)));
        }
        let Some(again) = again else {
            return Delivery::Delivers;
        };
        let more = again.delivered - first.delivered;
        let moved = again.completed > first.completed;
        if moved && more > 0.0 && more > again.lost - first.lost {
            return Delivery::Delivers;
        }
        let within = words(window);
        if again.troubled > first.troubled {
            let times = number(again.troubled - first.troubled);
            return Delivery::Stuck(format!(
                "{pod} was refused {times} times within {within} and delivered nothing"
            ));
        }
        if first.waiting > 0.0 && again.waiting > 0.0 {
            return Delivery::Stuck(format!(
                "{pod} delivered nothing within {within}, and more than that waits"
            ));
        }
        let quiet = again.taken_in <= first.taken_in && again.waiting <= 0.0;
        if quiet && first.may_be_quiet && again.may_be_quiet {
            return Delivery::Delivers;
        }
        Delivery::Unclear(format!(
            "{pod} delivered nothing within {within}, and nothing was refused{}",
            trouble(again)
        ))
    }
}

// === impl Age ===

impl Age {
    /// Whether it may have delivered nothing yet. One that does not say since when it runs may not.
    pub(super) fn is_young(self) -> bool {
        self.uptime.is_some_and(|uptime| uptime < self.start)
    }
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
mod tests {
    use super::*;
    use rstest::rstest;

    const START: SignedDuration = SignedDuration::from_mins(2);

    /// Delivered, left the queue, taken in, troubled, lost, waiting; it may be quiet.
    fn queue([delivered, completed, taken_in, troubled, lost, waiting]: [f64; 6]) -> Queue {
        Queue {
            name: "1".to_owned(),
            delivered,
            completed,
            taken_in,
            troubled,
            lost,
            waiting,
            may_be_quiet: true,
        }
    }

    fn told(first: Queue, again: Option<Queue>, uptime: Option<SignedDuration>) -> String {
        let readings = Readings { first, again };
        let age = Age { uptime, start: START };
        match readings.delivery("pod-0", age, SignedDuration::from_secs(10)) {
            Delivery::Delivers => "delivers".to_owned(),
            Delivery::Idle => "idle".to_owned(),
            Delivery::Young => "young".to_owned(),
            Delivery::Stuck(why) => format!("stuck: {why}"),
            Delivery::Unclear(why) => format!("unclear: {why}"),
            Delivery::Unseen(_) => "unseen".to_owned(),
        }
    }

    const HOUR: Option<SignedDuration> = Some(SignedDuration::from_hours(1));

    #[rstest]
    #[case::delivered([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], HOUR, "delivers")]
    #[case::nothing_came_in([0.0; 6], HOUR, "idle")]
    #[case::nothing_delivered([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], HOUR, "stuck: pod-0 has delivered nothing in the 1h since it started")]
    #[case::refused(
        [0.0, 0.0, 1.0, 3.0, 0.0, 0.0],
        HOUR,
        "stuck: pod-0 has delivered nothing in the 1h since it started, after 3 failures since it started"
    )]
    #[case::since_when_it_does_not_say([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], None, "stuck: pod-0 has delivered nothing since it started")]
    #[case::started_a_moment_ago([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], Some(START - SignedDuration::from_secs(1)), "young")]
    #[case::started_just_so_long_ago([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], Some(START), "stuck: pod-0 has delivered nothing in the 2m since it started")]
    fn one_reading(#[case] first: [f64; 6], #[case] uptime: Option<SignedDuration>, #[case] says: &str) {
        assert_eq!(told(queue(first), None, uptime), says);
    }

    /// One more was taken in within 10 s; the queue had delivered ten.
    #[rstest]
    #[case::one_more([11.0, 11.0, 11.0, 0.0, 0.0, 0.0], "delivers")]
    #[case::none_more([10.0, 10.0, 11.0, 0.0, 0.0, 0.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    #[case::it_left_the_queue_only([10.0, 11.0, 11.0, 0.0, 0.0, 0.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    #[case::it_never_left_the_queue([11.0, 10.0, 11.0, 0.0, 0.0, 0.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    #[case::all_of_it_lost([11.0, 11.0, 11.0, 0.0, 1.0, 0.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    #[case::more_than_was_lost([12.0, 12.0, 12.0, 0.0, 1.0, 0.0], "delivers")]
    #[case::refused([10.0, 10.0, 11.0, 2.0, 0.0, 0.0], "stuck: pod-0 was refused 2 times within 10s and delivered nothing")]
    #[case::one_came_in_and_waits([10.0, 10.0, 11.0, 0.0, 0.0, 1.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    #[case::quiet([10.0, 10.0, 10.0, 0.0, 0.0, 0.0], "delivers")]
    #[case::one_waits([10.0, 10.0, 10.0, 0.0, 0.0, 1.0], "unclear: pod-0 delivered nothing within 10s, and nothing was refused")]
    fn two_readings(#[case] again: [f64; 6], #[case] says: &str) {
        let first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 0.0]);
        assert_eq!(told(first, Some(queue(again)), HOUR), says);
    }

    #[rstest]
    #[case::it_waits_still(1.0, "stuck: pod-0 delivered nothing within 10s, and more than that waits")]
    #[case::it_waits_no_more(
        0.0,
        "unclear: pod-0 delivered nothing within 10s, and nothing was refused, after 2 failures since it started"
    )]
    fn what_waited_before(#[case] waiting: f64, #[case] says: &str) {
        let first = queue([10.0, 10.0, 10.0, 2.0, 0.0, 1.0]);
        let mut again = queue([10.0, 10.0, 11.0, 2.0, 0.0, 0.0]);
        again.waiting = waiting;
        assert_eq!(told(first, Some(again), HOUR), says);
    }

    #[test]
    fn a_count_of_losses_that_went_back_delivers_nothing() {
        let first = queue([10.0, 10.0, 10.0, 0.0, 5.0, 0.0]);
        let again = queue([10.0, 11.0, 11.0, 0.0, 0.0, 0.0]);
        assert!(told(first, Some(again), HOUR).starts_with("unclear: "));
    }

    #[test]
    fn one_that_may_not_be_quiet_is_unclear() {
        for (before, after) in [(false, true), (true, false), (true, true)] {
            let mut first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 0.0]);
            let mut again = queue([10.0, 10.0, 10.0, 0.0, 0.0, 0.0]);
            (first.may_be_quiet, again.may_be_quiet) = (before, after);
            let is_well = told(first, Some(again), HOUR) == "delivers";
            assert_eq!(is_well, before && after);
        }
    }
}
