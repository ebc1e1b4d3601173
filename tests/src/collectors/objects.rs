//! The objects of step 4 as they were installed: by them it is seen at once whether a test has changed one.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::NAMESPACE;
use crate::paths::State;
use crate::{healthy, inside};

/// Each object's resource and name, and its version: of what controllers write too, that of the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects(BTreeMap<String, String>);

/// Resources whose version is that of their specification.
const SPECIFIED: [(&str, &str); 4] = [
    ("apis/apps/v1", "daemonsets"),
    ("apis/apps/v1", "deployments"),
    ("apis/apps/v1", "statefulsets"),
    ("apis/collectors.grafana.com/v1alpha1", "alloys"),
];
/// Resources that nobody but an installation writes. Secrets are among them, and so Helm's releases.
const WRITTEN: [(&str, &str); 4] = [
    ("api/v1", "configmaps"),
    ("api/v1", "secrets"),
    ("api/v1", "serviceaccounts"),
    ("api/v1", "services"),
];
/// Roles of the whole cluster, and who has them.
const ROLES: [&str; 3] = ["fluent-bit", "vmagent", "k8s-monitoring-alloy-operator"];

/// The deployment that the chart's hook gives a finalizer.
const OPERATOR: &str = "deployments/k8s-monitoring-alloy-operator";

impl Objects {
    /// What is there now.
    pub(super) fn look(state: &State) -> Result<Self> {
        let mut objects = BTreeMap::new();
        healthy::until(state, "the objects of step 4", 30, |api| {
            objects.clear();
            for (resources, field) in [(SPECIFIED, "generation"), (WRITTEN, "resourceVersion")] {
                for (group, plural) in resources {
                    for item in api.items(&format!("/{group}/namespaces/{NAMESPACE}/{plural}"))? {
                        let metadata = &item["metadata"];
                        let name = metadata["name"].as_str().unwrap_or_default();
                        objects.insert(
                            format!("{plural}/{name}"),
                            format!("{} {}", metadata["uid"], metadata[field]),
                        );
                    }
                }
            }
            for plural in ["clusterroles", "clusterrolebindings"] {
                for name in ROLES {
                    let path = format!("/apis/rbac.authorization.k8s.io/v1/{plural}/{name}");
                    if let Ok(role) = api.object(&path)? {
                        objects.insert(
                            format!("{plural}/{name}"),
                            role["metadata"]["resourceVersion"].to_string(),
                        );
                    }
                }
            }
            Ok(Ok(()))
        })?;
        Ok(Self(objects))
    }

    /// Deletes what is another than before, so that Helm makes it as it should be: an upgrade leaves a field that
    /// somebody added. Releases and Secrets stay.
    pub(super) fn remove_changed(&self, state: &State, before: &Self) -> Result<()> {
        for (name, version) in &self.0 {
            let changed = before.0.get(name).is_some_and(|known| known != version);
            if !changed || name.starts_with("secrets/") || name.starts_with("serviceaccounts/") {
                continue;
            }
            let kubectl = ["kubectl", "--namespace", NAMESPACE];
            if name == OPERATOR {
                let without = r#"{"metadata":{"finalizers":null}}"#;
                let patch = ["patch", name, "--type=merge", "--patch", without];
                inside::run(state, &[&kubectl[..], &patch].concat())?;
            }
            let delete = ["delete", name, "--ignore-not-found", "--timeout=120s"];
            inside::run(state, &[&kubectl[..], &delete].concat())?;
        }
        Ok(())
    }
}

/// What was installed last, and of what.
pub(super) fn installed(state: &State) -> Result<Option<(String, Objects)>> {
    let Ok(text) = fs::read(state.path("collectors-installed.json")) else {
        return Ok(None);
    };
    let read = serde_json::from_slice(&text).context("collectors-installed.json is damaged")?;
    Ok(Some(read))
}

pub(super) fn remember(state: &State, recipe: &str, objects: &Objects) -> Result<()> {
    let text = serde_json::to_vec(&(recipe, objects))?;
    fs::write(state.path("collectors-installed.json"), text).context("collectors-installed.json cannot be written")
}

pub(super) fn forget(state: &State) -> Result<()> {
    match fs::remove_file(state.path("collectors-installed.json")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("collectors-installed.json cannot be removed")
        }
        _ => Ok(()),
    }
}
