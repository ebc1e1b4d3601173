//! The two processes that stay outside the cluster's namespaces: the keeper, which holds them, and the janitor, which
//! cleans up when the keeper is killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::inside::MARK;
use crate::leftovers;
use crate::paths::State;
use crate::processes::only_child;
use crate::steps;

const TICK: Duration = Duration::from_millis(100);

/// Whoever holds this lock owns the cluster: its keeper for as long as it lives, else whoever cleans up or starts it.
pub(crate) fn lock_file(state: &State) -> Result<File> {
    let path = state.path("lock");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))
}

/// Whether a keeper lives.
pub(crate) fn is_running(state: &State) -> Result<bool> {
    if !state.path("lock").exists() {
        return Ok(false);
    }
    match lock_file(state)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).context("the cluster's lock cannot be tried"),
    }
}

/// Starts the keeper in a session of its own, so that it outlives the terminal.
pub(crate) fn start_keeper(state: &State, program: &Path, nodes: u8) -> Result<()> {
    let log = File::create(state.log("keeper"))?;
    let mut child = Command::new("setsid")
        .arg(program)
        .args(["--name", &state.name, "keeper", &nodes.to_string()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("`setsid` cannot be started")?;
    // Reaped by a thread: a keeper that ended must not stay as a zombie of a long test run.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// What `unshare` is told, so that what it starts is the first process of namespaces of its own, which end with it.
pub(crate) const NEW_NAMESPACES: [&str; 7] = [
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
];

/// The keeper: puts the control plane into new namespaces and waits for it. When it is killed, the kernel kills the
/// control plane and, as that is the first process of its namespace, everything else in there.
pub(crate) fn keep(state: &State, nodes: u8) -> Result<()> {
    let lock = lock_file(state)?;
    lock.lock().context("the cluster's lock cannot be taken")?;
    fs::write(state.path("keeper.pid"), std::process::id().to_string())?;
    let log = File::create(state.log("control-plane"))?;
    let mut holder = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg("unshare")
        .args(NEW_NAMESPACES)
        .arg(std::env::current_exe()?)
        .args(["--name", &state.name, "control-plane", &nodes.to_string()])
        .env(MARK, &state.dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("`setpriv` cannot be started")?;
    let first = steps::until(
        "the first process of the new namespaces",
        Duration::from_secs(10),
        || Ok(only_child(holder.id())?.ok_or_else(|| "unshare has no child".to_owned())),
    )?;
    fs::write(state.path("init.pid"), first.to_string())?;
    let mut janitor = start_janitor(state)?;
    while holder.try_wait()?.is_none() {
        if janitor.try_wait()?.is_some() {
            janitor = start_janitor(state)?;
        }
        sleep(TICK);
    }
    leftovers::remove(state)
}

/// Through /proc/self/exe, which stays the same program when cargo has linked a new one meanwhile.
fn start_janitor(state: &State) -> Result<Child> {
    let child = Command::new("setsid")
        .arg(format!("/proc/{}/exe", std::process::id()))
        .args(["--name", &state.name, "janitor"])
        .stdin(Stdio::null())
        .spawn()
        .context("the janitor cannot be started")?;
    fs::write(state.path("janitor.pid"), child.id().to_string())?;
    Ok(child)
}

/// The janitor: waits until the keeper is gone, in whichever way, and removes what is left.
pub(crate) fn clean_after(state: &State) -> Result<()> {
    let lock = match OpenOptions::new().append(true).open(state.path("lock")) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("the cluster's lock cannot be opened"),
    };
    lock.lock().context("the cluster's lock cannot be taken")?;
    leftovers::remove(state)
}
