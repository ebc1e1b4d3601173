//! What has to be there before Helm: images on every node, packaged charts, and objects by `kubectl apply`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Wanted;
use crate::paths::{self, State};
use crate::recipes::Needed;
use crate::{charts, components, go_binaries, images, inside, steps};

/// The folders of `charts/` that are step 4's.
const CHARTS: [&str; 3] = ["fluent-bit", "victoria-metrics-agent", "k8s-monitoring"];
const VALUES: [&str; 3] = ["fluent-bit.values.yaml", "vmagent.values.yaml", "alloy.values.yaml"];

/// What the installation is made of: where it is another one, it is made anew.
pub(super) fn digest(wanted: &Wanted) -> Result<String> {
    // A cluster may have come up before there were these images.
    go_binaries::build(Needed::Cluster)?;
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
