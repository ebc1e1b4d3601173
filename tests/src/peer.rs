//! A tool of the same field, to measure against in the same run.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::paths::State;
use crate::{go_binaries, inside, paths};

/// Three analyzers of Troubleshoot's preflight, from its start to its end.
pub(crate) fn preflight(state: &State) -> Result<Duration> {
    let program = go_binaries::binary("preflight")?;
    // It leaves a bundle where it runs.
    let folder = state.path("preflight");
    std::fs::create_dir_all(&folder)?;
    let script = format!(
        "cd '{}' && PREFLIGHT_AUTO_UPDATE=0 exec '{}' --interactive=false --format json '{}'",
        folder.display(),
        program.display(),
        paths::tests("peers/preflight.yaml").display()
    );
    let begun = Instant::now();
    let output = inside::output(state, &["sh", "-c", &script])?;
    let took = begun.elapsed();
    std::fs::remove_dir_all(&folder)?;
    if !output.status.success() {
        bail!(
            "preflight ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(took)
}
