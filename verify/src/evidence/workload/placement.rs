//! Which nodes a workload's pods may be on.

use super::super::apiserver::{Node, Taint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The node label of its operating system.
const OPERATING_SYSTEM: &str = "kubernetes.io/os";
/// The taints that every DaemonSet's pods tolerate, whatever its object says (Kubernetes v1.35.4:
/// pkg/controller/daemon/util/daemonset_util.go, `AddOrUpdateDaemonPodTolerations`).
const OF_EVERY_DAEMON_SET: [&str; 6] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
];

/// What a pod's specification says of the nodes that it may be on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// `nodeSelector`: labels that a node has to have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// The required node affinity: one of these terms has to match. Without any, every node does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<NodeTerm>,
    /// The taints that it tolerates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// The operating system that it is for: `spec.os.name`, or the label `kubernetes.io/os` of the node selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
}

/// A term of a node affinity: all of it has to match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerm {
    /// What a node's labels have to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<NodeRequirement>,
    /// What its fields have to be: `metadata.name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<NodeRequirement>,
}

/// What one label or field of a node has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRequirement {
    /// The label, or the field.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub operator: String,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// The key of the taints that it tolerates; `None` for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Equal`, which is the default, or `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The value that it compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The effect that it tolerates; `None` for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// For how long it tolerates `NoExecute`; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
}

// === impl Placement ===

impl Placement {
    /// Whether it selects a node: by node selector, required affinity and operating system. Taints are none of it. `None`
    /// where that is not known.
    #[must_use]
    pub(crate) fn selects(&self, node: &Node) -> Option<bool> {
        let selectors = self.node_selector.iter();
        let by_labels = all(selectors.map(|(key, value)| node.has_label(key, value)));
        let by_affinity = match self.required.as_slice() {
            [] => Some(true),
            terms => any(terms.iter().map(|term| term.selects(node))),
        };
        let system = self.operating_system.as_deref();
        let by_system = system.map_or(Some(true), |system| Some(node.operating_system()? == system));
        all([by_labels, by_affinity, by_system])
    }

    /// The taint that keeps a DaemonSet's pods off a node, where one does.
    #[must_use]
    pub(crate) fn kept_away_by<'n>(&self, node: &'n Node) -> Option<&'n Taint> {
        let mut taints = node.taints.iter().flatten();
        taints.find(|taint| {
            taint.effect != "PreferNoSchedule"
                && !OF_EVERY_DAEMON_SET.contains(&taint.key.as_str())
                && !self.tolerations.iter().any(|toleration| toleration.tolerates(taint))
        })
    }
}

// === impl NodeTerm ===

impl NodeTerm {
    /// Whether all of it matches; a term that asks for nothing matches no node (Kubernetes v1.35.4:
    /// staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go, `isEmptyNodeSelectorTerm`).
    fn selects(&self, node: &Node) -> Option<bool> {
        if self.labels.is_empty() && self.fields.is_empty() {
            return Some(false);
        }
        let labels = node.labels.as_ref();
        let by_label = |requirement: &NodeRequirement| {
            let value = labels?.get(requirement.key.as_str()).map(|value| &**value);
            requirement.is_met_by(value)
        };
        let by_field = |requirement: &NodeRequirement| match requirement.key.as_str() {
            "metadata.name" => requirement.is_met_by(Some(&node.name)),
            _ => None,
        };
        all([
            all(self.labels.iter().map(by_label)),
            all(self.fields.iter().map(by_field)),
        ])
    }
}

// === impl NodeRequirement ===

impl NodeRequirement {
    /// Whether a label's value, or that there is none, meets it (apimachinery, `pkg/labels`, `Requirement.Matches`).
    fn is_met_by(&self, value: Option<&str>) -> Option<bool> {
        let is_one = |value: &str| self.values.iter().any(|one| one == value);
        let number = |text: &str| text.parse::<i64>().ok();
        let limit = || self.values.first().and_then(|limit| number(limit));
        Some(match self.operator.as_str() {
            "In" => value.is_some_and(is_one),
            "NotIn" => !value.is_some_and(is_one),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => value
                .and_then(number)
                .zip(limit())
                .is_some_and(|(is, limit)| is > limit),
            "Lt" => value
                .and_then(number)
                .zip(limit())
                .is_some_and(|(is, limit)| is < limit),
            _ => return None,
        })
    }
}

// === impl Toleration ===

impl Toleration {
    /// Whether it tolerates a taint, now (`k8s.io/api/core/v1/toleration.go`, `ToleratesTaint`).
    fn tolerates(&self, taint: &Taint) -> bool {
        let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        let any_effect = !is_given(&self.effect) || self.effect.as_deref() == Some(taint.effect.as_str());
        let any_key = !is_given(&self.key) || self.key.as_deref() == Some(taint.key.as_str());
        let value = self.value.as_deref().unwrap_or_default();
        any_effect
            && any_key
            && match self.operator.as_deref() {
                Some("Exists") => true,
                None | Some("" | "Equal") => is_given(&self.key) && value == taint.value,
                Some(_) => false,
            }
    }
}

// === impl Node ===

impl Node {
    fn has_label(&self, key: &str, value: &str) -> Option<bool> {
        // The kubelet gives it this label by what it says of itself.
        if key == OPERATING_SYSTEM {
            return Some(self.operating_system()? == value);
        }
        Some(self.labels.as_ref()?.get(key).is_some_and(|is| **is == *value))
    }

    fn operating_system(&self) -> Option<&str> {
        let label = || self.labels.as_ref()?.get(OPERATING_SYSTEM);
        self.operating_system.as_ref().or_else(label).map(|system| &**system)
    }
}

/// Whether all of them are so; `None` where that hangs on one that is not known.
fn all(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

/// Whether one of them is so; `None` where that hangs on one that is not known.
fn any(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.into_iter().map(|part| part.map(|part| !part))).map(|none| !none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn node() -> Node {
        serde_json::from_str(
            r#"{"name":"gpu-1","created":null,"ready":null,"provider":null,"region":null,"pool":null,"unschedulable":false,
                "kubelet":"v1.35.4","operatingSystem":"linux","labels":{"pool":"gpu","cores":"16"},
                "taints":[{"key":"dedicated","value":"gpu","effect":"NoSchedule"}]}"#,
        )
        .unwrap()
    }

    #[rstest]
    #[case::nothing("{}", Some(true))]
    #[case::a_label(r#"{"nodeSelector":{"pool":"gpu"}}"#, Some(true))]
    #[case::another(r#"{"nodeSelector":{"pool":"web"}}"#, Some(false))]
    #[case::its_system(r#"{"nodeSelector":{"kubernetes.io/os":"linux"}}"#, Some(true))]
    #[case::another_system(r#"{"nodeSelector":{"kubernetes.io/os":"windows"}}"#, Some(false))]
    #[case::of_another_system(r#"{"operatingSystem":"windows"}"#, Some(false))]
    #[case::one_of_two_terms(
        r#"{"required":[{"labels":[{"key":"pool","operator":"In","values":["web"]}]},
            {"labels":[{"key":"cores","operator":"Gt","values":["8"]}]}]}"#,
        Some(true)
    )]
    #[case::all_of_a_term(
        r#"{"required":[{"labels":[{"key":"pool","operator":"Exists"},{"key":"cores","operator":"Lt","values":["8"]}]}]}"#,
        Some(false)
    )]
    #[case::not_a_virtual_one(
        r#"{"required":[{"labels":[{"key":"type","operator":"NotIn","values":["virtual-kubelet"]}]}]}"#,
        Some(true)
    )]
    #[case::no_such_label(
        r#"{"required":[{"labels":[{"key":"pool","operator":"DoesNotExist"}]}]}"#,
        Some(false)
    )]
    #[case::by_name(
        r#"{"required":[{"fields":[{"key":"metadata.name","operator":"In","values":["gpu-1"]}]}]}"#,
        Some(true)
    )]
    #[case::an_empty_term(r#"{"required":[{}]}"#, Some(false))]
    #[case::an_operator_of_the_future(
        r#"{"required":[{"labels":[{"key":"pool","operator":"Like","values":["g*"]}]}]}"#,
        None
    )]
    fn a_workload_selects_a_node(#[case] placement: &str, #[case] selects: Option<bool>) {
        let placement: Placement = serde_json::from_str(placement).unwrap();
        assert_eq!(placement.selects(&node()), selects);
    }

    #[test]
    fn what_a_node_s_labels_would_tell_is_not_known_without_them() {
        let node = Node { labels: None, ..node() };
        let placement: Placement = serde_json::from_str(r#"{"nodeSelector":{"pool":"gpu"}}"#).unwrap();
        assert_eq!(placement.selects(&node), None);
        assert_eq!(Placement::default().selects(&node), Some(true));
    }

    #[rstest]
    #[case::none("[]", true)]
    #[case::every(r#"[{"operator":"Exists"}]"#, false)]
    #[case::its_key(r#"[{"key":"dedicated","operator":"Exists"}]"#, false)]
    #[case::its_value(r#"[{"key":"dedicated","value":"gpu"}]"#, false)]
    #[case::another_value(r#"[{"key":"dedicated","value":"web"}]"#, true)]
    #[case::another_effect(r#"[{"key":"dedicated","operator":"Exists","effect":"NoExecute"}]"#, true)]
    fn a_taint_keeps_pods_away_that_do_not_tolerate_it(#[case] tolerations: &str, #[case] kept: bool) {
        let placement = Placement {
            tolerations: serde_json::from_str(tolerations).unwrap(),
            ..Placement::default()
        };
        assert_eq!(placement.kept_away_by(&node()).is_some(), kept);
    }

    #[test]
    fn a_cordoned_node_keeps_no_daemon_set_away() {
        let mut node = node();
        node.taints = serde_json::from_str(
            r#"[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule"},{"key":"soft","effect":"PreferNoSchedule"}]"#,
        )
        .unwrap();
        assert_eq!(Placement::default().kept_away_by(&node), None);
    }
}
