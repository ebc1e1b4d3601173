//! A cluster that differs from a healthy one in one thing.

use crate::given::healthy;
use starform_verify::evidence::Evidence;
use starform_verify::report::Verdict;

/// One difference, and what its check says of it.
pub(crate) struct Case {
    /// What is different, in words; empty where what is said of it says it.
    pub(crate) name: &'static str,
    /// The check that tells it.
    pub(crate) code: &'static str,
    /// What the check comes to.
    pub(crate) verdict: Verdict,
    /// What stands somewhere in what was observed.
    pub(crate) says: &'static str,
    /// Makes the difference.
    pub(crate) change: fn(&mut Evidence),
}

impl Case {
    /// The evidence of that cluster.
    pub(crate) fn evidence(&self) -> Evidence {
        let mut evidence = healthy();
        (self.change)(&mut evidence);
        evidence
    }
}
