//! The pods of a workload, as its template specifies them.

use crate::collect::environment::Variable;
use crate::collect::flags::Flags;
use crate::evidence::{NodeRequirement, NodeTerm, OwnCommand, Toleration};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct PodSpec {
    #[serde(default)]
    pub(in crate::collect) containers: Vec<Container>,
    pub(in crate::collect) init_containers: Option<Vec<Container>>,
    pub(in crate::collect) enable_service_links: Option<bool>,
    #[serde(default)]
    pub(in crate::collect) service_account_name: String,
    pub(in crate::collect) volumes: Option<Vec<Volume>>,
    pub(in crate::collect) node_selector: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(in crate::collect) affinity: Affinity,
    pub(in crate::collect) tolerations: Option<Vec<Toleration>>,
    #[serde(default)]
    pub(in crate::collect) os: OperatingSystem,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Affinity {
    node_affinity: NodeAffinity,
}

#[derive(Default, Deserialize)]
struct NodeAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Required,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Required {
    node_selector_terms: Option<Vec<Term>>,
}

/// A term of the required node affinity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    match_expressions: Option<Vec<NodeRequirement>>,
    match_fields: Option<Vec<NodeRequirement>>,
}

#[derive(Default, Deserialize)]
pub(in crate::collect) struct OperatingSystem {
    pub(in crate::collect) name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Container {
    #[serde(default)]
    pub(in crate::collect) name: String,
    #[serde(default)]
    pub(in crate::collect) image: String,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    pub(in crate::collect) env: Option<Vec<Variable>>,
    pub(in crate::collect) env_from: Option<Vec<VariablesFrom>>,
    pub(in crate::collect) volume_mounts: Option<Vec<Mount>>,
    pub(in crate::collect) readiness_probe: Option<Probe>,
}

/// Where more variables come from, all that there are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct VariablesFrom {
    #[serde(default)]
    pub(in crate::collect) prefix: String,
    pub(in crate::collect) config_map_ref: Option<Reference>,
    pub(in crate::collect) secret_ref: Option<Reference>,
}

/// The name of a ConfigMap or a Secret.
#[derive(Deserialize)]
pub(in crate::collect) struct Reference {
    #[serde(default)]
    pub(in crate::collect) name: String,
    #[serde(default)]
    pub(in crate::collect) optional: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Mount {
    pub(in crate::collect) name: String,
    #[serde(rename = "mountPath")]
    pub(in crate::collect) path: String,
    #[serde(default)]
    pub(in crate::collect) sub_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Probe {
    pub(in crate::collect) http_get: Option<HttpGet>,
}

#[derive(Deserialize)]
pub(in crate::collect) struct HttpGet {
    #[serde(default)]
    pub(in crate::collect) path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct Volume {
    pub(in crate::collect) name: String,
    pub(in crate::collect) config_map: Option<ConfigMapVolume>,
    pub(in crate::collect) projected: Option<ProjectedVolume>,
    pub(in crate::collect) secret: Option<SecretVolume>,
    pub(in crate::collect) host_path: Option<IgnoredAny>,
    pub(in crate::collect) empty_dir: Option<IgnoredAny>,
    pub(in crate::collect) persistent_volume_claim: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct SecretVolume {
    #[serde(default)]
    pub(in crate::collect) secret_name: String,
    pub(in crate::collect) optional: Option<bool>,
}

#[derive(Deserialize)]
pub(in crate::collect) struct ConfigMapVolume {
    #[serde(default)]
    pub(in crate::collect) name: String,
    pub(in crate::collect) items: Option<Vec<KeyToPath>>,
    #[serde(default)]
    pub(in crate::collect) optional: bool,
}

#[derive(Deserialize)]
pub(in crate::collect) struct ProjectedVolume {
    pub(in crate::collect) sources: Option<Vec<VolumeSource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::collect) struct VolumeSource {
    pub(in crate::collect) config_map: Option<ConfigMapVolume>,
}

#[derive(Deserialize)]
pub(in crate::collect) struct KeyToPath {
    pub(in crate::collect) key: String,
    pub(in crate::collect) path: String,
}

// === impl Affinity ===

impl Affinity {
    /// The terms of the required node affinity.
    pub(in crate::collect) fn required(&self) -> Vec<NodeTerm> {
        let terms = self.node_affinity.required.node_selector_terms.iter().flatten();
        let term = |term: &Term| NodeTerm {
            labels: term.match_expressions.clone().unwrap_or_default(),
            fields: term.match_fields.clone().unwrap_or_default(),
        };
        terms.map(term).collect()
    }
}

// === impl Container ===

impl Container {
    /// Its command line as it is written, as far as the object tells it.
    pub(in crate::collect) fn line(&self) -> impl Iterator<Item = &str> {
        let line = [&self.command, &self.args];
        line.into_iter().flatten().flatten().map(String::as_str)
    }

    /// The flags of these that stand in its `command`, where there are any.
    pub(in crate::collect::workloads) fn own_command(&self, read: &Flags) -> Option<OwnCommand> {
        let words = self.command.iter().flatten();
        let names = words.filter(|word| word.starts_with('-')).map(|word| {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            format!("--{}", name.trim_start_matches('-'))
        });
        let flags: Vec<String> = names.filter(|name| read.values.contains_key(name)).collect();
        (!flags.is_empty()).then(|| OwnCommand {
            container: self.name.clone(),
            flags,
        })
    }

    /// The image without registry, path, tag and digest.
    pub(in crate::collect) fn image_name(&self) -> &str {
        let name = self.image.rsplit('/').next().unwrap_or_default();
        name.split(['@', ':']).next().unwrap_or_default()
    }
}
