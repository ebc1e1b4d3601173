//! Tells whether an API server answered at all.

use crate::evidence::{Evidence, Reason, Source, Trouble, Unknown, Vantage};
use crate::report::ToolError;

/// The error of the tool that evidence comes to where no API server answered: then there is no cluster to judge. `None`
/// where any source had an answer from it, be it that the identity in use lacks a permission; and inside the cluster, where
/// no kubeconfig is to be mended.
///
/// It is made from the evidence alone, so that a replayed audit ends as the live one did.
pub(super) fn tool_error(evidence: &Evidence) -> Option<ToolError> {
    let unknown = evidence.api_server.unknown()?;
    // Each of Helm's releases is known or unknown by itself.
    let answers = |source: &Source| source.is_of_api_server() && *source != Source::HelmReleases;
    let is_silent = |source| evidence.unknown(source).is_some_and(is_silent);
    if unknown.reason == Reason::NotCollected
        || evidence.target.vantage == Vantage::Inside
        || !Source::ALL.into_iter().filter(answers).all(is_silent)
    {
        return None;
    }
    Some(ToolError {
        message: format!("no API server answered: {}", unknown.message),
        hints: trouble(unknown).hints(),
    })
}

/// The way in which the connection failed. Where evidence does not tell, it is as far as its reason goes.
fn trouble(unknown: &Unknown) -> Trouble {
    unknown.trouble.unwrap_or(match unknown.reason {
        Reason::Unauthorized => Trouble::Unauthorized,
        _ => Trouble::TimedOut,
    })
}

/// Whether nothing came from the API server.
fn is_silent(unknown: &Unknown) -> bool {
    match unknown.reason {
        Reason::TimedOut | Reason::Unreachable | Reason::Unauthorized | Reason::Behind | Reason::NotCollected => true,
        Reason::Malformed => matches!(unknown.trouble, Some(Trouble::NotTheApi | Trouble::NotHttp)),
        Reason::Forbidden | Reason::Refused | Reason::Truncated | Reason::TooLarge => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Observed, Target};
    use jiff::Timestamp;
    use rstest::rstest;

    /// Of a cluster from which nothing came, told by the API server alone.
    fn silent(unknown: Unknown) -> Evidence {
        let target = Target {
            context: None,
            context_named: false,
            kubeconfig: None,
            vantage: Vantage::Outside,
        };
        let mut evidence = Evidence::empty(target, String::new(), Vec::new(), Timestamp::UNIX_EPOCH);
        evidence.api_server = Observed::Unknown(unknown);
        evidence
    }

    fn with(reason: Reason, trouble: Option<Trouble>) -> Unknown {
        Unknown {
            trouble,
            ..Unknown::new(reason, "GET /version", "words that nothing is found in")
        }
    }

    #[rstest]
    #[case::as_it_is_told(Reason::Unreachable, Some(Trouble::Dns), Some(Trouble::Dns))]
    #[case::of_a_portal(Reason::Malformed, Some(Trouble::NotTheApi), Some(Trouble::NotTheApi))]
    #[case::of_something_else(Reason::Malformed, Some(Trouble::NotHttp), Some(Trouble::NotHttp))]
    #[case::an_answer_that_is_not_whole(Reason::Malformed, None, None)]
    #[case::told_by_its_reason(Reason::Unauthorized, None, Some(Trouble::Unauthorized))]
    #[case::told_by_its_time(Reason::TimedOut, None, Some(Trouble::TimedOut))]
    #[case::an_answer(Reason::Forbidden, None, None)]
    #[case::not_tried(Reason::NotCollected, None, None)]
    fn what_failed_is_told_by_its_field(
        #[case] reason: Reason,
        #[case] told: Option<Trouble>,
        #[case] advised: Option<Trouble>,
    ) {
        let error = tool_error(&silent(with(reason, told)));
        assert_eq!(error.map(|error| error.hints), advised.map(Trouble::hints));
    }

    #[test]
    fn one_answer_is_enough() {
        let mut evidence = silent(with(Reason::TimedOut, None));
        evidence.pods = Observed::Absent;
        assert_eq!(tool_error(&evidence), None);
        evidence.pods = Observed::Unknown(with(Reason::Refused, None));
        assert_eq!(tool_error(&evidence), None);
        // What a store or Starbase answers is no word of the API server's.
        evidence.pods = Observed::not_collected();
        evidence.shuttle.starbase = Observed::Absent;
        evidence.region.log_aggregator = Observed::Absent;
        assert!(tool_error(&evidence).is_some());
    }

    #[test]
    fn inside_there_is_no_kubeconfig_to_mend() {
        let mut evidence = silent(with(Reason::TimedOut, None));
        evidence.target.vantage = Vantage::Inside;
        assert_eq!(tool_error(&evidence), None);
    }
}
