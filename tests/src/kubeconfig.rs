//! Writes kubeconfigs: JSON, which is YAML too.

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;

use crate::network::HOST;
use crate::paths::State;

/// One for each of these, named after the certificate that it uses.
pub(crate) fn write(state: &State, users: &[&str]) -> Result<()> {
    fs::create_dir_all(state.dir.join("kubeconfig"))?;
    for user in users {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "testbed", "cluster": {
                "server": format!("https://{HOST}:6443"),
                "certificate-authority": state.pki("ca.crt"),
            }}],
            "users": [{ "name": user, "user": {
                "client-certificate": state.pki(&format!("{user}.crt")),
                "client-key": state.pki(&format!("{user}.key")),
            }}],
            "contexts": [{ "name": "testbed", "context": { "cluster": "testbed", "user": user } }],
            "current-context": "testbed",
        });
        let path = state.kubeconfig(user);
        fs::write(&path, serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
