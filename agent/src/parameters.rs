//! The three things that Shuttle knows: cluster ID, region, token. Read from the files of a mounted Secret, and again
//! whenever they change.

mod files;
mod label_value;
mod watching;

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

pub use self::files::{ParametersError, Problem, read};
pub use self::watching::{Watched, watch};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// An ID.
    ///
    /// # Errors
    /// Where it could not be a label's value.
    pub fn new(text: &str) -> Result<Self, Problem> {
        label_value::checked(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Region ===

impl Region {
    /// A region.
    ///
    /// # Errors
    /// Where it could not be a label's value.
    pub fn new(text: &str) -> Result<Self, Problem> {
        label_value::checked(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Token ===

impl Token {
    /// A token. Only what can stand in an HTTP header, without spaces.
    ///
    /// # Errors
    /// Where it is empty or holds anything else; says where, never what.
    pub fn new(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
            Some(position) => Err(Problem::NotAToken { position }),
            None => Ok(Self(SecretString::from(text))),
        }
    }

    /// The token itself, for the header `Authorization` and for keeping it out of what is printed. Nothing else.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        // Both are the agent's own: nobody else can time this.
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests;
