//! How much may be missing.

use crate::report::Verdict;

/// Judges how many of how many are not as they should be: one is a warning, more than the share fails, and so does all.
///
/// A share alone would fail a cluster of five pods for one; a number alone would fail a cluster of ten thousand for two.
pub(super) fn judge(bad: usize, all: usize, tolerated: f64) -> Verdict {
    match bad {
        0 => Verdict::Pass,
        _ if bad >= all => Verdict::Fail,
        1 => Verdict::Warn,
        _ if exceeds(bad, all, tolerated) => Verdict::Fail,
        _ => Verdict::Warn,
    }
}

/// Whether so many of how many are more than a share.
pub(super) fn exceeds(some: usize, all: usize, share: f64) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of pods; 2^52 of them are out of reach"
    )]
    let is = some as f64 / all.max(1) as f64;
    is > share
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0, Verdict::Pass)]
    #[case(0, 10, Verdict::Pass)]
    #[case::the_only_one(1, 1, Verdict::Fail)]
    #[case::a_single_one(1, 2, Verdict::Warn)]
    #[case::within_the_share(10, 100, Verdict::Warn)]
    #[case::beyond_the_share(11, 100, Verdict::Fail)]
    #[case::all(2, 2, Verdict::Fail)]
    fn one_warns_and_many_fail(#[case] bad: usize, #[case] all: usize, #[case] expected: Verdict) {
        assert_eq!(judge(bad, all, 0.1), expected);
    }
}
