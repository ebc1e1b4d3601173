//! Why a request to Starbase had no success, and what to do about it.

use super::TransportError;
use crate::lifecycle::{Setback, SetbackKind};
use http::{Method, StatusCode};
use std::time::Duration;

/// A request that had no success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} {url}: {refusal}")]
pub struct RequestError {
    /// The request's method.
    pub method: Method,
    /// Its whole URL. The token is never part of it.
    pub url: String,
    /// What came of it.
    pub refusal: Refusal,
}

/// What came of a request that had no success. `detail` is Starbase's own word, on one line and bounded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401.
    #[error(
        "401, Starbase does not accept this token: {detail}; mint a new one for cluster ID `{cluster_id}` and put it into the \
         Secret `shuttle`, key `token`: it takes effect without a restart"
    )]
    UnknownToken {
        /// The own cluster ID.
        cluster_id: String,
        /// Starbase's word.
        detail: String,
    },
    /// 403.
    #[error(
        "403, this token is not for cluster ID `{cluster_id}`: {detail}; the keys `cluster-id` and `token` of the Secret \
         `shuttle` have to belong together"
    )]
    ForeignToken {
        /// The own cluster ID.
        cluster_id: String,
        /// Starbase's word.
        detail: String,
    },
    /// 409.
    #[error(
        "409, cluster ID `{cluster_id}` is registered by another cluster ({}): {detail}; if that cluster goes, run `shuttle \
         deregister` there; if it is gone, revoke its token, then mint a new one and put it into the Secret `shuttle` here; \
         if it stays, this cluster needs an ID of its own", uid(.registered_uid.as_deref())
    )]
    TakenId {
        /// The own cluster ID.
        cluster_id: String,
        /// The other cluster's UID, where Starbase says it.
        registered_uid: Option<String>,
        /// Starbase's word.
        detail: String,
    },
    /// 422.
    #[error("422, Starbase wants a report that says more: {detail}; the cluster is verified again")]
    WantsMore {
        /// Starbase's word.
        detail: String,
    },
    /// 404 or 410.
    #[error("{status}, Starbase has no such registration: {detail}; the cluster is registered again", status = .status.as_u16())]
    Unregistered {
        /// Which of both.
        status: StatusCode,
        /// Starbase's word.
        detail: String,
    },
    /// 412.
    #[error(
        "412, a later registration of this cluster stands ({}): {detail}; another agent leads, and this one steps down",
        generation(*.standing)
    )]
    Superseded {
        /// The generation that stands, where Starbase says it.
        standing: Option<u64>,
        /// Starbase's word.
        detail: String,
    },
    /// 429, 503.
    #[error("{status}, Starbase asks for patience{}: {detail}", patience(*.after), status = .status.as_u16())]
    Busy {
        /// Which of both.
        status: StatusCode,
        /// `Retry-After`.
        after: Option<Duration>,
        /// Starbase's word.
        detail: String,
    },
    /// Any other 5xx.
    #[error("{status}, Starbase failed: {detail}; it is asked again", status = .status.as_u16())]
    Failed {
        /// Which.
        status: StatusCode,
        /// `Retry-After`, where it says so nevertheless.
        after: Option<Duration>,
        /// Starbase's word.
        detail: String,
    },
    /// An answer of the API that this request has no use for, such as 400.
    #[error(
        "{status}, Starbase does not understand this request: {detail}; the versions of Shuttle and Starbase may not fit \
         together", status = .status.as_u16()
    )]
    NotUnderstood {
        /// Which.
        status: StatusCode,
        /// Starbase's word.
        detail: String,
    },
    /// An answer that cannot have come from Starbase.
    #[error(
        "{status}, the answer is not Starbase's: {what}; a proxy, a load balancer or a captive portal may have answered in \
         its place", status = .status.as_u16()
    )]
    NotTheApi {
        /// Its status.
        status: StatusCode,
        /// What is wrong with it.
        what: String,
    },
    /// No answer.
    #[error("{0}")]
    Unreachable(TransportError),
}

// === impl Refusal ===

impl Refusal {
    /// What follows from it for the lifecycle.
    #[must_use]
    pub fn kind(&self) -> SetbackKind {
        match self {
            Self::UnknownToken { .. } | Self::ForeignToken { .. } | Self::TakenId { .. } => SetbackKind::Rejected,
            Self::WantsMore { .. } => SetbackKind::VerifyAgain,
            Self::Unregistered { .. } => SetbackKind::Unregistered,
            Self::Superseded { .. } => SetbackKind::Superseded,
            Self::Busy { after, .. } | Self::Failed { after, .. } => SetbackKind::Later { after: *after },
            Self::NotUnderstood { .. } | Self::NotTheApi { .. } | Self::Unreachable(_) => {
                SetbackKind::Later { after: None }
            }
        }
    }
}

impl From<RequestError> for Setback {
    fn from(error: RequestError) -> Self {
        Self {
            kind: error.refusal.kind(),
            message: error.to_string(),
        }
    }
}

fn uid(uid: Option<&str>) -> String {
    uid.map_or_else(|| "Starbase does not say which".to_owned(), |uid| format!("UID {uid}"))
}

fn generation(generation: Option<u64>) -> String {
    generation.map_or_else(
        || "Starbase does not say which".to_owned(),
        |generation| format!("generation {generation}"),
    )
}

fn patience(after: Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!(" for {} s", after.as_secs()))
}
