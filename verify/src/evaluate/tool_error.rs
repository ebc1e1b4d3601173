//! Tells whether an API server answered at all, and whether any of it may be read.

use super::grant;
use super::subject::Subject;
use crate::evidence::{Evidence, Observed, Reason, Source, Trouble, Unknown, Vantage};
use crate::report::ToolError;

/// The one cause for which nothing of a cluster is known: no API server answered, or the one that did lets the identity in use
/// read nothing. `None` where any source was read; and inside the cluster, where no kubeconfig is to be mended.
///
/// It is made from the evidence alone, so that a replayed audit ends as the live one did.
pub(super) fn tool_error(subject: Subject<'_>) -> Option<ToolError> {
    let evidence = subject.evidence;
    if evidence.target.vantage == Vantage::Inside {
        return None;
    }
    let mut error = unanswered(evidence).or_else(|| forbidden(subject))?;
    error.tried = evidence.target.tried();
    Some(error)
}

/// The sources that the API server answers for. Each of Helm's releases is known or unknown by itself.
fn sources() -> impl Iterator<Item = Source> {
    let answers = |source: &Source| source.is_of_api_server() && *source != Source::HelmReleases;
    Source::ALL.into_iter().filter(answers)
}

fn unanswered(evidence: &Evidence) -> Option<ToolError> {
    let unknown = evidence.api_server.unknown()?;
    let by_another = is_foreign(unknown);
    let is_silent = |source| {
        let unknown = evidence.unknown(source);
        unknown.is_some_and(|unknown| is_silent(unknown, by_another))
    };
    if unknown.reason == Reason::NotCollected || !sources().all(is_silent) {
        return None;
    }
    let message = format!("no API server answered: {}", unknown.message);
    Some(ToolError::new(message, trouble(unknown).hints()))
}

/// That each of several sources was refused for want of a permission, and none was read. `/version` may be read by all.
fn forbidden(subject: Subject<'_>) -> Option<ToolError> {
    let evidence = subject.evidence;
    match &evidence.api_server {
        Observed::Seen(_) => {}
        Observed::Unknown(unknown) if unknown.reason == Reason::Forbidden => {}
        Observed::Absent | Observed::Unknown(_) => return None,
    }
    let mut refused: Vec<&Unknown> = Vec::new();
    for source in sources().filter(|source| *source != Source::ApiServer) {
        let unknown = evidence.unknown(source)?;
        match unknown.reason {
            Reason::Forbidden => refused.push(unknown),
            Reason::Behind | Reason::NotCollected => {}
            _ => return None,
        }
    }
    let [first, _, ..] = refused.as_slice() else {
        return None;
    };
    let what = (first.access.as_ref()).map_or_else(|| first.message.clone(), ToString::to_string);
    let message = format!("the identity in use may read nothing that is judged, beginning with: {what}");
    let line = grant::line(subject, refused.iter().filter_map(|unknown| unknown.access.as_ref()));
    let hints = vec![
        "`kubectl auth whoami` says which identity it is".to_owned(),
        format!("`{line}`, typed by whoever may grant it, gives the least roles"),
    ];
    Some(ToolError {
        forbidden: true,
        ..ToolError::new(message, hints)
    })
}

/// The way in which the connection failed. Where evidence does not tell, it is as far as its reason goes.
fn trouble(unknown: &Unknown) -> Trouble {
    unknown.trouble.unwrap_or(match unknown.reason {
        Reason::Unauthorized => Trouble::Unauthorized,
        _ => Trouble::TimedOut,
    })
}

/// Whether what answered is no API server.
fn is_foreign(unknown: &Unknown) -> bool {
    matches!(unknown.trouble, Some(Trouble::NotTheApi | Trouble::NotHttp))
}

/// Whether nothing came from an API server. What stands in its place (`by_another`) refuses everything in words of its own.
fn is_silent(unknown: &Unknown, by_another: bool) -> bool {
    match unknown.reason {
        // Of what comes slowly something came.
        Reason::TimedOut => unknown.trouble != Some(Trouble::Slow),
        Reason::Unreachable | Reason::Unauthorized | Reason::Behind | Reason::NotCollected => true,
        Reason::Malformed => by_another || is_foreign(unknown),
        Reason::Refused => by_another,
        Reason::Forbidden | Reason::Truncated | Reason::TooLarge => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Target;
    use jiff::Timestamp;
    use rstest::rstest;

    fn tool_error(evidence: &Evidence) -> Option<ToolError> {
        let contract = &crate::contract::Contract::embedded().unwrap();
        super::tool_error(Subject { contract, evidence })
    }

    /// Of a cluster from which nothing came, told by the API server alone.
    fn silent(unknown: Unknown) -> Evidence {
        let target = Target::outside();
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
    #[case::that_came_slowly(Reason::TimedOut, Some(Trouble::Slow), None)]
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
