//! A group of long-running processes of which none may end: the control plane's and each node's.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::paths::State;

struct Member {
    pid: Pid,
    name: String,
    log: PathBuf,
}

/// Ends as a whole: when one member ends, the process that holds the group ends too, and with it the cluster.
#[derive(Default)]
pub(crate) struct Group {
    members: Vec<Member>,
}

impl Group {
    /// Starts a member with its output in the log of that name.
    pub(crate) fn start(&mut self, state: &State, name: &str, command: &mut Command) -> Result<u32> {
        let log = state.log(name);
        let file = File::create(&log).with_context(|| format!("{} cannot be created", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name}: {} cannot be started", command.get_program().display()))?;
        let pid = child.id();
        self.members.push(Member {
            pid: Pid::from_raw(i32::try_from(pid)?),
            name: name.to_owned(),
            log,
        });
        Ok(pid)
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

    /// Waits until a member ends, reaping orphans meanwhile, and says which it was.
    pub(crate) fn wait(&self) -> Result<()> {
        loop {
            let status = waitpid(None, None)?;
            let Some(pid) = status.pid() else { continue };
            if let Some(member) = self.members.iter().find(|member| member.pid == pid) {
                return Err(loss(member, status));
            }
        }
    }
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
