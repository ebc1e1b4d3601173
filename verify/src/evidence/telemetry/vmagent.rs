//! What vmagent is configured to do.

use super::super::last_change::LastChange;
use super::MountedVolume;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The configuration of one workload: of its arguments, its variables and its scrape configuration, what checks read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    pub credentials_in_clear: Vec<String>,
    /// What its container has mounted.
    pub mounts: Vec<MountedVolume>,
    /// The scrape configuration; `None` where no argument names one.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub scrape: Option<ScrapeConfig>,
}

/// One `--remoteWrite.url`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteWrite {
    /// Scheme, host, port and path; no user, no password, no query. `None` where it was not read, or is no URL.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub address: Option<String>,
    /// Why there is no address.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub unread: Option<String>,
    /// Where it may stand then; `None` where there is one, and where that is not told.
    #[serde(
        default,
        deserialize_with = "crate::evidence::read::known_word",
        skip_serializing_if = "Option::is_none"
    )]
    pub hidden: Option<Hidden>,
    /// Whether user or password stand in it.
    pub has_credentials: bool,
}

/// Where a value may stand that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// In a Secret, which is never read.
    Secret,
    /// Somewhere else that was not read: it may be right.
    Elsewhere,
    /// Nowhere: there is none, or none that could be one.
    Nowhere,
}

/// A scrape configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeConfig {
    /// The ConfigMap that holds it.
    pub config_map: String,
    /// Its key.
    pub key: String,
    /// The last change of that ConfigMap, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
    /// Of `global.external_labels`, those that every series has to have, with their values.
    pub external_labels: BTreeMap<String, String>,
    /// Its other sections: `rule_files`, `alerting`, …, and `scrape_config_files`, which were not read.
    pub other_sections: Vec<String>,
    /// Its jobs, in order.
    pub jobs: Vec<ScrapeJob>,
}

/// A job of a scrape configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    pub targets: Vec<String>,
    /// The targets that it keeps: its relabelling rules with `action: keep`.
    pub keeps: Vec<KeepRule>,
    /// What its relabelling rules put in place of a target's address or path: `__address__`, `__metrics_path__`.
    pub replaced: BTreeMap<String, String>,
    /// `max_scrape_size`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub max_scrape_size: Option<String>,
}

/// A relabelling rule with `action: keep`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeepRule {
    /// `source_labels`.
    pub sources: Vec<String>,
    /// `regex`, or the selector of `if`.
    pub pattern: String,
}
