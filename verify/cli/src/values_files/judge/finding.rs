//! What is wrong at a place of a file. Each is told: whoever mends a file wants them all.

use super::Audit;
use starform_verify::report::ObjectReference;
use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding<'a> {
    file: &'a str,
    line: Option<u64>,
    what: String,
}

// === impl Finding ===

impl<'a> Finding<'a> {
    /// One in a file, at a line where it has one.
    pub(super) fn new(file: &'a str, line: Option<u64>, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { file, line, what }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line} {}", self.file, self.what),
            None => write!(f, "{} {}", self.file, self.what),
        }
    }
}

/// All of them, in words.
pub(super) fn all(findings: &[Finding<'_>]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

// === impl Audit ===

impl Audit<'_> {
    /// The places, as reports name them: each once.
    pub(super) fn places(self, findings: &[Finding<'_>]) -> Vec<ObjectReference> {
        let places = findings.iter().map(|finding| self.file(finding.file, finding.line));
        let mut places: Vec<ObjectReference> = places.collect();
        places.dedup();
        places
    }
}
