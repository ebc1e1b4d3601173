//! What several checks and the agent need to know of a node, so that they mean the same.

use super::apiserver::{Condition, Node, Taint};
use jiff::{SignedDuration, Timestamp};

/// The labels of nodes that a program pretends to be: virtual-kubelet (cmd/virtual-kubelet/internal/commands/root/node.go),
/// kwok, and Liqo.
const VIRTUAL_LABELS: [(&str, &str); 3] = [
    ("type", "virtual-kubelet"),
    ("type", "kwok"),
    ("liqo.io/type", "virtual-node"),
];
/// The taints that keep pods off them.
const VIRTUAL_TAINTS: [&str; 3] = [
    "virtual-kubelet.io/provider",
    "kwok.x-k8s.io/node",
    "virtual-node.liqo.io/not-allowed",
];
/// The taints of a node that is drained to be deleted: by cluster-autoscaler (utils/taints/taints.go, `ToBeDeletedTaint`),
/// which DOKS runs, and by Karpenter (pkg/apis/v1/taints.go, `DisruptedTaintKey`).
const LEAVING_TAINTS: [&str; 2] = ["ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted"];

// === impl Node ===

impl Node {
    /// Whether a program pretends to be it: no kubelet runs a DaemonSet's pods there or has metrics of them, so that nothing
    /// is missing where neither is.
    #[must_use]
    pub(crate) fn is_virtual(&self) -> bool {
        let has = |(key, value): &(&str, &str)| {
            let labels = self.labels.as_ref();
            labels.is_some_and(|labels| labels.get(*key).is_some_and(|is| **is == **value))
        };
        VIRTUAL_LABELS.iter().any(has) || self.has_taint(&VIRTUAL_TAINTS)
    }

    /// Whether it is being taken out of the cluster. One that is cordoned is not: it may stay so for long.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.deleting == Some(true) || self.has_taint(&LEAVING_TAINTS)
    }

    /// Whether it is Ready, and no program that pretends to be a node: what has to be on every node can be on it.
    #[must_use]
    pub fn is_ready_and_real(&self) -> bool {
        self.is_ready() && !self.is_virtual()
    }

    /// Whether what has to be on every node must be on it by now: it is Ready and real, stays, and is older than that.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp, than: SignedDuration) -> bool {
        self.is_ready_and_real() && !self.is_leaving() && self.is_older(now, than)
    }

    /// For how long it has not been Ready, by its condition; `None` where it is, or where that is not known.
    #[must_use]
    pub(crate) fn not_ready_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let ready = self.ready.as_ref().filter(|ready| !ready.is_true())?;
        Some(now.duration_since(ready.since?))
    }

    fn has_taint(&self, keys: &[&str]) -> bool {
        let is_one = |taint: &Taint| keys.contains(&taint.key.as_str());
        self.taints.iter().flatten().any(is_one)
    }

    /// Whether its kubelet says that it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.as_ref().is_some_and(Condition::is_true)
    }

    /// Whether it is older than that. What is just as old is not; one that does not say how old it is counts as old.
    #[must_use]
    pub(crate) fn is_older(&self, now: Timestamp, than: SignedDuration) -> bool {
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

    fn tainted(key: &str) -> Vec<Taint> {
        let (value, effect) = (String::new(), "NoSchedule".to_owned());
        let key = key.to_owned();
        vec![Taint { key, value, effect }]
    }

    #[rstest]
    #[case::virtual_kubelet(Some(("type", "virtual-kubelet")), None, true)]
    #[case::kwok(Some(("type", "kwok")), None, true)]
    #[case::by_its_taint(None, Some("virtual-kubelet.io/provider"), true)]
    #[case::of_a_pool(Some(("type", "gpu")), Some("dedicated"), false)]
    #[case::of_which_nothing_is_known(None, None, false)]
    fn a_node_that_a_program_pretends_to_be_is_told_by_label_or_taint(
        #[case] label: Option<(&str, &str)>,
        #[case] taint: Option<&str>,
        #[case] is_virtual: bool,
    ) {
        let node = Node {
            labels: label.map(|(key, value)| [(key.into(), value.into())].into()),
            taints: taint.map(tainted),
            ready: Some(condition("True")),
            ..node()
        };
        assert_eq!((node.is_virtual(), node.is_ready_and_real()), (is_virtual, !is_virtual));
    }

    #[test]
    fn a_node_that_goes_away_is_not_settled_and_a_cordoned_one_is() {
        let now = "2026-11-22T13:00:00Z".parse().unwrap();
        let settled = |change: fn(&mut Node)| {
            let mut node = node();
            node.ready = Some(condition("True"));
            change(&mut node);
            node.is_settled(now, SignedDuration::from_mins(5))
        };
        assert!(settled(|_| ()));
        assert!(settled(|node| node.unschedulable = true));
        assert!(settled(
            |node| node.taints = Some(tainted("node.kubernetes.io/unschedulable"))
        ));
        assert!(!settled(|node| node.deleting = Some(true)));
        assert!(!settled(
            |node| node.taints = Some(tainted("ToBeDeletedByClusterAutoscaler"))
        ));
        assert!(!settled(|node| node.taints = Some(tainted("karpenter.sh/disrupted"))));
        assert!(!settled(
            |node| node.taints = Some(tainted("virtual-kubelet.io/provider"))
        ));
        assert!(!settled(|node| node.ready = Some(condition("Unknown"))));
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
