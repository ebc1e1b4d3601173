//! A Deployment, StatefulSet or DaemonSet as the API server writes it, as far as evidence may hold it, or what is found
//! through it needs it.

mod keeper;
mod pod;

use crate::collect::condition::RawCondition;
use crate::collect::environment::{Argument, Environment, Others};
use crate::collect::flags::{self, Flags, Syntax};
use crate::collect::last_change::ManagedFields;
use crate::evidence::{NodeRequirement, Owner};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(in crate::collect) use self::pod::{Affinity, ConfigMapVolume, Container, PodSpec, Volume};

/// A workload. It holds arguments, which may be credentials: it is never printed, and nothing of it is evidence but what
/// [`Raw::workload`] takes, and what is found through it.
#[derive(Deserialize)]
pub(in crate::collect) struct Raw {
    pub(in crate::collect) metadata: Metadata,
    pub(in crate::collect) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Metadata {
    pub(in crate::collect) name: String,
    pub(in crate::collect) namespace: String,
    #[serde(default)]
    pub(super) generation: i64,
    pub(super) labels: Option<Labels>,
    pub(super) annotations: Option<Annotations>,
    pub(super) owner_references: Option<Vec<Owner>>,
    pub(super) managed_fields: Option<Vec<ManagedFields>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Labels {
    /// The recommended label for a version.
    #[serde(rename = "app.kubernetes.io/version")]
    pub(super) version: Option<String>,
    /// The recommended label for an installation, by which Argo CD tracks objects where it is told to.
    #[serde(rename = "app.kubernetes.io/instance")]
    instance: Option<String>,
    #[serde(rename = "argocd.argoproj.io/instance")]
    argo_cd: Option<String>,
    #[serde(rename = "helm.toolkit.fluxcd.io/name")]
    flux_helm_release: Option<String>,
    #[serde(rename = "helm.toolkit.fluxcd.io/namespace")]
    flux_helm_release_namespace: Option<String>,
    #[serde(rename = "kustomize.toolkit.fluxcd.io/name")]
    flux_kustomization: Option<String>,
    #[serde(rename = "kustomize.toolkit.fluxcd.io/namespace")]
    flux_kustomization_namespace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    /// Where Helm names the release of what it installs.
    #[serde(rename = "meta.helm.sh/release-name")]
    pub(super) release: Option<String>,
    #[serde(rename = "meta.helm.sh/release-namespace")]
    pub(super) release_namespace: Option<String>,
    /// Where Argo CD names the Application and the object.
    #[serde(rename = "argocd.argoproj.io/tracking-id")]
    argo_cd: Option<String>,
    /// Where a Deployment's controller numbers its revisions.
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub(super) revision: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Spec {
    pub(super) replicas: Option<u32>,
    pub(super) progress_deadline_seconds: Option<u32>,
    #[serde(default)]
    selector: Selector,
    template: Template,
    pub(in crate::collect) volume_claim_templates: Option<Vec<VolumeClaimTemplate>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Option<BTreeMap<String, String>>,
    match_expressions: Option<Vec<NodeRequirement>>,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
struct TemplateMetadata {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(in crate::collect) struct VolumeClaimTemplate {
    pub(in crate::collect) metadata: ClaimMetadata,
    #[serde(default)]
    pub(in crate::collect) spec: VolumeClaimSpec,
}

#[derive(Deserialize)]
pub(in crate::collect) struct ClaimMetadata {
    pub(in crate::collect) name: String,
}

#[derive(Default, Deserialize)]
pub(in crate::collect) struct VolumeClaimSpec {
    #[serde(default)]
    pub(in crate::collect) resources: VolumeResources,
}

#[derive(Default, Deserialize)]
pub(in crate::collect) struct VolumeResources {
    pub(in crate::collect) requests: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) observed_generation: i64,
    pub(super) ready_replicas: u32,
    pub(super) updated_replicas: u32,
    pub(super) available_replicas: u32,
    pub(super) desired_number_scheduled: u32,
    pub(super) number_ready: u32,
    pub(super) updated_number_scheduled: u32,
    pub(super) number_available: u32,
    pub(super) current_revision: Option<String>,
    pub(super) update_revision: Option<String>,
    pub(super) conditions: Option<Vec<RawCondition>>,
}

// === impl Raw ===

impl Raw {
    /// Whether a Service's selector selects its pods. An empty selector selects none: such a Service's endpoints are made
    /// by hand.
    pub(in crate::collect) fn is_selected(&self, selector: &BTreeMap<String, String>) -> bool {
        let labels = self.spec.template.metadata.labels.as_ref();
        !selector.is_empty()
            && (selector.iter()).all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value)))
    }

    /// Whether its pods do not start before the Secret of that name is mounted.
    pub(in crate::collect) fn needs_secret(&self, name: &str) -> bool {
        let volumes = self.pod().volumes.iter().flatten();
        volumes
            .filter_map(|volume| volume.secret.as_ref())
            .any(|secret| secret.secret_name == name && secret.optional != Some(true))
    }

    /// The selector of its pods, as a request and `kubectl --selector` take it.
    pub(in crate::collect) fn selector(&self) -> String {
        let selector = &self.spec.selector;
        let labels = selector.match_labels.iter().flatten();
        let labels = labels.map(|(key, value)| format!("{key}={value}"));
        let expressions = selector.match_expressions.iter().flatten();
        let expressions = expressions.map(|NodeRequirement { key, operator, values }| match operator.as_str() {
            "Exists" => key.clone(),
            "DoesNotExist" => format!("!{key}"),
            other => format!("{key} {} ({})", other.to_lowercase(), values.join(",")),
        });
        labels.chain(expressions).collect::<Vec<String>>().join(",")
    }

    /// The container of that name, else the first.
    pub(in crate::collect) fn container(&self, name: &str) -> Option<&Container> {
        let own = (self.pod().containers.iter()).find(|container| container.name == name);
        own.or(self.pod().containers.first())
    }

    /// The first container that is so.
    pub(in crate::collect) fn container_by(&self, is: impl Fn(&Container) -> bool) -> Option<&Container> {
        self.pod().containers.iter().find(|container| is(container))
    }

    /// Its pods' specification.
    pub(in crate::collect) fn pod(&self) -> &PodSpec {
        &self.spec.template.spec
    }

    /// The flags of a container that the contract names, and what is not known of them.
    pub(in crate::collect) fn flags(&self, container: &Container, named: &[String], syntax: Syntax) -> Flags {
        flags::read(&self.arguments(container), named, syntax)
    }

    /// A container's command line, as far as the object tells it and evidence may be made of it.
    pub(in crate::collect) fn arguments(&self, container: &Container) -> Vec<Argument> {
        let environment = self.environment(container);
        container
            .line()
            .map(|argument| environment.argument(argument))
            .collect()
    }

    /// A container's variables, as far as evidence may be made of them.
    pub(in crate::collect) fn environment(&self, container: &Container) -> Environment {
        Environment::public(container.env.iter().flatten(), self.others(container))
    }

    /// What else than its own variables a container has.
    pub(in crate::collect) fn others(&self, container: &Container) -> Others {
        Others {
            env_from: (container.env_from.as_ref()).is_some_and(|sources| !sources.is_empty()),
            service_links: self.pod().enable_service_links.unwrap_or(true),
        }
    }
}
