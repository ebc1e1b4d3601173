//! Why the lifecycle stands where it does.

use super::Broken;
use std::fmt;

/// Why the lifecycle stands where it does: in words, and what of the rest of its state these words tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// In words; empty before there is any.
    pub words: String,
    /// The check that they tell of.
    pub broken: Option<Broken>,
    /// Starbase's setback that they are.
    pub setback: Option<String>,
}

// === impl Reason ===

impl Reason {
    /// A gating check does not pass.
    pub(super) fn of_broken(words: String, broken: &Broken) -> Self {
        Self {
            words,
            broken: Some(broken.clone()),
            setback: None,
        }
    }

    /// Starbase's answer is it.
    #[must_use]
    pub fn of_setback(message: &str) -> Self {
        Self {
            words: message.to_owned(),
            broken: None,
            setback: Some(message.to_owned()),
        }
    }

    /// What led here, and why it goes no further.
    pub(super) fn after(self, what: &str) -> Self {
        Self {
            words: format!("{what}; {}", self.words),
            ..self
        }
    }
}

impl<T: Into<String>> From<T> for Reason {
    /// Words that tell nothing else.
    fn from(words: T) -> Self {
        Self {
            words: words.into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
