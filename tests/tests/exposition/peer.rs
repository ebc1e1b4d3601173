//! Builds the Go program that holds Prometheus' and VictoriaMetrics' parsers, and talks to it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Builds the program into the cache. `None` if there is no Go to build it with.
pub(crate) fn build() -> Result<Option<PathBuf>> {
    if Command::new("go")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        return Ok(None);
    }
    let cache = cache()?;
    std::fs::create_dir_all(&cache)?;
    let program = cache.join("exposition-peers");
    // Several tests may build at once, and none may run half a file.
    let unfinished = cache.join(format!("exposition-peers.{}", std::process::id()));
    let status = Command::new("go")
        .args(["build", "-trimpath", "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/exposition-peers"))
        .env("CGO_ENABLED", "0")
        .status()?;
    ensure!(status.success(), "go build of tests/tools/exposition-peers failed");
    std::fs::rename(&unfinished, &program)?;
    Ok(Some(program))
}

/// Starts the program with both ends of a pipe. It logs to stderr only what no one has to read.
pub(crate) fn start(program: &Path, arguments: &[&str]) -> Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// Sends all of the input and hands out the output's lines as they come.
#[allow(
    dead_code,
    reason = "the benchmark of the peers includes this file and has no use for it"
)]
pub(crate) fn lines(
    program: &Path,
    argument: &str,
    input: Vec<u8>,
    mut on_line: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut child = start(program, &[argument])?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("no pipes");
    };
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    for line in BufReader::new(stdout).lines() {
        on_line(&line?)?;
    }
    ensure!(child.wait()?.success(), "the oracle failed");
    ensure!(
        writer.join().is_ok_and(|written| written.is_ok()),
        "the oracle did not read all of its input"
    );
    Ok(())
}

/// `$TESTBED_CACHE`, or `testbed/cache` in the target directory that this program was built into.
fn cache() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("TESTBED_CACHE") {
        return Ok(cache.into());
    }
    let own = env::current_exe()?;
    let target = own.ancestors().nth(3).context("not in a target directory")?;
    Ok(target.join("testbed/cache"))
}
