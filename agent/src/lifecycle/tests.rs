//! Every pair of phase and input, and what holds after any sequence of them.

mod machine;
mod properties;
mod walk;

use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn broken() -> Broken {
    Broken::of("SF304", StepId::Three, "no row")
}

fn granted(generation: u64) -> Granted {
    Granted {
        generation,
        interval: seconds(30),
    }
}

fn setback(kind: SetbackKind) -> Setback {
    Setback {
        kind,
        message: format!("{kind:?}"),
    }
}

#[test]
fn waits_stay_within_their_bounds_and_use_them() {
    let mut random = fastrand::Rng::with_seed(1);
    let heartbeat = pace::heartbeat(seconds(60));
    assert_eq!((heartbeat.least, heartbeat.most), (seconds(48), seconds(72)));
    let drawn: Vec<Duration> = (0..1000).map(|_| heartbeat.draw(&mut random)).collect();
    assert!(
        drawn
            .iter()
            .all(|length| (heartbeat.least..=heartbeat.most).contains(length))
    );
    assert!(drawn.iter().any(|length| *length < seconds(49)) && drawn.iter().any(|length| *length > seconds(71)));
    assert_eq!(Wait::exactly(seconds(3)).draw(&mut random), seconds(3));
}

#[test]
fn a_backoff_doubles_up_to_two_minutes_for_any_number_of_setbacks() {
    let longest: Vec<u64> = (1..=8).map(|streak| pace::backoff(streak).most.as_secs()).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 64, 120, 120]);
    assert_eq!(pace::backoff(u32::MAX).most, seconds(120));
    assert_eq!(pace::backoff(0).most, seconds(2));
}

#[test]
fn starbase_cannot_make_the_agent_spin_nor_sleep_for_ever() {
    assert_eq!(pace::interval(Duration::ZERO), seconds(5));
    assert_eq!(pace::interval(Duration::MAX), seconds(3600));
    assert_eq!(pace::retry_after(Duration::MAX), seconds(3600));
}
