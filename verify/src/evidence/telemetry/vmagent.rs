//! What vmagent is configured to do.

use super::MountedVolume;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The configuration of one workload: of its arguments, its variables and its scrape configuration, what checks read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VmagentSettings {
    /// Namespace.
    pub namespace: String,
    /// The workload.
    pub workload: String,
    /// Where it writes to, in order.
    pub remote_writes: Vec<RemoteWrite>,
    /// Of the labels that `--remoteWrite.label` adds, those that every series has to have, with their values.
    pub labels: BTreeMap<String, String>,
    /// Where a credential stands in clear: flag, variable, or key of the scrape configuration. Never what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials_in_clear: Vec<String>,
    /// What its container has mounted.
    pub mounts: Vec<MountedVolume>,
    /// The scrape configuration; `None` where no argument names one.
    pub scrape: Option<ScrapeConfig>,
}

/// One `--remoteWrite.url`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteWrite {
    /// Scheme, host, port and path; no user, no password, no query. `None` where it was not read, or is no URL.
    pub address: Option<String>,
    /// Why there is no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// Whether user or password stand in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_credentials: bool,
}

/// A scrape configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrapeConfig {
    /// The ConfigMap that holds it.
    pub config_map: String,
    /// Its key.
    pub key: String,
    /// Of `global.external_labels`, those that every series has to have, with their values.
    pub external_labels: BTreeMap<String, String>,
    /// Its other sections: `rule_files`, `alerting`, …, and `scrape_config_files`, which were not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_sections: Vec<String>,
    /// Its jobs, in order.
    pub jobs: Vec<ScrapeJob>,
}

/// A job of a scrape configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrapeJob {
    /// `job_name`.
    pub name: String,
    /// `honor_labels`.
    pub honor_labels: bool,
    /// `scheme`; `http` where it names none.
    pub scheme: String,
    /// `metrics_path`; `/metrics` where it names none.
    pub path: String,
    /// How its targets are found: the roles of `kubernetes_sd_configs`, or `static`.
    pub discovery: Vec<String>,
    /// Hosts and ports of `static_configs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The targets that it keeps: its relabelling rules with `action: keep`.
    pub keeps: Vec<KeepRule>,
    /// What its relabelling rules put in place of a target's address or path: `__address__`, `__metrics_path__`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<String, String>,
    /// `max_scrape_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_scrape_size: Option<String>,
}

/// A relabelling rule with `action: keep`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeepRule {
    /// `source_labels`.
    pub sources: Vec<String>,
    /// `regex`, or the selector of `if`.
    pub pattern: String,
}
