//! Why a fact can be unknown.

use serde::{Deserialize, Serialize};
use starform_exposition::Incomplete;
use std::fmt;

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

impl From<Incomplete> for Reason {
    fn from(incomplete: Incomplete) -> Self {
        match incomplete {
            Incomplete::ContentAfterEof => Self::Malformed,
            Incomplete::NoEof | Incomplete::CutLine => Self::Truncated,
        }
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
