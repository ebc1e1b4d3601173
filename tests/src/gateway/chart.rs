//! The real chart `gateway-helm`, from the Go module, packaged as its release is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::go_binaries;
use crate::paths::State;
use crate::recipes::recipe;

/// The folder in `tools/`.
pub(super) const TOOL: &str = "envoy-gateway";
const MODULE: &str = "github.com/envoyproxy/gateway";

/// The version of module, chart and image, with its `v`.
pub(super) fn version() -> Result<String> {
    recipe(TOOL)?.version()
}

/// The image that the chart installs.
pub(super) fn image() -> Result<String> {
    Ok(format!("docker.io/envoyproxy/gateway:{}", version()?))
}

/// The packaged chart, in the cluster's state. What the project's release build fills in is filled in here: the image
/// and its pull policy.
pub(super) fn packaged(state: &State) -> Result<PathBuf> {
    let version = version()?;
    let home = state.path("gateway-chart");
    let packaged = home.join(format!("gateway-helm-{version}.tgz"));
    if packaged.exists() {
        return Ok(packaged);
    }
    let source = go_binaries::module_source(recipe(TOOL)?, MODULE)?.join("charts/gateway-helm");
    let copy = home.join("gateway-helm");
    let _ = fs::remove_dir_all(&copy);
    copy_folder(&source, &copy).with_context(|| format!("{} cannot be copied", source.display()))?;
    let template = copy.join("values.tmpl.yaml");
    let values = fs::read_to_string(&template).with_context(|| format!("{} cannot be read", template.display()))?;
    let values = values
        .replace("${GatewayImagePullPolicy}", "IfNotPresent")
        .replace("${GatewayImage}", &image()?);
    if let Some(rest) = values.split_once("${") {
        let name: String = rest.1.chars().take(40).collect();
        bail!("{} has a placeholder that nobody fills in: {name}", template.display());
    }
    fs::write(copy.join("values.yaml"), values)?;
    fs::remove_file(&template)?;
    let output = Command::new(go_binaries::binary("helm")?)
        .args([
            "package",
            "--version",
            &version,
            "--app-version",
            &version,
            "--destination",
        ])
        .args([&home, &copy])
        .output()
        .context("helm cannot be started")?;
    if !output.status.success() {
        bail!(
            "helm packages no chart: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(packaged)
}

/// Copies a folder of the module cache, where everything is read-only.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
