//! Enters a running cluster: its control plane's network namespace, where the API server answers, or a node's.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns};

use crate::daemon::is_running;
use crate::network::node_name;
use crate::paths::State;
use crate::{go_binaries, leftovers};

/// Marks every process of a cluster, so that those which `exec` left running are found when the cluster goes.
pub(crate) const MARK: &str = "TESTBED_CLUSTER";

/// Does some work in the control plane's network namespace. A thread of its own enters it, so that the caller stays
/// where it is; commands that the work starts inherit it.
pub(crate) fn within<T: Send>(state: &State, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    in_namespace(&namespace(state)?, work)
}

/// The same in a node's network namespace.
pub(crate) fn within_node<T: Send>(state: &State, node: u8, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    in_namespace(&PathBuf::from(format!("{}/ns/net", node_process(state, node)?)), work)
}

/// Where /proc has a node's first process.
fn node_process(state: &State, node: u8) -> Result<String> {
    let first = first_process(state)?;
    let name = node_name(node);
    let inner = leftovers::pid(state, &format!("{name}.pid")).with_context(|| format!("there is no {name}"))?;
    // The number is one of the cluster's own process namespace, which only the cluster's own /proc knows.
    Ok(format!("/proc/{first}/root/proc/{inner}"))
}

/// Runs a command that must succeed on a node: in its network, and where its containerd and kubelet have their files.
pub(crate) fn run_on_node(state: &State, node: u8, words: &[&str]) -> Result<String> {
    let process = node_process(state, node)?;
    let output = Command::new("nsenter")
        .args([format!("--mount={process}/ns/mnt"), format!("--net={process}/ns/net")])
        .arg("--")
        .args(words)
        .output()
        .context("`nsenter` cannot be started")?;
    if !output.status.success() {
        bail!(
            "`{}` failed on {} ({}): {}",
            words.join(" "),
            node_name(node),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Does some work in the network namespace of a process, by its number within the cluster.
pub(crate) fn within_process<T: Send>(state: &State, pid: i32, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let first = first_process(state)?;
    in_namespace(&PathBuf::from(format!("/proc/{first}/root/proc/{pid}/ns/net")), work)
}

/// The same in any network namespace, given by its file.
pub(crate) fn in_namespace<T: Send>(namespace: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let thread = || {
        enter(namespace)?;
        work()
    };
    let result = std::thread::scope(|scope| scope.spawn(thread).join());
    result.unwrap_or_else(|_| bail!("the thread in {} panicked", namespace.display()))
}

/// Moves the calling thread.
fn enter(namespace: &Path) -> Result<()> {
    let file = File::open(namespace).with_context(|| format!("{} cannot be opened", namespace.display()))?;
    setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("{} cannot be entered", namespace.display()))
}

fn namespace(state: &State) -> Result<PathBuf> {
    Ok(PathBuf::from(format!("/proc/{}/ns/net", first_process(state)?)))
}

fn first_process(state: &State) -> Result<i32> {
    let name = &state.name;
    if !is_running(state)? {
        bail!("the cluster `{name}` is not up: run `cargo run -p testbed -- --name {name} up`");
    }
    leftovers::pid(state, "init.pid").with_context(|| format!("the cluster `{name}` is just starting"))
}

/// Turns this process into the command: same directory, same files, another network. Returns only to say why not.
pub(crate) fn exec(state: &State, words: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let (program, arguments) = words.split_first().context("exec needs a command")?;
    enter(&namespace(state)?)?;
    let mut command = Command::new(program);
    command.args(arguments);
    let error = prepare(state, &mut command)?.exec();
    Err(error).with_context(|| format!("`{}` cannot be started", program.display()))
}

/// Gives a command what it needs to find the cluster: kubeconfig, Helm's repositories, our kubectl and helm.
pub(crate) fn prepare<'command>(state: &State, command: &'command mut Command) -> Result<&'command mut Command> {
    let mut path = OsString::new();
    let kubectl = go_binaries::binary("kubectl")?;
    for binary in [helm(state), kubectl] {
        path.push(binary.parent().context("a program lies in a folder")?);
        path.push(":");
    }
    path.push(env::var_os("PATH").unwrap_or_default());
    Ok(command
        .env("PATH", path)
        .env("KUBECONFIG", state.kubeconfig("admin"))
        .env("HELM_REPOSITORY_CONFIG", state.path("helm/repositories.yaml"))
        .env("HELM_REPOSITORY_CACHE", state.path("helm/repository"))
        .env("HELM_CACHE_HOME", state.path("helm/cache"))
        .env("HELM_CONFIG_HOME", state.path("helm/config"))
        .env("HELM_DATA_HOME", state.path("helm/data"))
        // A proxy of the machine's cannot be reached from in there.
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy")
        .env(MARK, &state.dir))
}

/// Runs a command in the cluster's network and returns what it said, whatever its exit code.
pub(crate) fn output(state: &State, words: &[&str]) -> Result<Output> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    within(state, || {
        let mut command = Command::new(resolve(state, program)?);
        prepare(state, command.args(arguments))?
            .output()
            .with_context(|| format!("`{program}` cannot be started"))
    })
}

/// std looks a program up on the caller's PATH, not on the one that the command gets.
fn resolve(state: &State, program: &str) -> Result<OsString> {
    Ok(match program {
        "kubectl" => go_binaries::binary(program)?.into(),
        "helm" => helm(state).into(),
        _ => program.into(),
    })
}

/// The helm of a cluster, `charts::wrap_helm`.
pub(crate) fn helm(state: &State) -> PathBuf {
    state.path("bin/helm")
}

/// Runs a command that must succeed and returns its standard output.
pub(crate) fn run(state: &State, words: &[&str]) -> Result<String> {
    let output = output(state, words)?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            words.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
