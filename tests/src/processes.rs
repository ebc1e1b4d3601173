//! A group of long-running processes of which none may end: the control plane's and each node's.

use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::paths::State;

struct Member {
    pid: Pid,
    name: String,
    log: PathBuf,
    command: Command,
}

/// Ends as a whole: when one member ends, the process that holds the group ends too, and with it the cluster.
#[derive(Default)]
pub(crate) struct Group {
    members: Vec<Member>,
}

impl Group {
    /// Starts a member with its output in the log of that name.
    pub(crate) fn start(&mut self, state: &State, name: &str, mut command: Command) -> Result<u32> {
        let log = state.log(name);
        let pid = spawn(&mut command, &log).with_context(|| format!("{name} cannot be started"))?;
        self.members.push(Member {
            pid,
            name: name.to_owned(),
            log,
            command,
        });
        Ok(u32::try_from(pid.as_raw())?)
    }

    /// An error if a member has ended.
    pub(crate) fn check(&self) -> Result<()> {
        for member in &self.members {
            match waitpid(member.pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::StillAlive => {}
                status => return Err(loss(member, status)),
            }
        }
        Ok(())
    }

    /// Waits until a member ends, reaping orphans meanwhile, and says which it was. A member whose end was asked for
    /// with `restart_wanted` starts again instead.
    pub(crate) fn wait(&mut self, state: &State) -> Result<()> {
        loop {
            let status = waitpid(None, None)?;
            let Some(pid) = status.pid() else { continue };
            let Some(member) = self.members.iter_mut().find(|member| member.pid == pid) else {
                continue;
            };
            if fs::remove_file(restart_wanted(state, &member.name)).is_err() {
                return Err(loss(member, status));
            }
            member.pid = spawn(&mut member.command, &member.log)?;
        }
    }
}

/// The file whose presence says that a member which ends is to start again.
pub(crate) fn restart_wanted(state: &State, name: &str) -> PathBuf {
    state.path(&format!("{name}.restart"))
}

fn spawn(command: &mut Command, log: &Path) -> Result<Pid> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("{} cannot be opened", log.display()))?;
    let child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn();
    let child = child.with_context(|| format!("`{}` cannot be started", command.get_program().display()))?;
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

fn loss(member: &Member, status: WaitStatus) -> anyhow::Error {
    let end = match status {
        WaitStatus::Exited(_, code) => ExitStatus::from_raw(code << 8).to_string(),
        WaitStatus::Signaled(_, signal, _) => format!("signal {signal}"),
        other => format!("{other:?}"),
    };
    let log = fs::read(&member.log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n    ");
    anyhow!(
        "{} ended ({end}); the last lines of {}:\n    {last}",
        member.name,
        member.log.display()
    )
}

/// The one child of a process, as `unshare --fork` has it.
pub(crate) fn only_child(pid: u32) -> Result<Option<u32>> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let children: Vec<_> = text.split_whitespace().collect();
    match children.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.parse()?)),
        several => bail!("{path}: expected one child, found {}", several.len()),
    }
}
