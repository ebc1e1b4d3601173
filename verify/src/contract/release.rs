//! A Helm release, and what its values have to say.

use super::{VersionRequirement, parse_version};
use crate::scalar::Scalar;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

/// What stands in a path for every item of a list, and for every key of a map that the contract does not name.
pub const EVERY: &str = "*";

/// A Helm release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Release name.
    pub name: String,
    /// Chart, as `helm` takes it: `ALIAS/CHART` or `oci://…`.
    pub chart: String,
    /// Address of the repository that the alias stands for.
    #[serde(default)]
    pub repository: Option<String>,
    /// Chart version to install.
    pub version: String,
    /// Chart versions that are accepted where one stands already.
    pub versions: VersionRequirement,
    /// Namespace to install into.
    pub namespace: String,
    /// Namespaces in which it may stand all the same, with a warning.
    #[serde(default)]
    pub accepted_namespaces: Vec<String>,
    /// Values file, beside `helmfile.yaml`.
    pub values: String,
    /// Whether it also takes `regions/REGION.yaml`, and the cluster's ID as `cluster.name`.
    #[serde(default)]
    pub per_cluster: bool,
    /// What the values have to say. Of the values that Helm keeps nothing is read but these paths.
    #[serde(default)]
    pub value_terms: Vec<ValueTerm>,
}

/// What has to stand at one path of the values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValueTerm {
    /// The keys that lead there. `*` is every item of a list, or every key that no other path names.
    pub path: Vec<String>,
    /// What has to stand there.
    pub must: Must,
    /// What the chart takes where nothing stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// What is lost where it does not.
    pub why: String,
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Must {
    /// This value, at every place that the path leads to.
    Equal(Scalar),
    /// This value, at one place at least.
    EqualOnce(Scalar),
    /// Something: no empty text, list or map.
    BeSet,
    /// Nothing, or an empty text, list or map.
    BeUnset,
    /// Each of these words, somewhere in it. Lines that are comments do not count.
    Contain(Vec<String>),
    /// None of these words. Lines that are comments do not count.
    Lack(Vec<String>),
    /// kube-state-metrics' allow-list, that shows every label of the contract.
    #[serde(rename_all = "camelCase")]
    ShowLabels {
        /// The first chart version whose program understands patterns such as `starform.io/*`.
        #[schemars(with = "String")]
        patterns_since: Version,
    },
}

// === impl Release ===

impl Release {
    /// The chart's own name: `victoria-metrics-agent`.
    #[must_use]
    pub fn chart_name(&self) -> &str {
        self.chart.rsplit('/').next().unwrap_or(&self.chart)
    }

    /// The chart of the version to install, as `helm` takes it where it knows no repository:
    /// `kube-state-metrics --repo https://… --version 8.4.0`.
    #[must_use]
    pub fn chart_by_address(&self) -> Vec<String> {
        let mut words = match &self.repository {
            Some(repository) => vec![self.chart_name().to_owned(), "--repo".to_owned(), repository.clone()],
            None => vec![self.chart.clone()],
        };
        words.extend(["--version".to_owned(), self.version.clone()]);
        words
    }

    /// Every namespace in which it may stand, its own first.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.namespace)
            .chain(&self.accepted_namespaces)
            .map(String::as_str)
    }

    /// What the types cannot say.
    pub(super) fn verify(&self) -> Result<(), String> {
        let name = &self.name;
        let version = parse_version(&self.version)
            .ok_or_else(|| format!("version {:?} of release {name} is no version", self.version))?;
        if !self.versions.accepts(&version) {
            return Err(format!(
                "release {name} installs version {}, which its own versions {} do not accept",
                self.version, self.versions
            ));
        }
        for term in &self.value_terms {
            let empty = match &term.must {
                Must::Contain(words) | Must::Lack(words) => words.is_empty() || words.iter().any(String::is_empty),
                _ => false,
            };
            if term.path.is_empty() || empty {
                return Err(format!(
                    "a value term of release {name} has no path or no word: it would always hold"
                ));
            }
        }
        Ok(())
    }
}

// === impl ValueTerm ===

impl ValueTerm {
    /// The path in words: `extraArgs."promscrape.maxScrapeSize"`, `remoteWrite[*].queues`.
    #[must_use]
    pub(crate) fn place(&self) -> String {
        let mut place = String::new();
        for key in &self.path {
            push_key(&mut place, key);
        }
        place
    }
}

// === impl Must ===

impl Must {
    /// Whether the value itself is compared, so that it has to be known.
    #[must_use]
    pub(crate) fn compares(&self) -> bool {
        matches!(self, Self::Equal(_) | Self::EqualOnce(_) | Self::ShowLabels { .. })
    }

    /// The words that are looked for.
    #[must_use]
    pub(crate) fn words(&self) -> &[String] {
        match self {
            Self::Contain(words) | Self::Lack(words) => words,
            _ => &[],
        }
    }
}

/// Adds a key to a place, as values are usually named.
pub fn push_key(place: &mut String, key: &str) {
    if key == EVERY {
        place.push_str("[*]");
        return;
    }
    if !place.is_empty() {
        place.push('.');
    }
    if key.contains(['.', '[', ' ']) {
        place.push('"');
        place.push_str(key);
        place.push('"');
    } else {
        place.push_str(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_as_values_usually_are() {
        let term = ValueTerm {
            path: ["remoteWrite", "*", "basicAuth.username"].map(str::to_owned).into(),
            must: Must::BeSet,
            default: None,
            why: String::new(),
        };
        assert_eq!(term.place(), "remoteWrite[*].\"basicAuth.username\"");
    }

    #[test]
    fn terms_are_written_as_they_read() {
        let term: ValueTerm = serde_saphyr::from_str(
            "{path: [mode], must: {equal: statefulSet}, default: deployment, why: the queue is lost}",
        )
        .unwrap();
        assert_eq!(term.must, Must::Equal(Scalar::Text("statefulSet".into())));
        let term: ValueTerm = serde_saphyr::from_str("{path: [a], must: beSet, why: w}").unwrap();
        assert_eq!(term.must, Must::BeSet);
        let term: ValueTerm =
            serde_saphyr::from_str("{path: [a], must: {showLabels: {patternsSince: 8.4.0}}, why: w}").unwrap();
        assert_eq!(
            term.must,
            Must::ShowLabels {
                patterns_since: Version::new(8, 4, 0)
            }
        );
    }
}
