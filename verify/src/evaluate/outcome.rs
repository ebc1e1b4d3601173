//! What a judgement comes to, before the report adds what it stands behind.

use crate::contract::Severity;
use crate::evaluate::fix::Advice;
use crate::evidence::{Observed, SLOW, Trouble, Unknown};
use crate::report::{CheckResult, Fix, ObjectReference, Verdict};

/// A judgement. `Err` is an early verdict, so that a check can use `?` where going on has no sense.
pub(super) type Judge = Result<Outcome, Box<Outcome>>;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) observed: String,
    pub(super) expected: String,
    pub(super) objects: Vec<ObjectReference>,
    pub(super) fix: Option<Advice>,
    pub(super) unknown: Option<Unknown>,
    /// The option that would ask.
    pub(super) option: Option<&'static str>,
    pub(super) lasting: bool,
    /// The Helm releases that are not there: what that means, other checks tell ([`super::Check::present`]).
    pub(super) absent: Vec<String>,
}

// === impl Outcome ===

impl Outcome {
    fn new(verdict: Verdict, observed: impl Into<String>) -> Self {
        Self {
            verdict,
            observed: observed.into(),
            expected: String::new(),
            objects: Vec::new(),
            fix: None,
            unknown: None,
            option: None,
            lasting: false,
            absent: Vec::new(),
        }
    }

    /// What was seen is as it should be.
    #[must_use]
    pub fn pass(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, observed)
    }

    pub(super) fn warn(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Warn, observed)
    }

    /// What was seen is broken.
    #[must_use]
    pub fn fail(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, observed)
    }

    /// It stands behind the check of that code.
    #[must_use]
    pub fn blocked(root: &str) -> Self {
        Self::new(Verdict::Blocked, super::blame::behind(root))
    }

    /// There is nothing to judge.
    #[must_use]
    pub fn not_applicable(observed: impl Into<String>) -> Self {
        Self::new(Verdict::NotApplicable, observed)
    }

    /// For a check of what an option would ask.
    pub(super) fn not_asked(observed: impl Into<String>, option: &'static str) -> Self {
        Self {
            option: Some(option),
            ..Self::new(Verdict::NotAsked, observed)
        }
    }

    pub(super) fn unknown(unknown: &Unknown) -> Self {
        Self {
            lasting: !unknown.reason.may_pass(),
            unknown: Some(unknown.clone()),
            fix: (unknown.trouble == Some(Trouble::Slow)).then(|| Advice::of_words(SLOW)),
            ..Self::new(Verdict::Unknown, unknown.to_string())
        }
    }

    /// Unknown for a reason that is not one request's: what was seen contradicts itself, or a needed value is missing.
    #[must_use]
    pub fn undetermined(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, observed)
    }

    /// The same, behind what was seen before.
    pub(super) fn with_told_before(mut self, observed: &str) -> Self {
        self.observed = format!("{observed}; {}", self.observed);
        self
    }

    pub(super) fn with_observed(mut self, observed: String) -> Self {
        self.observed = observed;
        self
    }

    /// Says what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// Adds the objects concerned.
    #[must_use]
    pub fn objects(mut self, objects: impl IntoIterator<Item = ObjectReference>) -> Self {
        self.objects.extend(objects);
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn fix(mut self, fix: Advice) -> Self {
        self.fix = Some(fix);
        self
    }

    pub(super) fn expected_unless_pass(self, expected: &str) -> Self {
        if self.verdict == Verdict::Pass {
            self
        } else {
            self.expected(expected)
        }
    }

    pub(super) fn fix_unless_pass(self, fix: Advice) -> Self {
        if self.verdict == Verdict::Pass {
            self
        } else {
            self.fix(fix)
        }
    }

    /// Says which Helm releases are not there.
    pub(super) fn absent(mut self, releases: impl IntoIterator<Item = String>) -> Self {
        self.absent.extend(releases);
        self
    }

    /// Marks it as something that waiting cannot mend.
    pub(super) fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// As a report tells it of a check of files: its advice is words.
    #[must_use]
    pub fn into_result(self, code: &str, slug: &str, title: &str, severity: Severity, gates: bool) -> CheckResult {
        let fix = self.fix.as_ref().map(Advice::words);
        self.into_result_with(fix, (code, slug, title), severity, gates)
    }

    /// As a report tells it of a check, with its advice as it is typed. What the check stands behind is not known to it.
    pub(super) fn into_result_with(
        self,
        fix: Option<Fix>,
        (code, slug, title): (&str, &str, &str),
        severity: Severity,
        gates: bool,
    ) -> CheckResult {
        CheckResult {
            code: code.to_owned(),
            slug: slug.to_owned(),
            title: title.to_owned(),
            severity,
            gates,
            verdict: self.verdict,
            observed: self.observed,
            expected: self.expected,
            objects: self.objects,
            fix,
            behind: None,
            unknown: self.unknown,
            option: self.option.map(str::to_owned),
            lasting: self.lasting,
            waiver: None,
        }
    }

    /// Ends a judgement early.
    pub(super) fn early<T>(self) -> Result<T, Box<Self>> {
        Err(Box::new(self))
    }
}

// === impl Observed ===

impl<T> Observed<T> {
    /// The value, where it was seen. The caller says what absence means; what is unknown is unknown.
    pub(super) fn or_else(&self, absent: impl FnOnce() -> Outcome) -> Result<&T, Box<Outcome>> {
        match self {
            Self::Seen(value) => Ok(value),
            Self::Absent => absent().early(),
            Self::Unknown(unknown) => Outcome::unknown(unknown).early(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Reason;

    #[test]
    fn what_waiting_may_mend_does_not_last() {
        for reason in [
            Reason::TimedOut,
            Reason::Unreachable,
            Reason::Forbidden,
            Reason::Refused,
        ] {
            let unknown = Unknown::new(reason, "GET /version", "no");
            assert_eq!(Outcome::unknown(&unknown).lasting, !reason.may_pass(), "{reason:?}");
        }
        assert!(Reason::TimedOut.may_pass() && !Reason::Forbidden.may_pass());
    }

    #[test]
    fn a_pass_expects_and_advises_nothing() {
        let fix = || Advice::of_words("mend it");
        let pass = Outcome::pass("").expected_unless_pass("more").fix_unless_pass(fix());
        assert_eq!((pass.expected.as_str(), pass.fix), ("", None));
        let fail = Outcome::fail("").expected_unless_pass("more").fix_unless_pass(fix());
        assert_eq!((fail.expected.as_str(), fail.fix), ("more", Some(fix())));
    }
}
