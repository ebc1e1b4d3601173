//! Accepted versions.

use schemars::JsonSchema;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Accepted versions, in Cargo's notation: `>=1.33, <1.37`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct VersionRequirement(#[schemars(with = "String")] VersionReq);

/// Reads a version as Kubernetes objects carry it: `v1.35.4`, `2.20.0`, `v1.33.1-gke.1`.
///
/// What follows `-` or `+` marks a vendor's build of that version, not something older: it is dropped.
#[must_use]
pub(crate) fn parse_version(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let version = Version::parse(text).ok()?;
    Some(Version::new(version.major, version.minor, version.patch))
}

impl VersionRequirement {
    /// Whether a version is accepted.
    #[must_use]
    pub(crate) fn accepts(&self, version: &Version) -> bool {
        self.0.matches(version)
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
