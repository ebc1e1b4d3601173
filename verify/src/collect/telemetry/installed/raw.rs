//! A workload as the API server writes it, as far as evidence may hold it, or what is found through it needs it.

use super::arguments;
use super::collector::Listed;
use super::credentials;
use crate::collect::condition::{self, RawCondition};
use crate::collect::environment::{Argument, Environment, Others, Variable};
use crate::contract::{TelemetryTerms, parse_version};
use crate::evidence::{TelemetryWorkload, UnreadArgument, WorkloadKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The annotation in which Helm 3 names the release of what it installs.
const RELEASE: &str = "meta.helm.sh/release-name";
/// The recommended label for a version.
const VERSION: &str = "app.kubernetes.io/version";

/// A Deployment, StatefulSet or DaemonSet. It holds arguments, which may be credentials: it is never printed, and nothing
/// of it is evidence but what [`Raw::workload`] takes.
#[derive(Deserialize)]
pub(super) struct Raw {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    #[serde(default)]
    generation: i64,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec {
    replicas: Option<u32>,
    #[serde(default)]
    pub(super) selector: Selector,
    template: Template,
    pub(super) volume_claim_templates: Option<Vec<VolumeClaimTemplate>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selector {
    #[serde(default)]
    pub(super) match_labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct VolumeClaimTemplate {
    pub(super) metadata: Named,
    #[serde(default)]
    pub(super) spec: VolumeClaimSpec,
}

#[derive(Default, Deserialize)]
pub(super) struct VolumeClaimSpec {
    #[serde(default)]
    pub(super) resources: VolumeResources,
}

#[derive(Default, Deserialize)]
pub(super) struct VolumeResources {
    pub(super) requests: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Template {
    spec: PodSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[serde(default)]
    containers: Vec<Container>,
    enable_service_links: Option<bool>,
    pub(super) volumes: Option<Vec<Volume>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    image: String,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    pub(super) env: Option<Vec<Variable>>,
    pub(super) env_from: Option<Vec<VariablesFrom>>,
    pub(super) volume_mounts: Option<Vec<Mount>>,
    pub(super) readiness_probe: Option<Probe>,
}

/// Where more variables come from, all that there are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariablesFrom {
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) config_map_ref: Option<MapReference>,
}

#[derive(Deserialize)]
pub(super) struct MapReference {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) optional: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mount {
    pub(super) name: String,
    #[serde(rename = "mountPath")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) sub_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Probe {
    pub(super) http_get: Option<HttpGet>,
}

#[derive(Deserialize)]
pub(super) struct HttpGet {
    #[serde(default)]
    pub(super) path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) config_map: Option<ConfigMapVolume>,
    pub(super) projected: Option<ProjectedVolume>,
    pub(super) secret: Option<IgnoredAny>,
    pub(super) host_path: Option<IgnoredAny>,
    pub(super) empty_dir: Option<IgnoredAny>,
    pub(super) persistent_volume_claim: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct ConfigMapVolume {
    #[serde(default)]
    pub(super) name: String,
    pub(super) items: Option<Vec<KeyToPath>>,
    #[serde(default)]
    pub(super) optional: bool,
}

#[derive(Deserialize)]
pub(super) struct ProjectedVolume {
    pub(super) sources: Option<Vec<VolumeSource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeSource {
    pub(super) config_map: Option<ConfigMapVolume>,
}

#[derive(Deserialize)]
pub(super) struct KeyToPath {
    pub(super) key: String,
    pub(super) path: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    ready_replicas: u32,
    updated_replicas: u32,
    desired_number_scheduled: u32,
    number_ready: u32,
    updated_number_scheduled: u32,
    conditions: Option<Vec<RawCondition>>,
}

// === impl Raw ===

impl Raw {
    /// As evidence has it, without its pods.
    pub(super) fn workload(&self, listed: &Listed<'_>, terms: &TelemetryTerms) -> TelemetryWorkload {
        let status = &self.status;
        let (desired, ready, updated) = match listed.kind {
            WorkloadKind::DaemonSet => (
                status.desired_number_scheduled,
                status.number_ready,
                status.updated_number_scheduled,
            ),
            // "Defaults to 1" (`apps/v1` types); the API server fills it in.
            _ => (
                self.spec.replicas.unwrap_or(1),
                status.ready_replicas,
                status.updated_replicas,
            ),
        };
        let container = self.container(listed.container);
        let (flags, unread_arguments) = (container.filter(|_| !listed.operator))
            .map(|container| self.flags(container, terms))
            .unwrap_or_default();
        let annotation = |key| self.metadata.annotations.as_ref()?.get(key).cloned();
        let label = |key| self.metadata.labels.as_ref()?.get(key);
        TelemetryWorkload {
            kind: listed.kind,
            namespace: self.metadata.namespace.clone(),
            name: self.metadata.name.clone(),
            operator: listed.operator,
            desired,
            ready,
            updated,
            observed: status.observed_generation >= self.metadata.generation,
            image: container.map(|container| container.image.clone()).unwrap_or_default(),
            version: (container.and_then(Container::version)).or_else(|| label(VERSION).map(|text| without_v(text))),
            release: annotation(RELEASE),
            flags,
            unread_arguments,
            trouble: condition::trouble(status.conditions.as_deref().unwrap_or_default()),
            pods: Vec::new(),
        }
    }

    /// The flags of a container that the contract names, and what is not known of them.
    fn flags(
        &self,
        container: &Container,
        terms: &TelemetryTerms,
    ) -> (BTreeMap<String, Vec<String>>, Vec<UnreadArgument>) {
        let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut unread = Vec::new();
        for given in arguments::read(&self.arguments(container)) {
            if (given.flag.as_ref()).is_some_and(|flag| !terms.flags.contains(flag)) {
                continue;
            }
            if let Some(why) = given.unread {
                unread.push(UnreadArgument {
                    flag: given.flag.clone(),
                    why: why.to_owned(),
                });
            }
            if let Some(flag) = given.flag {
                flags.entry(flag).or_default().push(given.value.to_owned());
            }
        }
        (flags, unread)
    }

    /// A container's command line, as far as evidence may be made of it.
    pub(super) fn arguments(&self, container: &Container) -> Vec<Argument> {
        let environment = Environment::public(container.env.iter().flatten(), self.others(container));
        container
            .line()
            .map(|argument| environment.argument(argument))
            .collect()
    }

    /// What else than its own variables a container has.
    pub(super) fn others(&self, container: &Container) -> Others {
        Others {
            env_from: (container.env_from.as_ref()).is_some_and(|sources| !sources.is_empty()),
            service_links: self.pod().enable_service_links.unwrap_or(true),
        }
    }

    /// The container of that name, else the first.
    pub(super) fn container(&self, name: &str) -> Option<&Container> {
        let containers = &self.spec.template.spec.containers;
        let own = containers.iter().find(|container| container.name == name);
        own.or(containers.first())
    }

    /// Its pods' specification.
    pub(super) fn pod(&self) -> &PodSpec {
        &self.spec.template.spec
    }
}

// === impl Container ===

impl Container {
    /// Its command line as it is written, as far as the object tells it.
    pub(super) fn line(&self) -> impl Iterator<Item = &str> {
        let line = [&self.command, &self.args];
        line.into_iter().flatten().flatten().map(String::as_str)
    }

    /// Its variables that hold a credential in clear.
    pub(super) fn variables_in_clear(&self) -> impl Iterator<Item = String> {
        let clear = |variable: &&Variable| {
            let value = variable.value.as_deref().unwrap_or_default();
            credentials::is_in_clear(&variable.name, value)
        };
        let variables = self.env.iter().flatten().filter(clear);
        variables.map(|variable| format!("variable {}", variable.name))
    }

    /// The tag as a version.
    fn version(&self) -> Option<String> {
        let name = self.image.rsplit('/').next()?.split('@').next()?;
        let (_, tag) = name.split_once(':')?;
        parse_version(tag)?;
        Some(without_v(tag))
    }
}

fn without_v(version: &str) -> String {
    version.strip_prefix('v').unwrap_or(version).to_owned()
}
