//! What readings of a queue come to.

use super::*;
use crate::contract::Contract;
use rstest::rstest;

const START: SignedDuration = SignedDuration::from_mins(5);

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
        behind: None,
        filled: None,
        may_be_quiet: true,
    }
}

/// As of vmagent that scrapes every 30 s, or as of Fluent Bit, `apart` seconds after each other.
fn told_of(program: Program, apart: i64, first: Queue, again: Option<Queue>, uptime: Option<SignedDuration>) -> String {
    let readings = Readings { first, again };
    let thresholds = Contract::embedded().unwrap().thresholds;
    let seconds = SignedDuration::from_secs;
    let (rhythm, longest) = match program {
        Program::FluentBit => (seconds(10), seconds(70)),
        Program::Vmagent | Program::Alloy => (seconds(40), seconds(40)),
    };
    let context = Context {
        program,
        uptime,
        window: Window {
            apart: seconds(apart),
            rhythm,
            longest,
        },
        thresholds: &thresholds,
    };
    match readings.delivery("pod-0", context) {
        Delivery::Delivers => "delivers".to_owned(),
        Delivery::Idle => "idle".to_owned(),
        Delivery::Young => "young".to_owned(),
        Delivery::Late(why) => format!("late: {why}"),
        Delivery::Stuck(why) => format!("stuck: {why}"),
        Delivery::Still(why) => format!("still: {why}"),
        Delivery::Unclear(why) => format!("unclear: {why}"),
        Delivery::Unseen(_) => "unseen".to_owned(),
    }
}

fn told(first: Queue, again: Option<Queue>, uptime: Option<SignedDuration>) -> String {
    told_of(Program::FluentBit, 10, first, again, uptime)
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
#[case::started_just_so_long_ago([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], Some(START), "stuck: pod-0 has delivered nothing in the 5m since it started")]
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

/// Of what is scraped some has come in within its own rhythm, and was sent.
#[rstest]
#[case::too_soon(
    30,
    11.0,
    "unclear: pod-0 delivered nothing within 30s, and nothing was refused; a window of 40s did not fit"
)]
#[case::it_takes_in(40, 11.0, "stuck: pod-0 takes in and delivered nothing within 40s")]
#[case::nothing_came_in(40, 10.0, "unclear: pod-0 delivered nothing within 40s, and nothing was refused")]
fn its_own_rhythm_tells(#[case] apart: i64, #[case] taken_in: f64, #[case] says: &str) {
    let mut first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 0.0]);
    first.may_be_quiet = false;
    let mut again = first.clone();
    again.taken_in = taken_in;
    assert_eq!(told_of(Program::Vmagent, apart, first, Some(again), HOUR), says);
}

/// Chunks wait for their next try, which comes within a minute; or their output hangs.
#[rstest]
#[case::it_may_wait(
    10,
    10.0,
    None,
    "unclear: pod-0 delivered nothing within 10s, and nothing was refused; a window of 1m 10s did not fit"
)]
#[case::it_waited_too_long(
    70,
    10.0,
    None,
    "stuck: pod-0 delivered nothing within 1m 10s, and more than that waits"
)]
#[case::more_comes_in(10, 11.0, None, "stuck: pod-0 takes in and delivered nothing within 10s")]
#[case::it_fills(
    10,
    10.0,
    Some(0.35),
    "stuck: pod-0 delivered nothing within 10s, and more than that waits, and what waits fills 35 % of its space"
)]
fn what_waits(#[case] apart: i64, #[case] taken_in: f64, #[case] filled: Option<f64>, #[case] says: &str) {
    let mut first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 1.0]);
    first.filled = filled;
    let mut again = first.clone();
    again.taken_in = taken_in;
    assert_eq!(told_of(Program::FluentBit, apart, first, Some(again), HOUR), says);
}

/// What waits is judged by its age, whether it moves or not.
#[rstest]
#[case::on_time(299.0, 20.0, "delivers")]
#[case::late(300.0, 20.0, "late: what pod-0 delivers is 5m behind what it takes in")]
#[case::too_late(
    3_600.0,
    20.0,
    "stuck: what pod-0 delivers is 1h behind what it takes in: what is older than its log is lost when that is cut"
)]
#[case::late_and_it_does_not_move(
    1_796.0,
    10.0,
    "late: what pod-0 delivers is 29m 56s behind what it takes in, and it delivered nothing within 40s"
)]
fn what_is_behind(#[case] behind: f64, #[case] delivered: f64, #[case] says: &str) {
    let mut first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 5.0]);
    first.behind = Some(behind);
    first.may_be_quiet = false;
    let mut again = first.clone();
    (again.delivered, again.completed) = (delivered, delivered);
    assert_eq!(
        told_of(Program::Alloy, 40, first.clone(), Some(again.clone()), HOUR),
        says
    );
    if delivered > 10.0 {
        again.taken_in = 30.0;
        assert_eq!(told_of(Program::Alloy, 40, first, Some(again), HOUR), says);
    }
}

/// An agent that has just begun compares with a second ago.
#[rstest]
#[case::refused([10.0, 10.0, 11.0, 2.0, 0.0, 1.0])]
#[case::more_comes_in_and_waits([10.0, 10.0, 11.0, 0.0, 0.0, 1.0])]
#[case::quiet([10.0, 10.0, 10.0, 0.0, 0.0, 0.0])]
fn within_a_second_nothing_is_told_but_that_it_moves(#[case] again: [f64; 6]) {
    let first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 1.0]);
    let later = |again: Queue| told_of(Program::FluentBit, 1, first.clone(), Some(again), HOUR);
    assert_eq!(
        later(queue(again)),
        "unclear: pod-0 delivered nothing within 1s; a window of 10s did not fit"
    );
    assert_eq!(later(queue([11.0, 11.0, 11.0, 0.0, 0.0, 1.0])), "delivers");
}

#[test]
fn what_is_behind_and_comes_in_and_is_not_delivered_is_stuck() {
    let mut first = queue([10.0, 10.0, 10.0, 0.0, 0.0, 5.0]);
    first.behind = Some(100.0);
    let mut again = first.clone();
    (again.taken_in, again.behind) = (20.0, Some(140.0));
    let told = told_of(Program::Alloy, 40, first, Some(again), HOUR);
    assert_eq!(told, "stuck: pod-0 takes in and delivered nothing within 40s");
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
