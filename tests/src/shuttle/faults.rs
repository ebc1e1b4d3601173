//! What happens to an agent in a cluster: its leader is killed, its API server restarts.

use anyhow::{Context, Result, bail};

use super::install::NAMESPACE;
use crate::{Cluster, faults, healthy};

impl Cluster {
    /// The pod that holds the Lease; `None` while none does.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub fn shuttle_leader(&self) -> Result<Option<String>> {
        let words = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "get",
            "lease",
            "shuttle",
            "--ignore-not-found",
            "--output=jsonpath={.spec.holderIdentity}",
        ];
        let holder = self.run(&words)?;
        Ok(Some(holder).filter(|holder| !holder.is_empty()))
    }

    /// Kills the leader's process as `kill -9` does: nothing is released, nothing is said. Returns its pod. Kubelet
    /// starts the container again, in the same pod.
    ///
    /// # Errors
    ///
    /// When there is no leader, or its container does not run.
    pub fn kill_leader(&self) -> Result<String> {
        let leader = self.shuttle_leader()?.context("nobody holds the Lease")?;
        self.kill_container(NAMESPACE, &leader)?;
        Ok(leader)
    }

    /// Kills the API server and returns when its successor is ready.
    ///
    /// # Errors
    ///
    /// When it is not ready within a minute.
    pub fn restart_api_server(&self) -> Result<()> {
        faults::restart(&self.state, "kube-apiserver", |line| {
            line.first().is_some_and(|program| program.ends_with("/kube-apiserver"))
        })?;
        healthy::until(&self.state, "the API server", 60, |api| {
            let (status, text) = api.text("/readyz")?;
            Ok(if status == 200 {
                Ok(())
            } else {
                Err(format!("HTTP {status}: {text}"))
            })
        })
    }

    /// How often a pod's container was started anew.
    ///
    /// # Errors
    ///
    /// When there is no such pod, or its container has never been started.
    pub fn restarts(&self, namespace: &str, pod: &str) -> Result<u64> {
        let pod = self.pod(namespace, pod)?;
        match pod["status"]["containerStatuses"][0]["restartCount"].as_u64() {
            Some(count) => Ok(count),
            None => bail!("no container of {} has a status", healthy::full_name(&pod)),
        }
    }
}
