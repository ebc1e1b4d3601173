//! Installs Shuttle as a team does: says where its image is, makes the Secret, applies the manifests. Only the ConfigMap
//! `starbase`, which is the same in every cluster of the fleet, mostly says something else here: where the testbed's own
//! Starbase is.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::image::IMAGE;
use crate::paths::workspace;
use crate::{Cluster, inside};

/// The namespace of the manifests.
pub(super) const NAMESPACE: &str = "starform-system";

/// What an installation is parameterized by, and the Starbase that it registers with.
#[derive(Clone, Debug)]
pub struct Installation<'a> {
    /// Such as `https://10.0.0.254:8443`.
    pub starbase: &'a str,
    /// The authority of Starbase's certificate, as PEM; empty for the authorities in the image.
    pub authority: &'a str,
    /// The Secret's `cluster-id`.
    pub cluster_id: &'a str,
    /// The Secret's `region`.
    pub region: &'a str,
    /// The Secret's `token`.
    pub token: &'a str,
}

impl Cluster {
    /// The manifests with an image in them, by the command that a team types. A copy in the cluster's state: the
    /// repository stays as it is.
    ///
    /// # Errors
    ///
    /// When the command refuses the image.
    pub fn shuttle_manifests(&self, image: &str) -> Result<PathBuf> {
        let manifests = self.state.path("manifests");
        let _ = fs::remove_dir_all(&manifests);
        fs::create_dir_all(&manifests)?;
        let parts = ["shuttle", "shuttle-overlays", "set-image"].map(|part| workspace().join("manifests").join(part));
        let copied = Command::new("cp").arg("-R").args(parts).arg(&manifests).status()?;
        if !copied.success() {
            bail!("the manifests cannot be copied: {copied}");
        }
        let set = Command::new(manifests.join("set-image")).arg(image).output()?;
        if !set.status.success() {
            bail!(
                "set-image ({}) said: {}",
                set.status,
                String::from_utf8_lossy(&set.stderr).trim()
            );
        }
        Ok(manifests)
    }

    /// Applies `manifests/shuttle/` with an image and nothing else changed.
    ///
    /// # Errors
    ///
    /// When the API server refuses something, or warns.
    pub fn apply_shuttle(&self, image: &str) -> Result<()> {
        let folder = self.shuttle_manifests(image)?.join("shuttle");
        let folder = folder.to_str().context("the state's path is no UTF-8")?;
        self.apply(&["--filename", folder]).map(drop)
    }

    /// Applies the manifests with another Starbase, and makes the Secret. The image must be there, see
    /// [`Cluster::build_shuttle_image`]. Does not wait: `kubectl rollout status` does, see
    /// [`Cluster::wait_for_shuttle`].
    ///
    /// # Errors
    ///
    /// When the API server refuses something, or warns.
    pub fn install_shuttle(&self, installation: &Installation<'_>) -> Result<()> {
        self.overlay_shuttle("shuttle", installation)
    }

    /// The same with the overlay `manifests/shuttle-overlays/startup-taint`.
    ///
    /// # Errors
    ///
    /// When the API server refuses something, or warns.
    pub fn install_shuttle_with_startup_taint(&self, installation: &Installation<'_>) -> Result<()> {
        self.overlay_shuttle("shuttle-overlays/startup-taint", installation)
    }

    fn overlay_shuttle(&self, base: &str, installation: &Installation<'_>) -> Result<()> {
        let overlay = self.write_overlay(base, installation)?;
        // The Secret needs the namespace, the pods the Secret.
        self.apply(&["--filename", &folder("manifests/shuttle/00-namespace.yaml")?])?;
        self.set_shuttle_parameters(installation)?;
        self.apply(&["--kustomize", &overlay]).map(drop)
    }

    /// Makes the Secret, or replaces it: kubelet has the pods see a change after up to its sync period of a minute.
    ///
    /// # Errors
    ///
    /// When the API server refuses it.
    pub fn set_shuttle_parameters(&self, installation: &Installation<'_>) -> Result<()> {
        let [id, region, token] = [
            ("cluster-id", installation.cluster_id),
            ("region", installation.region),
            ("token", installation.token),
        ]
        .map(|(key, value)| format!("--from-literal={key}={value}"));
        let create = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "create",
            "secret",
            "generic",
            "shuttle",
            &id,
            &region,
            &token,
        ];
        let made = self.run(&[create.as_slice(), &["--dry-run=client", "--output=json"]].concat())?;
        let path = self.state.path("shuttle-secret.json");
        fs::write(&path, made)?;
        let path = path.to_str().context("the state's path is no UTF-8")?;
        self.apply(&["--filename", path]).map(drop)
    }

    /// Waits as a team does, with `kubectl rollout status`, until Deployment and DaemonSet are complete.
    ///
    /// # Errors
    ///
    /// When they are not within so many seconds.
    pub fn wait_for_shuttle(&self, seconds: u32) -> Result<()> {
        let timeout = format!("--timeout={seconds}s");
        for workload in ["deployment/shuttle", "daemonset/shuttle-node"] {
            self.run(&[
                "kubectl",
                "--namespace",
                NAMESPACE,
                "rollout",
                "status",
                workload,
                &timeout,
            ])?;
        }
        Ok(())
    }

    /// Takes everything away, with the namespace; that nothing is there is fine.
    ///
    /// # Errors
    ///
    /// When something stays.
    pub fn uninstall_shuttle(&self) -> Result<()> {
        let manifests = folder("manifests/shuttle")?;
        let words = [
            "kubectl",
            "delete",
            "--filename",
            &manifests,
            "--ignore-not-found",
            "--timeout=120s",
        ];
        self.run(&words)?;
        let taint = ["clusterrole", "clusterrolebinding"].map(|kind| format!("{kind}/shuttle-node-startup-taint"));
        self.run(&["kubectl", "delete", &taint[0], &taint[1], "--ignore-not-found"])
            .map(drop)
    }

    /// A kustomization that puts other data into one ConfigMap.
    fn write_overlay(&self, base: &str, installation: &Installation<'_>) -> Result<String> {
        self.shuttle_manifests(IMAGE)?;
        let home = self.state.path("shuttle");
        fs::create_dir_all(&home)?;
        let data = json!({ "address": installation.starbase, "ca.crt": installation.authority });
        let patch = json!([{ "op": "replace", "path": "/data", "value": data }]);
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [format!("../manifests/{base}")],
            "patches": [{
                "target": { "version": "v1", "kind": "ConfigMap", "name": "starbase" }, "patch": patch.to_string(),
            }],
        });
        fs::write(home.join("kustomization.yaml"), kustomization.to_string())?;
        Ok(home.to_str().context("the state's path is no UTF-8")?.to_owned())
    }

    /// `kubectl apply` that neither fails nor warns; what it said of each object.
    ///
    /// # Errors
    ///
    /// When the API server refuses something, or warns, as Pod Security does.
    pub fn apply(&self, what: &[&str]) -> Result<String> {
        let words = [&["kubectl", "apply"], what].concat();
        let output = inside::output(&self.state, &words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || !said.trim().is_empty() {
            bail!("`{}` ({}) said: {}", words.join(" "), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn folder(inner: &str) -> Result<String> {
    let path = workspace().join(inner);
    Ok(path.to_str().context("the workspace's path is no UTF-8")?.to_owned())
}
