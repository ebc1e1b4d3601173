//! A cluster that differs from a healthy one in one thing, and what its check says of it:
//! `fails("SF104", "the cluster has no node").when("no node", |e| nodes(e).clear())`.
//!
//! A line of it that is too long for rustfmt stops it silently at the whole table: such a text is broken by `\`.

use crate::given::healthy;
use starform_verify::evidence::Evidence;
use starform_verify::report::Verdict;

/// What a check says of a cluster.
pub(crate) struct Answer {
    code: &'static str,
    verdict: Verdict,
    says: &'static str,
}

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
    change: fn(&mut Evidence),
}

/// The check passes, and what it observed has these words in it.
pub(crate) const fn passes(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::Pass, code, says)
}

/// The check warns with these words.
pub(crate) const fn warns(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::Warn, code, says)
}

/// The check fails with these words.
pub(crate) const fn fails(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::Fail, code, says)
}

/// What the check judges was not seen, and these words say why.
pub(crate) const fn unseen(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::Unknown, code, says)
}

/// The check stands behind another.
pub(crate) const fn blocked(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::Blocked, code, says)
}

/// The check has no subject, and these words say why.
pub(crate) const fn not_applicable(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::NotApplicable, code, says)
}

/// Nobody asked for what the check judges; these words name the option.
pub(crate) const fn not_asked(code: &'static str, says: &'static str) -> Answer {
    Answer::new(Verdict::NotAsked, code, says)
}

// === impl Answer ===

impl Answer {
    const fn new(verdict: Verdict, code: &'static str, says: &'static str) -> Self {
        Self { code, verdict, says }
    }

    /// It says so of this difference.
    pub(crate) const fn when(self, name: &'static str, change: fn(&mut Evidence)) -> Case {
        let Self { code, verdict, says } = self;
        Case {
            name,
            code,
            verdict,
            says,
            change,
        }
    }

    /// It says so after this change, and what it says is all that there is to say of the difference.
    pub(crate) const fn after(self, change: fn(&mut Evidence)) -> Case {
        self.when("", change)
    }
}

// === impl Case ===

impl Case {
    /// What it is called: what is different, else what is said of it.
    pub(crate) fn title(&self) -> &'static str {
        if self.name.is_empty() { self.says } else { self.name }
    }

    /// The evidence of that cluster.
    pub(crate) fn evidence(&self) -> Evidence {
        let mut evidence = healthy();
        (self.change)(&mut evidence);
        evidence
    }
}
