//! What `status` prints: where the cluster is, what runs in it, what is broken.

use std::fmt::Write;

use anyhow::Result;

use crate::components::Versions;
use crate::paths::State;
use crate::scenarios::Scenario;
use crate::{broken, daemon, inside};

/// The text of it, and whether the cluster is up.
pub(crate) fn status(state: &State) -> Result<(String, bool)> {
    if !daemon::is_running(state)? {
        let text = format!(
            "cluster     {}, not up (`cargo run -p testbed -- --name {0} up`)\n",
            state.name
        );
        return Ok((text, false));
    }
    let mut text = String::new();
    writeln!(text, "cluster     {}", state.name)?;
    writeln!(
        text,
        "scenario    {}",
        broken::current(state).map_or_else(|| "none yet".to_owned(), Scenario::name)
    )?;
    writeln!(text, "kubeconfig  {}", state.kubeconfig("admin").display())?;
    writeln!(text, "logs        {}", state.dir.join("log").display())?;
    if let Ok(versions) = Versions::of(state) {
        writeln!(text, "versions    metrics-server {}", versions.metrics_server)?;
        writeln!(text, "            kube-state-metrics {}", versions.kube_state_metrics)?;
    }
    for (title, words) in [
        ("releases", "helm list --all --all-namespaces"),
        ("nodes", "kubectl get nodes --output=wide"),
        (
            "pods",
            "kubectl get pods --all-namespaces --output=wide --field-selector=metadata.namespace!=scale",
        ),
    ] {
        let words: Vec<_> = words.split(' ').collect();
        // A cluster of which one question fails is worth the answers to the others.
        let said = inside::run(state, &words).unwrap_or_else(|error| format!("{error:#}\n"));
        write!(text, "\n{title}\n{said}")?;
    }
    Ok((text, true))
}
