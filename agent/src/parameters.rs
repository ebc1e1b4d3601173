//! The three things that Shuttle knows: cluster ID, region, token. Read from the files of a mounted Secret, and again
//! whenever they change.

use secrecy::SecretString;
use std::fmt;

/// The cluster's ID, a label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterId(String);

/// The region's name, a label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

/// The bearer token. Its Debug form is empty of it, and it is wiped when dropped.
#[derive(Clone)]
pub struct Token(SecretString);

/// All three.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// `cluster-id`.
    pub cluster_id: ClusterId,
    /// `region`.
    pub region: Region,
    /// `token`.
    pub token: Token,
}

// === impl ClusterId ===

impl ClusterId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Region ===

impl Region {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Token ===

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
