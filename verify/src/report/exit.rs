//! The exit code of a report: the same in every output form.

use super::{Report, Verdict};

/// What the process ends with. The order of precedence is that of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitCode {
    /// 2: bad usage, contract or evidence, or an empty selection.
    Usage,
    /// 1: the tool could not run: no API server answered at all, or it was interrupted.
    Tool,
    /// 3: at least one check failed, or stands behind one that failed.
    Fail,
    /// 5: at least one check could not be seen.
    Unknown,
    /// 4: warnings only, and they were asked to count.
    Warning,
    /// 0: the cluster conforms.
    Conforms,
}

/// The least verdict that the exit code tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Only failures (and what could not be seen).
    #[default]
    Fail,
    /// Warnings too.
    Warning,
}

/// The exit code of a report.
#[must_use]
pub fn exit_code(report: &Report, fail_on: FailOn) -> ExitCode {
    let came_to = |verdict: Verdict| report.checks().any(|check| check.verdict == verdict);
    if report.error.as_ref().is_some_and(|error| !error.forbidden) {
        ExitCode::Tool
    } else if report.error.is_none() && report.checks().next().is_none() {
        // An audit of nothing must not pass.
        ExitCode::Usage
    } else if came_to(Verdict::Fail) || came_to(Verdict::Blocked) {
        ExitCode::Fail
    } else if came_to(Verdict::Unknown) || !report.summary.conforms {
        // Where no check had a subject, nothing is known either.
        ExitCode::Unknown
    } else if fail_on == FailOn::Warning && came_to(Verdict::Warn) {
        ExitCode::Warning
    } else {
        ExitCode::Conforms
    }
}

// === impl ExitCode ===

impl ExitCode {
    /// The number.
    fn number(self) -> u8 {
        match self {
            Self::Conforms => 0,
            Self::Tool => 1,
            Self::Usage => 2,
            Self::Fail => 3,
            Self::Warning => 4,
            Self::Unknown => 5,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::sample;
    use crate::report::ToolError;
    use rstest::rstest;

    #[rstest]
    #[case::passes(&[Verdict::Pass], 0)]
    #[case::a_warning_conforms(&[Verdict::Pass, Verdict::Warn], 0)]
    #[case::unknown(&[Verdict::Pass, Verdict::Unknown, Verdict::Warn], 5)]
    #[case::fail_over_unknown(&[Verdict::Unknown, Verdict::Fail], 3)]
    #[case::only_blocked(&[Verdict::Blocked], 3)]
    #[case::waived(&[Verdict::Waived, Verdict::NotApplicable, Verdict::Pass], 0)]
    #[case::what_was_not_asked_is_no_matter(&[Verdict::Pass, Verdict::NotAsked], 0)]
    #[case::nothing(&[], 2)]
    fn precedence(#[case] verdicts: &[Verdict], #[case] code: u8) {
        let report = sample::report(verdicts);
        assert_eq!(exit_code(&report, FailOn::Fail).number(), code);
    }

    #[test]
    fn warnings_count_only_when_asked_to() {
        let report = sample::report(&[Verdict::Pass, Verdict::Warn]);
        assert_eq!(exit_code(&report, FailOn::Warning).number(), 4);
        let report = sample::report(&[Verdict::Warn, Verdict::Unknown]);
        assert_eq!(exit_code(&report, FailOn::Warning).number(), 5);
    }

    #[rstest]
    #[case::nothing_was_seen(&[], 5)]
    #[case::what_was_seen_passes(&[Verdict::Pass], 5)]
    #[case::what_was_seen_fails(&[Verdict::Fail], 3)]
    fn where_nothing_may_be_read_nothing_is_known(#[case] verdicts: &[Verdict], #[case] code: u8) {
        let mut report = sample::report(verdicts);
        report.summary.conforms = false;
        report.error = Some(ToolError {
            forbidden: true,
            ..ToolError::new("forbidden", Vec::new())
        });
        assert_eq!(exit_code(&report, FailOn::Fail).number(), code);
    }

    #[test]
    fn a_tool_error_outranks_every_verdict() {
        let mut report = sample::report(&[Verdict::Fail]);
        report.error = Some(ToolError::new("interrupted", Vec::new()));
        assert_eq!(exit_code(&report, FailOn::Fail).number(), 1);
    }
}
