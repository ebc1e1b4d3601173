//! Step 3 of the install contract on the testbed: metrics-server and kube-state-metrics by Helm, from values files of
//! the project.

use std::fs;
use std::process::Output;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::paths::{self, State};
use crate::recipes::recipe;
use crate::{go_binaries, images, inside};

/// Which versions `up` installs and `mend` comes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Such as `0.9.0`.
    pub metrics_server: String,
    /// Such as `2.20.0`.
    pub kube_state_metrics: String,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            metrics_server: "0.9.0".to_owned(),
            kube_state_metrics: KUBE_STATE_METRICS_APP.to_owned(),
        }
    }
}

/// The version of the real chart in metrics-server's module; its own `appVersion` is 0.8.1, so every version of the
/// program is set by tag.
const METRICS_SERVER_CHART: &str = "3.13.1";
const KUBE_STATE_METRICS_CHART: &str = "8.4.0";
/// What the kube-state-metrics chart installs by itself.
const KUBE_STATE_METRICS_APP: &str = "2.20.0";

/// The five keys that the contract puts on every pod of a tenant.
pub(crate) const LABEL_KEYS: [&str; 5] = [
    "starform.io/cluster-id",
    "starform.io/region",
    "starform.io/project",
    "starform.io/app",
    "starform.io/deployment",
];

impl Versions {
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        Ok(fs::write(state.path("versions.json"), serde_json::to_vec(self)?)?)
    }

    pub(crate) fn of(state: &State) -> Result<Self> {
        let path = state.path("versions.json");
        let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Compiles them where they are not in the cache.
    pub(crate) fn compile(&self) -> Result<()> {
        for folder in [
            format!("metrics-server-{}", self.metrics_server),
            format!("kube-state-metrics-{}", self.kube_state_metrics),
        ] {
            go_binaries::build_with(recipe(&folder)?)?;
        }
        Ok(())
    }
}

/// Has a running cluster know the image of one more version, given by its folder in `tools/`.
pub(crate) fn supply(state: &State, folder: &str) -> Result<()> {
    go_binaries::build_with(recipe(folder)?)?;
    images::import(state)
}

/// Installs both, or upgrades them to these versions, at the same time: neither waits for the other.
pub(crate) fn both(state: &State, versions: &Versions) -> Result<()> {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| metrics_server(state, &versions.metrics_server, &[]));
        kube_state_metrics(state, &versions.kube_state_metrics, &[])?;
        other
            .join()
            .unwrap_or_else(|_| bail!("metrics-server's thread panicked"))
    })
}

/// Installs metrics-server, or upgrades to what is asked for; `more` are further arguments to Helm.
pub(crate) fn metrics_server(state: &State, version: &str, more: &[&str]) -> Result<()> {
    let tag = format!("image.tag=v{version}");
    let mut words = vec![
        "metrics-server/metrics-server",
        "--version",
        METRICS_SERVER_CHART,
        "--set",
        &tag,
    ];
    words.extend(more);
    upgrade(state, "metrics-server", "metrics-server.values.yaml", &words)
}

/// Installs kube-state-metrics, or upgrades to what is asked for.
pub(crate) fn kube_state_metrics(state: &State, version: &str, more: &[&str]) -> Result<()> {
    let tag = format!("image.tag=v{version}");
    let labels = allow_list(&LABEL_KEYS);
    let mut words = vec![
        "prometheus-community/kube-state-metrics",
        "--version",
        KUBE_STATE_METRICS_CHART,
    ];
    if version != KUBE_STATE_METRICS_APP {
        words.extend(["--set", &tag]);
    }
    if !values_file(KUBE_STATE_METRICS_VALUES).exists() {
        words.extend(["--set-json", &labels]);
    }
    words.extend(more);
    upgrade(state, "kube-state-metrics", KUBE_STATE_METRICS_VALUES, &words)
}

const KUBE_STATE_METRICS_VALUES: &str = "ksm.values.yaml";

/// Helm's argument that allows these labels of pods and no others.
pub(crate) fn allow_list(keys: &[&str]) -> String {
    format!("metricLabelsAllowlist=[\"pods=[{}]\"]", keys.join(","))
}

/// A file beside the values files of the project.
pub(crate) fn values_file(name: &str) -> std::path::PathBuf {
    paths::workspace().join("manifests/helm").join(name)
}

fn upgrade(state: &State, release: &str, values: &str, more: &[&str]) -> Result<()> {
    let values = values_file(values);
    let values = values.to_str().context("the workspace's path is no UTF-8")?;
    let mut words = vec!["helm", "upgrade", "--install", release, "--namespace", "kube-system"];
    if std::path::Path::new(values).exists() {
        words.extend(["--values", values]);
    }
    words.extend(more);
    run_upgrade(state, release, "kube-system", &words)
}

/// Runs a `helm upgrade --install`, also where an earlier one of the release was interrupted.
pub(crate) fn run_upgrade(state: &State, release: &str, namespace: &str, words: &[&str]) -> Result<()> {
    let output = inside::output(state, words)?;
    if output.status.success() {
        return Ok(());
    }
    if said(&output).contains("another operation") {
        // Somebody interrupted Helm: the release is stuck in a pending state, which only its removal ends.
        uninstall_from(state, release, namespace)?;
        return inside::run(state, words).map(drop);
    }
    bail!("`{}` failed: {}", words.join(" "), said(&output))
}

/// Removes a release of kube-system; that it is not there is fine.
pub(crate) fn uninstall(state: &State, release: &str) -> Result<()> {
    uninstall_from(state, release, "kube-system")
}

/// Removes a release; that it is not there is fine.
pub(crate) fn uninstall_from(state: &State, release: &str, namespace: &str) -> Result<()> {
    let words = [
        "helm",
        "uninstall",
        release,
        "--namespace",
        namespace,
        "--ignore-not-found",
        "--wait",
    ];
    inside::run(state, &words).map(drop)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
