//! Volumes of DOKS' class: no provisioner makes them here, so a few lie ready. As DOKS' own they can be attached to any
//! node, one at a time: the nodes share the machine's files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::needs;
use crate::network::node_name;
use crate::paths::State;
use crate::up::NODES;
use crate::{healthy, inside};

/// The class that DOKS has and makes the default.
const CLASS: &str = "do-block-storage";
/// So many lie ready.
const COUNT: u8 = 3;

/// The class, and volumes that can be claimed: one whose claim has gone is made anew, and empty.
pub(super) fn ensure(state: &State) -> Result<()> {
    let mut used = Vec::new();
    healthy::until(state, "the volumes", 30, |api| {
        used = api.items("/api/v1/persistentvolumes")?;
        Ok(Ok(()))
    })?;
    for volume in &used {
        if volume["status"]["phase"] == "Released" || volume["status"]["phase"] == "Failed" {
            remove_volume(state, volume)?;
        }
    }
    let mut objects = vec![json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate", "reclaimPolicy": "Retain",
        "metadata": { "name": CLASS, "annotations": { "storageclass.kubernetes.io/is-default-class": "true" } },
    })];
    for number in 0..COUNT {
        let folder = state.path(&format!("volumes/{number}"));
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        // kubelet gives a volume of this kind to no group: `fsGroup` is for those of DOKS.
        fs::set_permissions(&folder, Permissions::from_mode(0o777))?;
        objects.push(json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": format!("volume-{number}") },
            "spec": {
                "capacity": { "storage": "20Gi" },
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": CLASS,
                "hostPath": { "path": folder, "type": "Directory" },
            },
        }));
    }
    needs::apply(state, "volumes", &objects)
}

/// All of them, and what Fluent Bit keeps on each node.
pub(super) fn remove(state: &State) -> Result<()> {
    let mut all = Vec::new();
    healthy::until(state, "the volumes", 30, |api| {
        all = api.items("/api/v1/persistentvolumes")?;
        Ok(Ok(()))
    })?;
    for volume in &all {
        remove_volume(state, volume)?;
    }
    for node in 1..=NODES {
        empty(&state.path(&node_name(node)).join("fluent-bit"))?;
    }
    Ok(())
}

fn remove_volume(state: &State, volume: &Value) -> Result<()> {
    let name = volume["metadata"]["name"].as_str().context("a volume has a name")?;
    let path = volume["spec"]["hostPath"]["path"]
        .as_str()
        .context("a volume has a path")?;
    inside::run(state, &["kubectl", "delete", "persistentvolume", name, "--timeout=60s"])?;
    empty(Path::new(path))
}

/// The folder itself is mounted on its node, and stays.
fn empty(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        }
        .with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}
