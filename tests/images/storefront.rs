//! The sample workload: uses a few milliseconds of CPU each second, because metrics-server leaves out a pod whose
//! cumulative CPU time is zero.

use std::hint::black_box;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() {
    loop {
        let start = Instant::now();
        let mut sum = 0_u64;
        while start.elapsed() < Duration::from_millis(4) {
            sum = black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        sleep(Duration::from_secs(1));
    }
}
