//! A small cluster for the tests that take one down or kill it: control plane and nodes, with the sample workload's
//! pods, without the components.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::paths::{self, State};
use crate::recipes::Needed;
use crate::{args, cgroups, go_binaries, inside, leftovers, shared, up};

/// Goes down with its value.
pub struct Scratch {
    state: State,
    networks: BTreeSet<String>,
}

impl Scratch {
    /// Brings it up, with a pod of the sample workload running on its one node.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub fn up(name: &str) -> Result<Self> {
        let state = State::named(name);
        let _turn = args::turn(&state)?;
        go_binaries::build(Needed::Cluster)?;
        up::bare(&state, &shared::program()?, 1)?;
        let mut scratch = Self {
            state,
            networks: BTreeSet::new(),
        };
        let shop = paths::tests("manifests/shop.yaml");
        let shop = shop.to_str().context("the workspace's path is no UTF-8")?;
        inside::run(&scratch.state, &["kubectl", "apply", "--filename", shop])?;
        let ready = [
            "kubectl",
            "--namespace=shop",
            "rollout",
            "status",
            "deployment/storefront",
            "--timeout=60s",
        ];
        inside::run(&scratch.state, &ready)?;
        let own = network("self");
        scratch.networks = scratch
            .processes()
            .iter()
            .filter_map(|pid| network(&pid.to_string()))
            .collect();
        if let Some(own) = own {
            scratch.networks.remove(&own);
        }
        Ok(scratch)
    }

    /// Every process of it that lives: keeper, janitor, those in its namespaces, those in its containers.
    #[must_use]
    pub fn processes(&self) -> BTreeSet<i32> {
        let mut all: BTreeSet<_> = leftovers::processes(&self.state).into_iter().collect();
        all.extend(["keeper", "janitor"].iter().filter_map(|role| self.outside(role)));
        let mark = format!("/{}/", self.state.cgroup());
        all.extend(everyone().filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|cgroups| cgroups.contains(&mark))
        }));
        all
    }

    /// The process of that role, `keeper` or `janitor`, if it lives.
    #[must_use]
    pub fn outside(&self, role: &str) -> Option<i32> {
        let pid = leftovers::pid(&self.state, &format!("{role}.pid"))?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(role).then_some(pid)
    }

    /// The one process whose command line begins with that program.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn process(&self, program: &str) -> Result<i32> {
        for pid in self.processes() {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
            if String::from_utf8_lossy(first).ends_with(program) {
                return Ok(pid);
            }
        }
        bail!("the cluster `{}` has no process {program}", self.state.name)
    }

    /// Takes it down as `down` does.
    ///
    /// # Errors
    ///
    /// When something of it cannot be removed.
    pub fn down(&self) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        leftovers::down(&self.state).map(drop)
    }

    /// Everything that is left of it on the machine: processes, network namespaces, mounts, cgroups.
    #[must_use]
    pub fn traces(&self) -> Vec<String> {
        let mut traces: Vec<_> = self.processes().iter().map(|pid| format!("process {pid}")).collect();
        let place = self.state.dir.display().to_string();
        for pid in everyone() {
            if let Some(network) = network(&pid.to_string()).filter(|network| self.networks.contains(network)) {
                traces.push(format!("{network}, held by process {pid}"));
            }
            let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
            traces.extend(
                mounts
                    .lines()
                    .filter(|line| line.contains(&place))
                    .map(|line| format!("mount {line}")),
            );
        }
        let cgroups = cgroups::existing(&self.state.cgroup());
        traces.extend(cgroups.iter().map(|path| format!("cgroup {}", path.display())));
        traces
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test that failed has said so already.
        let _ = self.down();
    }
}

fn everyone() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn network(pid: &str) -> Option<String> {
    Some(fs::read_link(format!("/proc/{pid}/ns/net")).ok()?.display().to_string())
}
