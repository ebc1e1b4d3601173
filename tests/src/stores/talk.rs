//! The process that holds a region's stores, and the lines that are said to it and by it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::daemon::NEW_NAMESPACES;
use crate::network::STORES_DOMAIN;
use crate::processes::only_child;
use crate::{go_binaries, paths, python, steps};

/// How long the stores may take to write down what they have in memory.
const PATIENCE: Duration = Duration::from_secs(40);

/// `tests/stores/region.py` in namespaces of its own, which end with it; it ends when this is dropped, or with the
/// process that has this.
pub(super) struct Talk {
    child: Mutex<Child>,
    lines: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    /// The first process in there, by its number out here.
    first: u32,
}

impl Talk {
    /// Starts it; returns when every store answers.
    pub(super) fn start(dir: &Path, region: &str) -> Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let log = File::create(dir.join("region.log"))?;
        let binaries = go_binaries::binary("vmauth")?;
        let mut child = Command::new("unshare")
            .args(NEW_NAMESPACES)
            .arg(python::interpreter()?)
            // Nothing is compiled into the workspace.
            .arg("-B")
            .arg(paths::tests("stores/region.py"))
            .arg("--directory")
            .arg(dir)
            .arg("--binaries")
            .arg(binaries.parent().context("a cached binary lies in a folder")?)
            .args(["--region", region, "--domain", STORES_DOMAIN])
            .current_dir("/")
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .env_remove("ALL_PROXY")
            .env_remove("all_proxy")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("`unshare` cannot be started")?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, mut output) = input.zip(output.map(BufReader::new)).context("it has no pipes")?;
        let said = answer(&mut output);
        let mut talk = Self {
            first: 0,
            child: Mutex::new(child),
            lines: Mutex::new(Some((input, output))),
        };
        said.with_context(|| format!("the stores did not come up; see {}", dir.join("region.log").display()))?;
        let id = talk.child.get_mut().unwrap_or_else(PoisonError::into_inner).id();
        talk.first = only_child(id)?.context("unshare has no child")?;
        Ok(talk)
    }

    /// Says one command; the value that it is answered with.
    pub(super) fn ask(&self, command: &Value) -> Result<Value> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = lines.as_mut().context("the stores have ended")?;
        writeln!(input, "{command}")
            .and_then(|()| input.flush())
            .with_context(|| format!("the stores have ended; {command} was not said"))?;
        answer(output).with_context(|| format!("the stores were told {command}"))
    }

    /// Their network namespace.
    pub(super) fn network(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.first))
    }
}

fn answer(output: &mut impl BufRead) -> Result<Value> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        bail!("the stores have ended");
    }
    let mut answer: Value = serde_json::from_str(&line).with_context(|| format!("`{}` is no answer", line.trim()))?;
    if let Some(error) = answer["error"].as_str() {
        bail!("{error}");
    }
    Ok(answer["value"].take())
}

impl Drop for Talk {
    fn drop(&mut self) {
        // The end of its standard input is its end.
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = steps::until("the end of the stores", PATIENCE, || {
            Ok(match child.try_wait()? {
                Some(_) => Ok(()),
                None => Err("they are still there".to_owned()),
            })
        });
        if let Err(error) = ended {
            steps::say(format_args!("{error:#}; they are killed"));
            // What is in its namespaces goes with it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
