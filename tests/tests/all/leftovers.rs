//! However a cluster ends, nothing of it stays: no process, network namespace, mount or cgroup.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::Scratch;

fn kill_hard(pid: i32) {
    // Gone already: an earlier kill took it along.
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

fn assert_gone(scratch: &Scratch, after: &str) {
    let start = Instant::now();
    loop {
        let traces = scratch.traces();
        if traces.is_empty() {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "after {after}: {traces:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// One test, because each part needs a cluster of its own and two at once would only be slower.
#[test]
#[ignore = "needs a cluster: tests/run"]
fn nothing_stays_however_a_cluster_ends() {
    let _leave = testbed::leave();
    let scratch = Scratch::up("scratch").unwrap();
    assert!(scratch.processes().len() > 10, "{:?}", scratch.processes());
    assert!(scratch.traces().iter().any(|trace| trace.starts_with("cgroup")));
    scratch.down().unwrap();
    // At once, not after a while: whoever types `down` may look.
    assert_eq!(scratch.traces(), Vec::<String>::new());

    let scratch = Scratch::up("scratch").unwrap();
    kill_hard(scratch.outside("keeper").unwrap());
    assert_gone(&scratch, "the keeper was killed");

    let scratch = Scratch::up("scratch").unwrap();
    kill_hard(scratch.process("etcd").unwrap());
    assert_gone(&scratch, "etcd was killed");

    let scratch = Scratch::up("scratch").unwrap();
    let janitor = scratch.outside("janitor").unwrap();
    scratch
        .processes()
        .into_iter()
        .filter(|pid| *pid != janitor)
        .for_each(kill_hard);
    assert_gone(&scratch, "everything but the janitor was killed");

    // With the janitor too nobody is left to remove cgroups: the next command does, the kernel all else.
    let scratch = Scratch::up("scratch").unwrap();
    let keeper = scratch.outside("keeper").unwrap();
    kill_hard(scratch.outside("janitor").unwrap());
    kill_hard(keeper);
    scratch.processes().into_iter().for_each(kill_hard);
    scratch.down().unwrap();
    assert_eq!(scratch.traces(), Vec::<String>::new());
}
