//! What tests on clusters took, for whoever wants to know where the time went.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use crate::steps;

/// Says how long something on a cluster took, and adds it to the file that `TESTBED_TIMES` names, if it does: seconds,
/// cluster, what, with tabs between.
pub(crate) fn tell(cluster: &str, what: &str, took: Duration) {
    steps::done(what, took);
    let Some(file) = std::env::var_os("TESTBED_TIMES") else {
        return;
    };
    let line = format!("{:.1}\t{cluster}\t{what}\n", took.as_secs_f64());
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    // A figure that is not kept is no reason to fail a test.
    if let Err(error) = written {
        steps::say(format_args!("{}: {error}", file.display()));
    }
}
