//! Step 4 of the install contract on the testbed: Fluent Bit, vmagent and Alloy by Helm, from the project's values, with
//! the commands of `manifests/helm/README.md`.

mod needs;
mod objects;
mod volumes;

use std::fs;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use starform_verify::contract::{Contract, Release, StepId};

use self::objects::Objects;
use crate::paths::State;
use crate::recipes::Needed;
use crate::stores::Stores;
use crate::{Cluster, args, components, go_binaries, healthy, images, inside, steps};

/// Step 4's own.
const NAMESPACE: &str = "telemetry";

/// What is installed, or was to be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    cluster_id: String,
    stores: Stores,
}

impl Cluster {
    /// Installs the collectors of the cluster with that ID, which send to these stores: namespace and Secrets, then each
    /// release in the contract's order. Returns when all are ready, at once where they are as they were installed. The
    /// components of step 3 have to be there. From then on [`Cluster::mend`] restores them.
    ///
    /// # Errors
    ///
    /// When Helm fails, or a workload does not get ready.
    pub fn install_collectors(&self, cluster_id: &str, stores: &Stores) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        let wanted = Wanted {
            cluster_id: cluster_id.to_owned(),
            stores: stores.clone(),
        };
        install(&self.state, &wanted)
    }

    /// What of them comes before Helm: the namespace, the Secrets, volumes, images and charts. For a test that installs the
    /// releases one by one, see [`Cluster::install_collector`].
    ///
    /// # Errors
    ///
    /// When the API server refuses something.
    pub fn prepare_collectors(&self, stores: &Stores) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        prepare(&self.state, stores)
    }

    /// Installs one release of step 4: `fluent-bit`, `vmagent` or `k8s-monitoring`.
    ///
    /// # Errors
    ///
    /// When there is no such release, or Helm fails.
    pub fn install_collector(&self, release: &str, cluster_id: &str, stores: &Stores) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        let releases = releases()?;
        let found = releases.iter().find(|one| one.name == release);
        let wanted = Wanted {
            cluster_id: cluster_id.to_owned(),
            stores: stores.clone(),
        };
        upgrade(
            &self.state,
            found.with_context(|| format!("step 4 has no release {release}"))?,
            &wanted,
        )
    }

    /// Removes them, with what they kept on nodes and volumes; that they are not there is fine.
    ///
    /// # Errors
    ///
    /// When something of them stays.
    pub fn uninstall_collectors(&self) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        uninstall(&self.state)
    }
}

/// Restores what was installed last, if anything was.
pub(crate) fn mend(state: &State) -> Result<()> {
    match wanted(state)? {
        None => Ok(()),
        Some(wanted) => install(state, &wanted),
    }
}

fn wanted(state: &State) -> Result<Option<Wanted>> {
    let path = state.path("collectors.json");
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let wanted = serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(Some(wanted))
}

fn install(state: &State, wanted: &Wanted) -> Result<()> {
    let recipe = needs::digest(wanted)?;
    let installed = objects::installed(state)?.filter(|(of, _)| *of == recipe);
    if let Some((_, before)) = &installed {
        let now = Objects::look(state)?;
        if now == *before {
            return wait(state);
        }
        steps::step("what was changed of the collectors removed", || {
            now.remove_changed(state, before)
        })?;
    }
    // Remembered first: an installation that fails half-way leaves something to mend.
    fs::write(state.path("collectors.json"), serde_json::to_vec(wanted)?)?;
    objects::forget(state)?;
    prepare(state, &wanted.stores)?;
    // None of them waits for another: their order is for whoever installs them by hand.
    let releases = releases()?;
    std::thread::scope(|scope| {
        let installing: Vec<_> = (releases.iter())
            .map(|release| {
                scope.spawn(move || {
                    steps::step(format_args!("{} installed by Helm", release.name), || {
                        upgrade(state, release, wanted)
                    })
                })
            })
            .collect();
        installing.into_iter().try_for_each(|one| {
            one.join()
                .unwrap_or_else(|_| bail!("the thread of an installation panicked"))
        })
    })?;
    steps::step("the collectors are ready", || wait(state))?;
    objects::remember(state, &recipe, &Objects::look(state)?)
}

/// Step 4's releases, in order.
fn releases() -> Result<Vec<Release>> {
    let contract = Contract::embedded()?;
    let step = contract.steps.into_iter().find(|step| step.id == StepId::Four);
    Ok(step.context("the contract has no step 4")?.releases)
}

/// Every chart packaged and its repository known, unless they are as they were.
pub(crate) fn charts(state: &State) -> Result<()> {
    needs::charts(state)
}

/// What the cloud and registries have for them: images, charts, volumes.
pub(crate) fn supply(state: &State) -> Result<()> {
    go_binaries::build(Needed::Cluster)?;
    images::import(state)?;
    needs::charts(state)?;
    volumes::ensure(state)
}

fn prepare(state: &State, stores: &Stores) -> Result<()> {
    supply(state)?;
    let namespaces = components::values_file("namespaces.yaml");
    let namespaces = namespaces.to_str().context("the workspace's path is no UTF-8")?;
    inside::run(state, &["kubectl", "apply", "--filename", namespaces])?;
    needs::apply(state, "secrets", &stores.secrets(NAMESPACE))
}

fn upgrade(state: &State, release: &Release, wanted: &Wanted) -> Result<()> {
    let values = components::values_file(&release.values);
    let values = values.to_str().context("the workspace's path is no UTF-8")?;
    let region = state.path(&format!("{}.{}.yaml", release.name, wanted.stores.region));
    fs::write(&region, wanted.stores.region_values()?)?;
    let region = region.to_str().context("the state's path is no UTF-8")?;
    let cluster = format!("cluster.name={}", wanted.cluster_id);
    let words = [
        "helm",
        "upgrade",
        "--install",
        &release.name,
        &release.chart,
        "--version",
        &release.version,
        "--namespace",
        &release.namespace,
        "--values",
        values,
        "--values",
        region,
        "--set-string",
        &cluster,
        "--wait",
        "--timeout",
        "10m",
    ];
    components::run_upgrade(state, &release.name, &release.namespace, &words)
}

/// Until every workload is complete; also Alloy's, which the operator makes and Helm does not wait for.
fn wait(state: &State) -> Result<()> {
    healthy::until(state, "the collectors", 240, |api| {
        let mut seen = Vec::new();
        for (plural, wanted, counts) in [
            (
                "daemonsets",
                "/status/desiredNumberScheduled",
                ["updatedNumberScheduled", "numberReady"],
            ),
            ("statefulsets", "/spec/replicas", ["updatedReplicas", "readyReplicas"]),
            ("deployments", "/spec/replicas", ["updatedReplicas", "readyReplicas"]),
        ] {
            for workload in api.items(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{plural}"))? {
                let name = healthy::full_name(&workload);
                let wanted = workload.pointer(wanted).and_then(serde_json::Value::as_u64);
                let status = &workload["status"];
                let observed = status["observedGeneration"] == workload["metadata"]["generation"];
                let complete = counts.iter().all(|count| status[*count].as_u64() == wanted);
                if wanted.is_none_or(|wanted| wanted == 0) || !observed || !complete {
                    return Ok(Err(format!("{name} is not complete: {status}")));
                }
                seen.push(name);
            }
        }
        for alloy in api.names(&format!(
            "/apis/collectors.grafana.com/v1alpha1/namespaces/{NAMESPACE}/alloys"
        ))? {
            if !seen.contains(&alloy) {
                return Ok(Err(format!("the operator has made no workload for {alloy}")));
            }
        }
        for one in ["fluent-bit", "vmagent", "k8s-monitoring-alloy-operator"] {
            if !seen.iter().any(|name| name.ends_with(&format!("/{one}"))) {
                return Ok(Err(format!("there is no {one}")));
            }
        }
        Ok(Ok(()))
    })
}

fn uninstall(state: &State) -> Result<()> {
    for release in releases()?.iter().rev() {
        components::uninstall_from(state, &release.name, &release.namespace)?;
    }
    objects::forget(state)?;
    let _ = fs::remove_file(state.path("collectors.json"));
    let claims = ["persistentvolumeclaims", "secrets"];
    for kind in claims {
        let words = [
            "kubectl",
            "delete",
            kind,
            "--namespace",
            NAMESPACE,
            "--all",
            "--timeout=60s",
        ];
        inside::run(state, &words)?;
    }
    volumes::remove(state)
}
