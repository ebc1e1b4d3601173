//! What the testbed says while it works: one line per step, with the seconds it took, on standard error.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Writes one line. A closed standard error is no reason to give up on a cluster.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

thread_local! {
    /// The cluster that this thread's steps are about, where it works on one of several.
    static WHOSE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on this thread's steps say which cluster they are about.
pub(crate) fn of(cluster: &str) {
    WHOSE.with_borrow_mut(|whose| *whose = format!("[{cluster}] "));
}

/// Announces a step that takes long enough to make a reader wonder.
pub(crate) fn announce(what: impl Display) {
    say(format_args!("          {what} …"));
}

/// One finished step.
pub(crate) fn done(what: impl Display, took: Duration) {
    let whose = WHOSE.with_borrow(Clone::clone);
    say(format_args!("{:>7.1} s  {whose}{what}", took.as_secs_f64()));
}

/// Runs a step and says how long it took; a failed step says nothing, its error does.
pub(crate) fn step<T>(what: impl Display, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = work()?;
    done(what, start.elapsed());
    Ok(value)
}

/// Asks until the answer is `Ok(Some)`, or fails with the last reason once the time is up.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let reason = match ask()? {
            Ok(value) => return Ok(value),
            Err(reason) => reason,
        };
        if start.elapsed() > limit {
            anyhow::bail!("{what}: not so after {} s; last seen: {reason}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
