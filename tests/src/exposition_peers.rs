//! Builds the Go program that holds Prometheus' and VictoriaMetrics' parsers of exposition text, and talks to it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{go_binaries, paths};

const NAME: &str = "exposition-peers";

/// Builds the program into the cache; what is unchanged is only linked.
///
/// # Errors
///
/// When there is no Go, or it does not compile.
pub fn build() -> Result<PathBuf> {
    let cache = paths::cache();
    // Several tests may build at once, and none may run half a file.
    let unfinished = cache.join(format!("{NAME}.{}", std::process::id()));
    fs::create_dir_all(&unfinished).with_context(|| format!("{} cannot be created", unfinished.display()))?;
    let module = paths::tests("tools").join(NAME);
    go_binaries::compile_packages(&module, "", &unfinished, &["."], "the exposition reader's peers")?;
    let program = cache.join(NAME);
    fs::rename(unfinished.join(NAME), &program)
        .with_context(|| format!("{} cannot be moved into place", program.display()))?;
    fs::remove_dir(&unfinished)?;
    Ok(program)
}

/// Starts the program with both ends of a pipe. It logs to stderr only what no one has to read.
///
/// # Errors
///
/// When it cannot be started.
pub fn start(program: &Path, arguments: &[&str]) -> Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// Sends all of the input and hands out the output's lines as they come.
///
/// # Errors
///
/// When it cannot be started, fails, or does not read all of its input; and when `on_line` does.
pub fn lines(
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
