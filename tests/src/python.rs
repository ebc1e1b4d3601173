//! A Python environment for what the stores have from PyPI: the engine of `ClickHouse` and Vector's runtime of VRL, of the
//! versions that the checks of manifests/region pin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, steps};

/// Makes it where there is none, or one of other versions.
pub(crate) fn build(cache: &Path) -> Result<()> {
    let requirements = paths::tests("region/requirements.txt");
    let text =
        fs::read_to_string(&requirements).with_context(|| format!("{} cannot be read", requirements.display()))?;
    let folder = cache.join("python");
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == text) {
        return Ok(());
    }
    steps::announce("installing the engine of the stores (900 MB; about 40 s)");
    steps::step("Python environment made", || {
        // In its place at once, for it cannot be moved; the stamp comes last.
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(folder.join("bin/pip")).args(install).arg(&requirements))?;
        fs::write(&stamp, &text).with_context(|| format!("{} cannot be written", stamp.display()))
    })
}

/// Its interpreter.
pub(crate) fn interpreter() -> Result<PathBuf> {
    let cache = paths::cache();
    let program = cache.join("python/bin/python");
    if !program.exists() {
        bail!(
            "the cache {} holds no Python environment: run `cargo run -p testbed -- build`",
            cache.display()
        );
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<()> {
    let tried = format!("{command:?}");
    let output = command
        .output()
        .with_context(|| format!("{tried} cannot be started: run tests/setup"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{tried} failed ({}): {}; run tests/setup first",
            output.status,
            said.trim()
        );
    }
    Ok(())
}
