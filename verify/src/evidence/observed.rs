//! The three things that can be known of a fact: seen, absent, unknown.

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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
}

/// The kinds of obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// 403: the identity in use lacks a permission.
    Forbidden,
    /// 401: the credential was not accepted.
    Unauthorized,
    /// No complete answer in time.
    TimedOut,
    /// No connection, or it broke before an answer began.
    Unreachable,
    /// The server answered that it could not serve this: 429, 5xx, or a status that means nothing here.
    Refused,
    /// The answer is not what this request is answered with.
    Malformed,
    /// The answer stopped before its end.
    Truncated,
    /// The answer is larger than the bound on it.
    TooLarge,
    /// What this is found through is itself unknown.
    Behind,
    /// Not tried: no selected check reads it, or time ran out before its turn.
    NotCollected,
}

impl Reason {
    /// Whether trying again later can help without anybody changing anything.
    #[must_use]
    pub(crate) fn may_pass(self) -> bool {
        !matches!(
            self,
            Self::Forbidden | Self::Unauthorized | Self::Malformed | Self::TooLarge
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::TooLarge => "too large",
            Self::Behind => "behind",
            Self::NotCollected => "not collected",
        })
    }
}

/// A permission as RBAC states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    /// Nothing was tried.
    #[must_use]
    pub fn not_collected() -> Self {
        Self::Unknown(Unknown {
            reason: Reason::NotCollected,
            request: String::new(),
            message: "no selected check reads it, or time ran out before its turn".to_owned(),
            access: None,
        })
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

impl Unknown {
    /// The reason why something that is found through `what` is unknown too. A missing permission stays named.
    #[must_use]
    pub(crate) fn behind(&self, what: &str) -> Self {
        if self.reason == Reason::Behind || self.reason == Reason::NotCollected || self.access.is_some() {
            return self.clone();
        }
        Self {
            reason: Reason::Behind,
            request: format!("found through {what}"),
            message: self.to_string(),
            access: None,
        }
    }
}
