//! What the contract says of a region's stores.

use super::LabelKey;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a region is made of, and what its stores must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionTerms {
    /// The resource `digitalocean_vpc` that all of it stands in.
    pub vpc: String,
    /// The droplets.
    pub droplets: Vec<DropletTerms>,
    /// Nightly and other jobs of the droplets, each of which reports how it ended.
    pub jobs: Vec<JobTerms>,
    /// How old the newest sample and the newest line of a cluster may be, by the store's clock.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub freshness: SignedDuration,
    /// How far back the store of metrics is asked for a cluster's newest sample.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub history: SignedDuration,
    /// The same for a cluster that was taken down.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub ended_history: SignedDuration,
    /// Names of the series that vmalert records: the join of container metrics with `kube_pod_labels`.
    pub recorded: Vec<String>,
    /// The label keys, some of `labels`, that rows of these series carry.
    pub recorded_labels: Vec<LabelKey>,
    /// Share of the pods with both inputs of the join that may have no row.
    pub recorded_missing: f64,
    /// The time from writing a line to receiving it that 99 of 100 lines must stay below.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub log_delay: SignedDuration,
    /// How far back dead letters count.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub dead_letter_window: SignedDuration,
    /// By the aggregator's reason, the share of a cluster's records that may be dead letters of it: containers make some. Of any
    /// other reason none may be.
    pub dead_letter_shares: BTreeMap<String, f64>,
    /// How many of those are few, whatever their share is, unless it is most.
    pub dead_letters_few: u64,
    /// Share of the aggregator's buffer that may be in use.
    pub buffer_used: f64,
    /// How old the newest snapshot of a store's volume may be: they are made every night.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub snapshot_age: SignedDuration,
    /// The tables of ClickHouse's database `logs`, with the types of their columns as ClickHouse writes them.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
}

/// A droplet of the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DropletTerms {
    /// What its resources are called: `digitalocean_droplet`, `digitalocean_volume`, `digitalocean_firewall`.
    pub resource: String,
    /// Its name and its volume's, before `-REGION`.
    pub name: String,
    /// Its size.
    pub size: String,
    /// Whether snapshots of its volume are made.
    pub snapshots: bool,
}

/// A job on a droplet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobTerms {
    /// The droplet, by `resource`.
    pub droplet: String,
    /// The systemd unit without `.service`.
    pub name: String,
    /// How long ago it may last have succeeded.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    #[schemars(with = "String")]
    pub age: SignedDuration,
}

// === impl RegionTerms ===

impl RegionTerms {
    /// What is wrong with it, in a way that types cannot say.
    pub(super) fn verify(&self, labels: &[LabelKey]) -> Result<(), String> {
        let word = |text: &str| {
            !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
        };
        if let Some(name) = self.recorded.iter().find(|name| !word(name)) {
            return Err(format!(
                "components.region.recorded has {name:?}, which is no name of a series"
            ));
        }
        if self.recorded.is_empty() || self.droplets.is_empty() || self.jobs.is_empty() || self.tables.is_empty() {
            return Err("components.region has no recorded series, droplets, jobs or tables to look for".to_owned());
        }
        if self.recorded_labels.is_empty() {
            return Err("components.region.recordedLabels is empty: rows of nobody would do".to_owned());
        }
        if let Some(key) = self.recorded_labels.iter().find(|key| !labels.contains(key)) {
            return Err(format!(
                "components.region.recordedLabels has {key}, which is none of labels"
            ));
        }
        if let Some(table) = self.tables.keys().find(|table| !word(table)) {
            return Err(format!(
                "components.region.tables has {table:?}, which is no name of a table"
            ));
        }
        for job in &self.jobs {
            if !self.droplets.iter().any(|droplet| droplet.resource == job.droplet) {
                return Err(format!(
                    "components.region.jobs has {} on {}, which is none of its droplets",
                    job.name, job.droplet
                ));
            }
        }
        let shares = self.dead_letter_shares.values();
        let shares = shares.map(|share| ("deadLetterShares", *share));
        let others = [
            ("recordedMissing", self.recorded_missing),
            ("bufferUsed", self.buffer_used),
        ];
        for (key, share) in others.into_iter().chain(shares) {
            if !(0.0..1.0).contains(&share) {
                return Err(format!(
                    "components.region.{key} is {share}; it is a share, at least 0 and below 1"
                ));
            }
        }
        for (key, duration) in [
            ("freshness", self.freshness),
            ("history", self.history),
            ("endedHistory", self.ended_history),
            ("deadLetterWindow", self.dead_letter_window),
        ] {
            if duration.as_secs() < 60 {
                return Err(format!(
                    "components.region.{key} is below a minute: no store is that quick"
                ));
            }
        }
        Ok(())
    }
}
