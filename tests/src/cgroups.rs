//! The cluster's cgroups. cgroups have no namespace of ours, so unlike all else they outlive a killed cluster and must
//! be removed by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const ROOT: &str = "/sys/fs/cgroup";

/// Every hierarchy that is mounted: several with cgroup v1, one with v2.
fn hierarchies() -> Vec<PathBuf> {
    if Path::new(ROOT).join("cgroup.controllers").exists() {
        return vec![ROOT.into()];
    }
    let entries = fs::read_dir(ROOT).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Creates the cgroup that a kubelet takes for its root; two kubelets with one root would fight over /kubepods.
pub(crate) fn create(cgroup: &str) -> Result<()> {
    for hierarchy in hierarchies() {
        let mut path = hierarchy;
        for part in cgroup.split('/') {
            let parent = path.clone();
            path.push(part);
            if let Err(error) = fs::create_dir(&path)
                && error.kind() != std::io::ErrorKind::AlreadyExists
            {
                return Err(error).with_context(|| format!("{} cannot be created", path.display()));
            }
            // A new v1 cpuset is empty and takes no process before it is filled in.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if path.join(file).exists() && parent.join(file).exists() {
                    fs::write(path.join(file), fs::read(parent.join(file))?)
                        .with_context(|| format!("{}/{file} cannot be written", path.display()))?;
                }
            }
        }
    }
    Ok(())
}

/// Every cgroup that exists below that name.
pub(crate) fn existing(cgroup: &str) -> Vec<PathBuf> {
    hierarchies()
        .into_iter()
        .map(|hierarchy| hierarchy.join(cgroup))
        .filter(|path| path.exists())
        .collect()
}

/// Removes them. Their processes may still be dying, so it tries for a while.
pub(crate) fn remove(cgroup: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        let mut refusal = None;
        for path in existing(cgroup) {
            if let Err(error) = remove_tree(&path) {
                refusal = Some(format!("{}: {error}", path.display()));
            }
        }
        match refusal {
            None => return Ok(()),
            Some(refusal) if start.elapsed() > Duration::from_secs(15) => {
                bail!("a cgroup cannot be removed, so a process in it must still live: {refusal}")
            }
            Some(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn remove_tree(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(path)
}
