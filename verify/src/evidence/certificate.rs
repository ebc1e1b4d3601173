//! What ends by its date: certificates and tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A certificate, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Its subject, cut at a bound: `CN=kube-apiserver`.
    pub subject: String,
    /// The last moment at which it is valid.
    pub until: Timestamp,
    /// The first, where that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// What a bearer token says of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenTime {
    /// Until when it is valid.
    pub until: Timestamp,
    /// When it was issued, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// What the API server knows the audit by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// The kubeconfig's client certificate.
    Certificate(Certificate),
    /// A bearer token, and what it says of its time; null where it does not say.
    Token(#[serde(deserialize_with = "super::read::present")] Option<TokenTime>),
}
