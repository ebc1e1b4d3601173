//! Clocks that differ, pages that were left behind, processes that start anew.

use super::*;
use crate::contract::Contract;
use crate::evidence::MetricsSample;
use rstest::rstest;

fn page(program: Program, value: f64, read_ms: i64) -> Metrics {
    let name = match program {
        Program::FluentBit => fluent_bit::UPTIME,
        Program::Vmagent => vmagent::UPTIME,
        Program::Alloy => alloy::STARTED,
    };
    let sample = MetricsSample {
        name: name.to_owned(),
        labels: std::collections::BTreeMap::new(),
        value,
    };
    Metrics {
        read_ms,
        samples: vec![sample],
    }
}

/// An hour after the container's start.
fn now() -> Timestamp {
    "2026-11-22T15:00:00Z".parse().unwrap()
}

fn started() -> Timestamp {
    now() - SignedDuration::from_hours(1)
}

#[rstest]
#[case::of_its_start(3_600.0, true)]
#[case::a_little_after(3_592.0, true)]
#[case::a_clock_before_the_other(3_610.0, true)]
#[case::a_clock_far_before_the_other(3_660.0, false)]
#[case::a_page_of_the_first_minute(35.0, false)]
#[case::one_that_was_left_behind(3_589.0, false)]
#[case::nonsense(f64::NAN, false)]
fn a_page_agrees_with_its_container_s_start(#[case] uptime: f64, #[case] expected: bool) {
    let thresholds = Contract::embedded().unwrap().thresholds;
    for program in [Program::FluentBit, Program::Vmagent] {
        let page = page(program, uptime, 0);
        let told = |started, now| agrees(program, &page, started, now, &thresholds);
        assert_eq!(told(Some(started()), Some(now())), expected, "{program:?}");
        assert!(!told(None, Some(now())) && !told(Some(started()), None));
    }
}

#[test]
fn alloy_s_start_is_compared_with_the_container_s_whatever_the_api_server_s_clock_says() {
    let thresholds = Contract::embedded().unwrap().thresholds;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let told = |later: i64| {
        let page = page(Program::Alloy, (started().as_second() + later) as f64, 0);
        agrees(Program::Alloy, &page, Some(started()), None, &thresholds)
    };
    assert!(told(0) && told(9) && !told(11) && !told(-11));
}

/// Ten seconds later, of a page that agreed or did not.
#[rstest]
#[case::it_moves(35.0, 45.0, 10_000, false, Standing::Lives)]
#[case::slowly_answered(35.0, 40.0, 10_000, false, Standing::Lives)]
#[case::too_little(35.0, 39.0, 10_000, false, Standing::Still)]
#[case::not_at_all(35.0, 35.0, 10_000, false, Standing::Still)]
#[case::not_at_all_though_it_agreed(3_600.0, 3_600.0, 10_000, true, Standing::Still)]
#[case::started_anew(3_600.0, 3.0, 10_000, false, Standing::Untold)]
#[case::too_soon(35.0, 35.0, 4_000, false, Standing::Untold)]
#[case::too_soon_and_it_agreed(3_600.0, 3_600.0, 4_000, true, Standing::Lives)]
fn what_stands_still_does_not_grow(
    #[case] before: f64,
    #[case] after: f64,
    #[case] later_ms: i64,
    #[case] agrees: bool,
    #[case] expected: Standing,
) {
    let thresholds = Contract::embedded().unwrap().thresholds;
    let (first, again) = (
        page(Program::FluentBit, before, 100),
        page(Program::FluentBit, after, 100 + later_ms),
    );
    assert_eq!(
        standing(Program::FluentBit, &first, Some(&again), agrees, &thresholds),
        expected
    );
}

#[test]
fn one_reading_tells_only_of_a_page_that_agrees() {
    let thresholds = Contract::embedded().unwrap().thresholds;
    for program in Program::ALL {
        let page = page(program, 35.0, 0);
        assert_eq!(standing(program, &page, None, true, &thresholds), Standing::Lives);
        assert_eq!(standing(program, &page, None, false, &thresholds), Standing::Untold);
    }
}

#[test]
fn another_process_is_told_by_its_start() {
    let told = |program, before, after| restarted(program, &page(program, before, 0), &page(program, after, 1));
    assert!(told(Program::FluentBit, 50.0, 3.0) && !told(Program::FluentBit, 50.0, 50.0));
    assert!(told(Program::Vmagent, 50.0, 3.0) && !told(Program::Vmagent, 50.0, 60.0));
    assert!(told(Program::Alloy, 1.7e9, 1.7e9 + 60.0) && !told(Program::Alloy, 1.7e9, 1.7e9));
}

#[rstest]
#[case(12.9, Some(12))]
#[case(-1.5, Some(-1))]
#[case(999_999_999_999.0, Some(999_999_999_999))]
#[case(1e12, None)]
#[case(f64::INFINITY, None)]
#[case(f64::NEG_INFINITY, None)]
#[case(f64::NAN, None)]
fn a_value_has_a_whole_part_within_the_bounds(#[case] value: f64, #[case] expected: Option<i64>) {
    assert_eq!(whole(value), expected);
}
