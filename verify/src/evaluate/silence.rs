//! Whether what did not answer is to blame for it, or the line to the cluster, or the time that it was given.

use super::subject::Subject;
use crate::evidence::{Reason, Trouble, Unknown, Vantage};

/// Whether something in the cluster kept silent: it was reached and gave no answer in the time in which it has to, or the API
/// server could not reach it. What a slow line, a short `--request-timeout` or an API server that is away leave open is unknown.
pub(super) fn is_silent(subject: Subject<'_>, unknown: &Unknown) -> bool {
    let inside = subject.evidence.target.vantage == Vantage::Inside;
    match unknown.reason {
        // From outside a connection is made to the API server alone; what it says of others is no trouble of the connection.
        Reason::Unreachable => inside || unknown.trouble.is_none(),
        Reason::TimedOut => {
            let due = subject.contract.thresholds.scrape_timeout.as_millis();
            let had_its_time = unknown.waited.is_some_and(|waited| i128::from(waited.ms) >= due);
            let is_of_the_line =
                unknown.trouble == Some(Trouble::Slow) || (!inside && subject.evidence.slow().is_some());
            had_its_time && !is_of_the_line
        }
        _ => false,
    }
}
