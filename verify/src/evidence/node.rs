//! What several checks and the agent need to know of a node, so that they mean the same.

use super::apiserver::{Condition, Node};
use jiff::{SignedDuration, Timestamp};

// === impl Node ===

impl Node {
    /// Whether its kubelet says that it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.as_ref().is_some_and(Condition::is_true)
    }

    /// Whether it is older than that. What is just as old is not; one that does not say how old it is counts as old.
    #[must_use]
    pub fn is_older(&self, now: Timestamp, than: SignedDuration) -> bool {
        self.created.is_none_or(|created| now.duration_since(created) > than)
    }

    /// Whether Shuttle has proven its telemetry, and renewed that within `limit`.
    #[must_use]
    pub fn is_proven(&self, now: Timestamp, limit: SignedDuration) -> bool {
        let is_renewed = |renewed| now.duration_since(renewed) <= limit;
        self.telemetry.as_ref().is_some_and(Condition::is_true) && self.telemetry_renewed.is_some_and(is_renewed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn node() -> Node {
        serde_json::from_str(
            r#"{"name":"n","created":"2026-11-22T12:00:00Z","ready":null,"provider":null,"region":null,"pool":null,
                "unschedulable":false,"kubelet":"v1.35.4"}"#,
        )
        .unwrap()
    }

    fn condition(status: &str) -> Condition {
        Condition {
            status: status.to_owned(),
            reason: String::new(),
            message: String::new(),
            since: None,
        }
    }

    #[rstest]
    #[case("2026-11-22T12:01:00Z", false)]
    #[case("2026-11-22T12:01:00.001Z", true)]
    fn what_is_just_as_old_is_not_older(#[case] now: Timestamp, #[case] older: bool) {
        let mut node = node();
        let minute = SignedDuration::from_mins(1);
        assert_eq!(node.is_older(now, minute), older);
        node.created = None;
        assert!(node.is_older(now, minute));
    }

    #[rstest]
    #[case(None, false)]
    #[case(Some("Unknown"), false)]
    #[case(Some("True"), true)]
    fn it_is_ready_by_its_kubelet_s_word(#[case] status: Option<&str>, #[case] ready: bool) {
        let node = Node {
            ready: status.map(condition),
            ..node()
        };
        assert_eq!(node.is_ready(), ready);
    }

    #[rstest]
    #[case::now("True", Some("2026-11-22T12:00:00Z"), true)]
    #[case::long_ago("True", Some("2026-11-22T11:00:00Z"), false)]
    #[case::at_no_time("True", None, false)]
    #[case::not("False", Some("2026-11-22T12:00:00Z"), false)]
    fn its_proof_is_renewed(#[case] status: &str, #[case] renewed: Option<&str>, #[case] proven: bool) {
        let node = Node {
            telemetry: Some(condition(status)),
            telemetry_renewed: renewed.map(|renewed| renewed.parse().unwrap()),
            ..node()
        };
        let now = "2026-11-22T12:01:00Z".parse().unwrap();
        assert_eq!(node.is_proven(now, SignedDuration::from_mins(5)), proven);
    }
}
