//! What has to be there before Helm: images on every node, packaged charts, and objects by `kubectl apply`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Wanted;
use crate::network::node_name;
use crate::paths::{self, State};
use crate::up::NODES;
use crate::{charts, components, go_binaries, images, inside, steps};

/// The folders of `charts/` that are step 4's.
const CHARTS: [&str; 3] = ["fluent-bit", "victoria-metrics-agent", "k8s-monitoring"];
const VALUES: [&str; 3] = ["fluent-bit.values.yaml", "vmagent.values.yaml", "alloy.values.yaml"];

/// What the installation is made of: where it is another one, it is made anew.
pub(super) fn digest(wanted: &Wanted) -> Result<String> {
    // A cluster may have come up before there were these images.
    go_binaries::build(false)?;
    let mut all = serde_json::to_vec(wanted)?;
    all.extend(charts_digest()?.into_bytes());
    for file in VALUES {
        let path = components::values_file(file);
        all.extend(fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?);
    }
    for (archive, made) in images::made(&paths::cache())? {
        all.extend(format!("{} {made}", archive.display()).into_bytes());
    }
    Ok(images::digest(&all))
}

/// A cluster that came up before an image was made, or made anew, imports it.
pub(super) fn images(state: &State) -> Result<()> {
    go_binaries::build(false)?;
    let made = images::made(&paths::cache())?;
    let stamp = state.path(images::IMPORTED);
    let imported: Vec<(std::path::PathBuf, i64)> = fs::read(&stamp)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    for (archive, _) in made.iter().filter(|one| !imported.contains(one)) {
        let path = archive.to_str().context("the cache's path is no UTF-8")?;
        for node in 1..=NODES {
            inside::run_on_node(state, node, &["ctr", "--namespace", "k8s.io", "images", "import", path])
                .with_context(|| format!("{} takes no image", node_name(node)))?;
        }
    }
    Ok(fs::write(stamp, serde_json::to_vec(&made)?)?)
}

/// A cluster that came up before a chart was there, or changed, has it packaged.
pub(super) fn charts(state: &State) -> Result<()> {
    let (stamp, digest) = (state.path("charts.digest"), charts_digest()?);
    if fs::read_to_string(&stamp).is_ok_and(|made| made == digest) {
        return Ok(());
    }
    steps::step("charts packaged", || charts::package(state))?;
    charts::add_repositories(state)?;
    Ok(fs::write(stamp, digest)?)
}

fn charts_digest() -> Result<String> {
    let mut all = Vec::new();
    for chart in CHARTS {
        let mut folders = vec![paths::tests("charts").join(chart)];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        for file in files {
            all.extend(fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?);
        }
    }
    Ok(images::digest(&all))
}

/// `kubectl apply` of objects, by a file of the cluster's state: what is secret stands on no command line.
pub(super) fn apply(state: &State, name: &str, objects: &[Value]) -> Result<()> {
    let path = state.path(&format!("{name}.json"));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    fs::write(&path, list.to_string())?;
    let path = path.to_str().context("the state's path is no UTF-8")?;
    inside::run(state, &["kubectl", "apply", "--filename", path]).map(drop)
}
