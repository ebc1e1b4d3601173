//! Packages the charts and puts them into Helm repositories under the names that the install contract uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths::State;
use crate::recipes::recipe;
use crate::{go_binaries, inside, paths, repository};

/// The repositories, by the names that the contract's commands use, each with its chart's folder in `charts/`; the real
/// chart of metrics-server comes from its module.
const REPOSITORIES: [(&str, &str); 5] = [
    ("metrics-server", "metrics-server"),
    ("prometheus-community", "kube-state-metrics"),
    ("fluent", "fluent-bit"),
    ("vm", "victoria-metrics-agent"),
    ("grafana", "k8s-monitoring"),
];

/// Packages the charts below the state directory, from where the repository's server serves them.
pub(crate) fn package(state: &State) -> Result<()> {
    for (repository, chart) in REPOSITORIES {
        let source = if chart == "metrics-server" {
            let module = go_binaries::module_source(recipe("metrics-server-0.9.0")?, "sigs.k8s.io/metrics-server")?;
            module.join("charts/metrics-server")
        } else {
            paths::tests("charts").join(chart)
        };
        let target = state.path("charts").join(repository);
        // A chart's file of an earlier version would stay in the index.
        let _ = fs::remove_dir_all(&target);
        fs::create_dir_all(&target)?;
        let url = format!("http://{}/{repository}", repository::ADDRESS);
        helm(&["package", path(&source)?, "--destination", path(&target)?])?;
        helm(&["repo", "index", path(&target)?, "--url", &url])?;
    }
    Ok(())
}

/// Makes the helm of the cluster: it asks the repositories' addresses of the proxy that answers for them. `HELM_PROGRAM` names
/// another Helm than the default one.
pub(crate) fn wrap_helm(state: &State) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nHTTPS_PROXY=http://{} NO_PROXY=10.0.0.0/8 SSL_CERT_FILE='{}' exec \"${{HELM_PROGRAM:-{}}}\" \"$@\"\n",
        repository::PROXY,
        state.pki("ca.crt").display(),
        go_binaries::binary("helm")?.display(),
    );
    let wrapper = inside::helm(state);
    fs::create_dir_all(state.path("bin"))?;
    fs::write(&wrapper, script)?;
    Ok(fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?)
}

/// The Helm after the default one, compiled where it is missing.
///
/// # Errors
///
/// When it cannot be compiled.
pub fn helm_4() -> Result<PathBuf> {
    let recipe = recipe("helm-4")?;
    go_binaries::ensure(recipe)?;
    Ok(go_binaries::folder(&paths::cache(), recipe)?.join("helm"))
}

/// Makes the repositories known to the helm that runs in the cluster.
pub(crate) fn add_repositories(state: &State) -> Result<()> {
    for (repository, _) in REPOSITORIES {
        let url = format!("http://{}/{repository}", repository::ADDRESS);
        inside::run(state, &["helm", "repo", "add", repository, &url, "--force-update"])?;
    }
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is no UTF-8", path.display()))
}

fn helm(arguments: &[&str]) -> Result<()> {
    let output = Command::new(go_binaries::binary("helm")?)
        .args(arguments)
        .output()
        .context("helm cannot be started")?;
    if !output.status.success() {
        bail!(
            "`helm {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
