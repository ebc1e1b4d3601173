//! The agent's own shell, lifecycle and HTTP registrar against a Starbase that fails in every way, under paused time.
//!
//! Each seed is one cluster with two replicas for some forty minutes of faults and as long as it then takes to recover.
//! A seed gives the same trace each time. `SHUTTLE_SEED=17` runs that one and prints its trace, `SHUTTLE_SEEDS=5000` as
//! many as that.

#![allow(clippy::unchecked_time_subtraction, reason = "of simulated time, which only goes on")]

mod fault;
mod feed;
mod logs;
mod replica;
mod script;
mod starbase;
mod verification;
mod world;

use self::fault::Fault;
use self::script::{Outcome, fence, simulate};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SEEDS: u64 = 300;
const FAULTS: u64 = 10_000;

/// What all seeds came to.
#[derive(Default)]
struct Total {
    faults: BTreeMap<&'static str, u64>,
    simulated: Duration,
    requests: u64,
    most_in_ten_seconds: usize,
    slowest_recovery: Duration,
    failures: Vec<String>,
    /// Of the threads that simulated: other tests run in this process too.
    processor_time: Duration,
}

#[test]
fn faults_of_every_class_end_with_one_active_leader() {
    let alone = variable("SHUTTLE_SEED");
    let seeds = variable("SHUTTLE_SEEDS").unwrap_or(SEEDS);
    let total = match alone {
        Some(seed) => {
            let mut total = Total::default();
            let before = processor_time();
            let outcome = simulate(seed);
            total.processor_time = processor_time().saturating_sub(before);
            say(&outcome.trace.join("\n"));
            total.add(seed, &outcome);
            total
        }
        None => all(seeds),
    };
    total.say(seeds);
    assert!(total.failures.is_empty(), "{}", total.failures.join("\n"));
    if alone.is_some() {
        return;
    }
    for class in Fault::classes() {
        assert!(
            total.faults.get(class).is_some_and(|count| *count > 0),
            "{class} did not happen"
        );
    }
    assert!(
        seeds < SEEDS || total.injected() >= FAULTS,
        "only {} faults",
        total.injected()
    );
}

#[test]
fn a_seed_gives_the_same_trace_each_time_and_another_one_another() {
    for seed in [1, 2, 3] {
        let (first, second) = (simulate(seed), simulate(seed));
        assert_eq!(difference(&first.trace, &second.trace), None, "seed {seed}");
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert_ne!(first.digest, simulate(seed + 100).digest);
    }
}

#[test]
fn of_two_leaders_the_stale_one_stops_within_one_heartbeat() {
    for seed in 0..50 {
        let (stopped, interval) = fence(seed);
        assert!(
            stopped <= interval * 6 / 5 + Duration::from_secs(2),
            "seed {seed}: {stopped:?} of {interval:?}"
        );
    }
}

/// As many threads as there are processors; each seed has a runtime and a clock of its own.
fn all(seeds: u64) -> Total {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Total::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let outcome = simulate(seed);
                    total.lock().unwrap().add(seed, &outcome);
                }
                total.lock().unwrap().processor_time += processor_time();
            });
        }
    });
    total.into_inner().unwrap()
}

/// The first line in which two traces differ, with the one before it.
fn difference(first: &[String], second: &[String]) -> Option<String> {
    let lines = first.len().max(second.len());
    let at = (0..lines).find(|line| first.get(*line) != second.get(*line))?;
    let line = |trace: &[String], at: usize| trace.get(at).map_or("(the trace ends)", String::as_str).to_owned();
    let before = at
        .checked_sub(1)
        .map_or("(the trace begins)".to_owned(), |before| line(first, before));
    Some(format!(
        "line {} of {lines}, after\n  {before}\nfirst\n  {}\nthen\n  {}",
        at + 1,
        line(first, at),
        line(second, at)
    ))
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Of this thread so far.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

// === impl Total ===

impl Total {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        for (class, count) in &outcome.faults {
            *self.faults.entry(class).or_default() += count;
        }
        self.simulated += outcome.simulated;
        self.requests += outcome.requests;
        self.most_in_ten_seconds = self.most_in_ten_seconds.max(outcome.most_in_ten_seconds);
        self.slowest_recovery = self.slowest_recovery.max(outcome.recovery);
        let again = format!("run it again with SHUTTLE_SEED={seed}");
        self.failures.extend(
            outcome
                .violations
                .iter()
                .map(|what| format!("seed {seed}: {what} ({again})")),
        );
    }

    /// How many faults there were, without the connections that a Starbase refused that was down.
    fn injected(&self) -> u64 {
        let down = self.faults.get(fault::World::Down.class());
        self.faults.values().sum::<u64>() - down.copied().unwrap_or_default()
    }

    fn say(&self, seeds: u64) {
        let years = self.simulated.as_secs_f64() / (365.25 * 86_400.0);
        let (faults, refused) = (self.injected(), self.faults.values().sum::<u64>() - self.injected());
        say(&format!(
            "{seeds} seeds, {faults} faults and {refused} refused connections, {} requests, at most {} of one agent in ten seconds; slowest recovery {:?}; \
             {years:.3} cluster-years in {:.1} s of processor time, {:.2} a minute",
            self.requests,
            self.most_in_ten_seconds,
            self.slowest_recovery,
            self.processor_time.as_secs_f64(),
            years / (self.processor_time.as_secs_f64() / 60.0),
        ));
        for (class, count) in &self.faults {
            say(&format!("  {count:>7} {class}"));
        }
    }
}
