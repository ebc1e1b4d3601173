//! What is installed beside Helm's releases, and where the sequence waits.

use super::StepId;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the sequence is installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstallTerms {
    /// How long Helm may wait for a release.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub helm_timeout: SignedDuration,
    /// How long a gate may wait for its steps.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub gate_wait: SignedDuration,
}

/// A duration as Helm and the command line take it: `10m`, `1m30s`.
#[must_use]
pub fn typed_duration(duration: SignedDuration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// One thing that is done before or after a step's releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// `kubectl apply` of this file or directory. Paths are relative to where `helmfile.yaml` stands.
    Apply(String),
    /// The program `gateway-api-crds` beside `helmfile.yaml`, with the chart and the version of this release.
    GatewayApiCrds(String),
    /// This Secret has to be there.
    Secret(SecretTerms),
}

/// A Secret that whoever installs has to make: its content is in no file of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretTerms {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Keys whose value is a file as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Keys whose value is the one line of a file, without its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The key that holds the cluster's ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// The key that holds the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// One entry of the whole sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Something beside the releases.
    Action(&'a Action),
    /// A release.
    Release(&'a super::Release),
    /// The sequence waits until these steps are kept.
    Gate(&'a [StepId]),
}

// === impl Contract ===

impl super::Contract {
    /// All that is done to a new cluster, step by step, in order.
    pub fn sequence(&self) -> impl Iterator<Item = (&super::Step, Vec<Entry<'_>>)> {
        self.steps.iter().map(|step| {
            let mut entries: Vec<Entry<'_>> = step.before.iter().map(Entry::Action).collect();
            entries.extend(step.releases.iter().map(Entry::Release));
            entries.extend(step.after.iter().map(Entry::Action));
            entries.extend((!step.gate.is_empty()).then_some(Entry::Gate(&step.gate)));
            (step, entries)
        })
    }

    /// The Helm repositories of all charts, by alias, each once, in the order in which they are needed.
    #[must_use]
    pub fn repositories(&self) -> Vec<(&str, &str)> {
        let mut repositories: Vec<(&str, &str)> = Vec::new();
        for release in self.steps.iter().flat_map(|step| &step.releases) {
            if let (Some(url), Some((alias, _))) = (&release.repository, release.chart.split_once('/'))
                && !repositories.iter().any(|(known, _)| *known == alias)
            {
                repositories.push((alias, url));
            }
        }
        repositories
    }
}

// === impl Step ===

impl super::Step {
    /// What the types cannot say.
    pub(super) fn verify(&self, contract: &super::Contract) -> Result<(), String> {
        for action in self.before.iter().chain(&self.after) {
            if let Action::GatewayApiCrds(release) = action
                && contract.release(release).is_none()
            {
                return Err(format!(
                    "gatewayApiCrds of step {} names {release:?}, a release that no step has",
                    self.id
                ));
            }
        }
        Ok(())
    }
}
