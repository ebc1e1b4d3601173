//! Brings a cluster up: binaries, namespaces, control plane, nodes, then what a cluster of the fleet carries.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::components::{self, Versions};
use crate::control_plane::EVENTS;
use crate::paths::{self, State};
use crate::recipes::Needed;
use crate::scenarios::Scenario;
use crate::{broken, collectors, daemon, go_binaries, healthy, images, inside, leftovers, steps};

/// Two, for what must hold on every node and for what must not hang on one.
pub(crate) const NODES: u8 = 2;

/// The whole of it; returns when both components answer.
pub(crate) fn up(state: &State, program: &Path, versions: &Versions) -> Result<()> {
    check_machine()?;
    if daemon::is_running(state)? {
        bail!(
            "the cluster `{0}` is up already: use it, or run `cargo run -p testbed -- --name {0} down` first",
            state.name
        );
    }
    go_binaries::build(Needed::Cluster)?;
    versions.compile()?;
    let start = Instant::now();
    bare(state, program, NODES)?;
    furnish(state, versions)?;
    steps::done(
        format_args!("in all; KUBECONFIG={}", state.kubeconfig("admin").display()),
        start.elapsed(),
    );
    Ok(())
}

/// A control plane and nodes, nothing on them.
pub(crate) fn bare(state: &State, program: &Path, nodes: u8) -> Result<()> {
    check_machine()?;
    leftovers::down(state)?;
    let _ = fs::remove_dir_all(&state.dir);
    fs::create_dir_all(state.dir.join("log")).with_context(|| format!("{} cannot be created", state.dir.display()))?;
    // The control plane serves this folder.
    fs::create_dir_all(state.path("charts"))?;
    // Looked at first: what is made anew meanwhile, the nodes may have imported as it was.
    let made = images::made(&paths::cache())?;
    daemon::start_keeper(state, program, nodes)?;
    follow(state)?;
    Ok(fs::write(state.path(images::IMPORTED), serde_json::to_vec(&made)?)?)
}

/// Prints the control plane's steps until it is up or has failed.
fn follow(state: &State) -> Result<()> {
    let start = Instant::now();
    let mut seen = 0;
    loop {
        let text = fs::read_to_string(state.path(EVENTS)).unwrap_or_default();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        for line in whole.lines().skip(seen) {
            seen += 1;
            match line.split_once('\t') {
                Some(("step", rest)) => {
                    let (millis, what) = rest.split_once('\t').unwrap_or(("0", rest));
                    steps::done(what, Duration::from_millis(millis.parse().unwrap_or_default()));
                }
                Some(("failed", why)) => bail!("the cluster did not come up: {}", why.replace('\u{b}', "\n")),
                _ => return Ok(()),
            }
        }
        if start.elapsed() > Duration::from_secs(150) || (seen == 0 && keeper_ended(state, start)?) {
            let log = fs::read_to_string(state.log("keeper")).unwrap_or_default();
            let inner = fs::read_to_string(state.log("control-plane")).unwrap_or_default();
            bail!(
                "the cluster did not come up; see {}:\n{log}{inner}",
                state.dir.join("log").display()
            );
        }
        sleep(Duration::from_millis(50));
    }
}

fn keeper_ended(state: &State, start: Instant) -> Result<bool> {
    Ok(start.elapsed() > Duration::from_secs(3) && !daemon::is_running(state)?)
}

/// CoreDNS, the sample workload, and both components.
fn furnish(state: &State, versions: &Versions) -> Result<()> {
    furnish_bare(state, versions)?;
    steps::step("metrics-server and kube-state-metrics installed by Helm", || {
        components::both(state, versions)
    })?;
    steps::step("both answer for every node and pod", || {
        healthy::until(state, "both components", 180, healthy::healthy)
    })?;
    broken::remember(state, Scenario::Healthy)
}

/// CoreDNS, the sample workload, and charts for the components, which `versions` are of.
pub(crate) fn furnish_bare(state: &State, versions: &Versions) -> Result<()> {
    versions.save(state)?;
    let manifests = paths::tests("manifests");
    let manifests = manifests.to_str().context("the workspace's path is no UTF-8")?;
    collectors::charts(state)?;
    steps::step("CoreDNS and the sample workload applied", || {
        inside::run(state, &["kubectl", "apply", "--filename", manifests]).map(drop)
    })
}

/// Says what is missing before anything is touched.
pub(crate) fn check_machine() -> Result<()> {
    if let Some(reason) = unfit() {
        bail!("{reason}");
    }
    let missing: Vec<_> = [
        "etcd",
        "containerd",
        "ctr",
        "runc",
        "iptables",
        "conntrack",
        "ip",
        "setpriv",
        "unshare",
    ]
    .into_iter()
    .filter(|program| !on_path(program))
    .collect();
    if missing.is_empty() && Path::new("/usr/lib/cni/bridge").exists() {
        return Ok(());
    }
    bail!(
        "programs are missing ({}, or /usr/lib/cni): run tests/setup",
        missing.join(", ")
    )
}

/// Why this machine cannot run a cluster at all, if so.
pub(crate) fn unfit() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("a cluster needs Linux: namespaces, cgroups and a kubelet".to_owned());
    }
    if !nix::unistd::geteuid().is_root() {
        return Some("a cluster needs root, for namespaces, mounts and cgroups: run it with sudo".to_owned());
    }
    None
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}
