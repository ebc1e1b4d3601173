//! What can be left of a cluster that was taken down or killed, and its removal.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::daemon::{is_running, lock_file};
use crate::inside::MARK;
use crate::paths::State;
use crate::{cgroups, steps};

/// Removes processes and cgroups of a cluster whose keeper is gone. Mounts and network namespaces went with the last
/// process that held them.
pub(crate) fn remove(state: &State) -> Result<()> {
    for pid in processes(state) {
        kill_process(pid)?;
    }
    cgroups::remove(&state.cgroup())
}

/// Every process that carries the cluster's mark: those in its namespaces but for the containers', and those that
/// `exec` started.
pub(crate) fn processes(state: &State) -> Vec<i32> {
    let mark = format!("{MARK}={}", state.dir.display());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == mark.as_bytes())
            })
        })
        .filter(|pid| u32::try_from(*pid).is_ok_and(|pid| pid != std::process::id()))
        .collect()
}

/// Takes the cluster down, whatever state it is in, and keeps nothing but its logs. Says whether it ran.
pub(crate) fn down(state: &State) -> Result<bool> {
    if !state.dir.exists() {
        cgroups::remove(&state.cgroup())?;
        return Ok(false);
    }
    let running = is_running(state)?;
    if running {
        let first = pid(state, "init.pid").context("the cluster is just starting: try again in a second")?;
        kill_process(first)?;
    }
    // Also of a keeper that was killed: its janitor must not meet the next keeper.
    for role in ["keeper.pid", "janitor.pid"] {
        wait_for_end(state, role)?;
    }
    let lock = lock_file(state)?;
    lock.lock().context("the cluster's lock cannot be taken")?;
    remove(state)?;
    let entries = fs::read_dir(&state.dir).with_context(|| format!("{} cannot be read", state.dir.display()))?;
    for entry in entries.flatten().filter(|entry| entry.file_name() != "log") {
        let path = entry.path();
        let removal = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removal.with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(running)
}

pub(crate) fn pid(state: &State, file: &str) -> Option<i32> {
    fs::read_to_string(state.path(file)).ok()?.trim().parse().ok()
}

pub(crate) fn kill_process(pid: i32) -> Result<()> {
    match kill(Pid::from_raw(pid), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("process {pid} cannot be killed")),
    }
}

fn wait_for_end(state: &State, role: &str) -> Result<()> {
    steps::until(
        &format!("the end of the process in {role}"),
        Duration::from_secs(30),
        || {
            let Some(pid) = pid(state, role) else { return Ok(Ok(())) };
            // A zombie has an empty command line, and a stranger that got the number another one.
            let line = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            Ok(if line.contains(role.trim_end_matches(".pid")) {
                Err(format!("process {pid} lives"))
            } else {
                Ok(())
            })
        },
    )
}
