//! What the contract says of the collectors of step 4.

use super::VersionRequirement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a collector may stand and what is read of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TelemetryTerms {
    /// Name of its Helm release in `steps`.
    pub release: String,
    /// Label selector of its workloads.
    pub selector: String,
    /// Accepted namespaces; the first is the contract's own, another is a warning.
    pub namespaces: Vec<String>,
    /// Accepted versions of the program.
    pub versions: VersionRequirement,
    /// Name of its container.
    pub container: String,
    /// The port that its metrics page is on.
    pub port: u16,
    /// The path of its metrics page.
    pub path: String,
    /// Names of the ConfigMaps that the release makes of its configuration.
    #[serde(default)]
    pub config_maps: Vec<String>,
    /// The flags whose values are evidence; no other argument is. None of them may be able to hold a credential.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The operator that makes its workloads, where there is one.
    #[serde(default)]
    pub operator: Option<OperatorTerms>,
    /// The scrape jobs that have to have their targets; of vmagent only.
    #[serde(default)]
    pub scrape_jobs: ScrapeJobTerms,
}

/// The names of the scrape jobs that telemetry rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrapeJobTerms {
    /// Those that scrape every shard of kube-state-metrics, with `honor_labels`.
    pub state_metrics: Vec<String>,
    /// Those that scrape the kubelet of every node.
    pub kubelets: Vec<String>,
}

/// An operator. It stands in the namespaces that its collector is accepted in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorTerms {
    /// Label selector of its Deployment.
    pub selector: String,
    /// Accepted versions of the program.
    pub versions: VersionRequirement,
    /// Name of its container.
    pub container: String,
    /// The port that its metrics page is on.
    pub port: u16,
    /// The path of its metrics page.
    pub path: String,
}

/// Words in the names of flags and variables whose values are credentials.
const CREDENTIALS: [&str; 7] = ["password", "passwd", "token", "secret", "bearer", "header", "apikey"];

/// Whether a flag or variable of that name may hold a credential itself. One that ends in `file` names a file.
#[must_use]
pub(crate) fn may_hold_a_credential(name: &str) -> bool {
    let name = name.to_lowercase();
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    // A URL may have a password in it.
    let words = || {
        CREDENTIALS
            .iter()
            .any(|word| name.contains(word) || plain.contains(word))
    };
    !plain.ends_with("file") && (name.rsplit('.').next() == Some("url") || words())
}

impl TelemetryTerms {
    /// What is wrong with the terms, for the contract's reader.
    pub(super) fn verify(&self, key: &str) -> Result<(), String> {
        if self.namespaces.is_empty() {
            return Err(format!("components.{key}.namespaces is empty: it could stand nowhere"));
        }
        if let Some(flag) = self.flags.iter().find(|flag| may_hold_a_credential(flag)) {
            return Err(format!(
                "components.{key}.flags has {flag}, which may hold a credential: flags are evidence"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("--remoteWrite.url", true)]
    #[case("--remoteWrite.basicAuth.password", true)]
    #[case("--remoteWrite.basicAuth.passwordFile", false)]
    #[case("--remoteWrite.basicAuth.username", false)]
    #[case("--remoteWrite.bearerToken", true)]
    #[case("--remoteWrite.headers", true)]
    #[case("--remoteWrite.urlRelabelConfig", false)]
    #[case("--remoteWrite.maxDiskUsagePerURL", false)]
    #[case("LOKI_BEARER_TOKEN", true)]
    #[case("GCLOUD_RW_API_KEY", true)]
    #[case("CLUSTER_NAME", false)]
    fn credentials_are_told_by_name(#[case] name: &str, #[case] holds: bool) {
        assert_eq!(may_hold_a_credential(name), holds);
    }
}
