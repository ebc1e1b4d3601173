//! The three things that can be known of a fact: seen, absent, unknown.

use super::read;
use super::reason::Reason;
use super::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A fact about the cluster. Nothing that is not [`Observed::Seen`] can ever pass a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed<T> {
    /// It was looked at and this was there.
    Seen(T),
    /// It was looked at, and the API server said that it does not exist.
    Absent,
    /// It could not be looked at.
    Unknown(Unknown),
}

/// Why a fact is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    /// What kind of obstacle.
    pub reason: Reason,
    /// What was tried: method and path, or the source that this one stands behind.
    pub request: String,
    /// What came back, in words; cut at a bound.
    pub message: String,
    /// For [`Reason::Forbidden`]: the permission that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Of a connection that failed: the way in which it did. `None` where it did not, or where that is not told.
    #[serde(
        default,
        deserialize_with = "read::known_word",
        skip_serializing_if = "Option::is_none"
    )]
    pub trouble: Option<Trouble>,
    /// Of [`Reason::TimedOut`]: how long this answer was waited for, and what had come of it. `None` where that is not told: the
    /// audit's whole time was over, or no connection was made in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Waited>,
}

/// How long an answer was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waited {
    /// Since the request was sent, in milliseconds.
    pub ms: u64,
    /// How many bytes of its body had come by then.
    pub bytes: u64,
}

/// A permission as RBAC states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// `get` or `list`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural resource, with subresource where there is one: `services/proxy`.
    pub resource: String,
    /// Namespace, for a namespaced request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Object name, for a request of one object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Display for Access {
    /// `list endpointslices.discovery.k8s.io in namespace kube-system`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, " in namespace {namespace}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.access, self.reason) {
            (Some(access), Reason::Forbidden) => write!(f, "forbidden: {access}"),
            (_, Reason::NotCollected) => write!(f, "not collected: {}", self.message),
            (_, Reason::Behind) => write!(f, "{}: {}", self.request, self.message),
            _ => write!(f, "{}: {}: {}", self.reason, self.request, self.message),
        }
    }
}

// === impl Observed ===

impl<T> Observed<T> {
    /// Why it is unknown, where it is.
    #[must_use]
    pub fn unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::Seen(_) | Self::Absent => None,
        }
    }

    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        let why = "no selected check reads it, or time ran out before its turn";
        Self::Unknown(Unknown::new(Reason::NotCollected, "", why))
    }

    /// What stands behind `self`: unknown where `self` is unknown, absent where it is absent.
    #[must_use]
    pub(crate) fn behind<U>(&self, what: &str) -> Option<Observed<U>> {
        match self {
            Self::Seen(_) => None,
            Self::Absent => Some(Observed::Absent),
            Self::Unknown(unknown) => Some(Observed::Unknown(unknown.behind(what))),
        }
    }
}

impl<T> Default for Observed<T> {
    /// What evidence does not hold is unknown.
    fn default() -> Self {
        Self::not_collected()
    }
}

// === impl Unknown ===

impl Unknown {
    /// Unknown for this reason; neither a missing permission nor a connection that failed.
    #[must_use]
    pub fn new(reason: Reason, request: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason,
            request: request.into(),
            message: message.into(),
            access: None,
            trouble: None,
            waited: None,
        }
    }

    /// The reason why something that is found through `what` is unknown too. A missing permission stays named.
    #[must_use]
    pub(crate) fn behind(&self, what: &str) -> Self {
        if self.reason == Reason::Behind || self.reason == Reason::NotCollected || self.access.is_some() {
            return self.clone();
        }
        Self::new(Reason::Behind, format!("found through {what}"), self.to_string())
    }
}
