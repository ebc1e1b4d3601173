//! The sample workload: uses a few milliseconds of CPU each second, because metrics-server leaves out a pod whose
//! cumulative CPU time is zero. With a word as its argument it logs that word and a number, five times a second.

use std::env;
use std::hint::black_box;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() {
    let word = env::args().nth(1);
    let mut line = 0_u64;
    loop {
        let start = Instant::now();
        let mut sum = 0_u64;
        while start.elapsed() < Duration::from_millis(4) {
            sum = black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let Some(word) = &word else {
            sleep(Duration::from_secs(1));
            continue;
        };
        for _ in 0..5 {
            line += 1;
            println!("{word} {line}");
            sleep(Duration::from_millis(200));
        }
    }
}
