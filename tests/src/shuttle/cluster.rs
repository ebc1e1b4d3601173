//! Clusters beside the shared one: without the components of step 3, or a second one at the same time.

use std::net::TcpListener;

use anyhow::{Context, Result};

use crate::components::{self, Versions};
use crate::network::HOST;
use crate::paths::State;
use crate::recipes::Needed;
use crate::{Cluster, args, collectors, gateway, go_binaries, inside, leftovers, shared, steps, up};

/// A new cluster with CoreDNS and the sample workload and nothing else: what the install contract starts from. It goes
/// down with its value.
///
/// # Errors
///
/// When it does not come up.
pub fn bare_cluster(name: &str) -> Result<Cluster> {
    let state = State::named(name);
    {
        let _turn = args::turn(&state)?;
        go_binaries::build(Needed::Cluster)?;
        up::bare(&state, &shared::program()?, up::NODES)?;
    }
    let cluster = Cluster::own(state);
    up::furnish_bare(&cluster.state, &Versions::default())?;
    let resolved = ["rollout", "status", "deployment/coredns", "--timeout=60s"];
    cluster.run(&[["kubectl", "--namespace=kube-system"].as_slice(), &resolved].concat())?;
    Ok(cluster)
}

/// The same with both components, healthy, for what needs two clusters at once.
///
/// # Errors
///
/// When it does not come up.
pub fn second_cluster(name: &str) -> Result<Cluster> {
    let cluster = bare_cluster(name)?;
    cluster.mend()?;
    Ok(cluster)
}

impl Cluster {
    /// Supplies what the cloud and registries have for a cluster of the fleet: images, charts, volumes. After that the
    /// install contract's sequence can be typed, see [`Cluster::typed`]; nothing of it is installed.
    ///
    /// # Errors
    ///
    /// When something of it cannot be made.
    pub fn supply(&self) -> Result<()> {
        {
            let _turn = args::turn(&self.state)?;
            steps::step("the collectors' images and volumes", || collectors::supply(&self.state))?;
            steps::step("Envoy Gateway's image", || gateway::supply(&self.state))?;
        }
        self.build_shuttle_image()
    }

    /// Installs metrics-server by Helm; `version` such as `0.8.0`, `more` further arguments to `helm upgrade`. Does not
    /// wait for its first metrics.
    ///
    /// # Errors
    ///
    /// When Helm fails.
    pub fn install_metrics_server(&self, version: &str, more: &[&str]) -> Result<()> {
        components::metrics_server(&self.state, version, more)
    }

    /// Installs kube-state-metrics by Helm, see [`Cluster::install_metrics_server`].
    ///
    /// # Errors
    ///
    /// When Helm fails.
    pub fn install_kube_state_metrics(&self, version: &str, more: &[&str]) -> Result<()> {
        components::kube_state_metrics(&self.state, version, more)
    }

    /// `helm uninstall` of `metrics-server` or `kube-state-metrics`; that it is not there is fine.
    ///
    /// # Errors
    ///
    /// When Helm fails.
    pub fn uninstall_component(&self, release: &str) -> Result<()> {
        components::uninstall(&self.state, release)
    }

    /// Listens in the cluster's network at `10.0.0.254:PORT`, which its pods reach and nothing outside does: where a
    /// Starbase of the test's own process answers. One process may listen in several clusters.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub fn listen(&self, port: u16) -> Result<TcpListener> {
        // A socket stays in the network namespace that it was made in.
        inside::within(&self.state, || {
            TcpListener::bind((HOST, port)).with_context(|| format!("{HOST}:{port} cannot be listened on"))
        })
    }

    /// Takes it down, with everything in it: what a rebuilt cluster begins with.
    ///
    /// # Errors
    ///
    /// When something of it cannot be removed.
    pub fn down(&self) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        leftovers::down(&self.state).map(drop)
    }
}
