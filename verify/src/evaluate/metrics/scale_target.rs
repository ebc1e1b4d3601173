//! Which pods an autoscaler scales.

use crate::evidence::{Pod, ScaleTarget};

// === impl ScaleTarget ===

impl ScaleTarget {
    /// Whether a pod of its namespace is one of its own: by what controls the pod, and where that is not known by its name.
    pub(super) fn has(&self, pod: &Pod) -> bool {
        match &pod.owner {
            Some(owner) if *owner.kind == *self.kind => *owner.name == *self.name,
            Some(owner) => owner.is_replica_set_of(&self.name),
            None => self.may_have_named(&pod.name),
        }
    }

    /// Whether a pod's name is its own with a number, or a hash and a suffix.
    fn may_have_named(&self, pod: &str) -> bool {
        let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        let rest = pod
            .strip_prefix(self.name.as_str())
            .and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| rest.split('-').count() <= 2 && rest.split('-').all(is_word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Owner;
    use rstest::rstest;

    fn target(kind: &str) -> ScaleTarget {
        ScaleTarget {
            kind: kind.to_owned(),
            name: "cart".to_owned(),
        }
    }

    fn pod(name: &str, owner: Option<(&str, &str)>) -> Pod {
        let mut pod: Pod = serde_json::from_value(serde_json::json!({
            "namespace": "shop", "name": name, "uid": "u", "created": "2026-11-22T12:00:00Z", "status": "Running",
            "ready": 1, "containers": 1, "restarts": 0, "started": null, "node": null, "labels": [],
        }))
        .unwrap();
        pod.owner = owner.map(|(kind, name)| Owner {
            kind: kind.into(),
            name: name.into(),
        });
        pod
    }

    #[rstest]
    #[case::by_its_replica_set("cart-6f7d9c5b4-0xk8p", Some(("ReplicaSet", "cart-6f7d9c5b4")), true)]
    #[case::of_another_deployment("cart-db-6f7d9c5b4-0xk8p", Some(("ReplicaSet", "cart-db-6f7d9c5b4")), false)]
    #[case::by_its_job("cart-0xk8p", Some(("Job", "cart")), false)]
    #[case::by_its_name("cart-6f7d9c5b4-0xk8p", None, true)]
    #[case::by_another_s_name("cart-db-6f7d9c5b4-0xk8p", None, false)]
    #[case::of_a_longer_name("carts-6f7d9c5b4-0xk8p", None, false)]
    fn a_deployment_has_the_pods_of_its_replica_sets(
        #[case] name: &str,
        #[case] owner: Option<(&str, &str)>,
        #[case] has: bool,
    ) {
        assert_eq!(target("Deployment").has(&pod(name, owner)), has);
    }

    #[rstest]
    #[case("cart-0", Some(("StatefulSet", "cart")), true)]
    #[case("cart-db-0", Some(("StatefulSet", "cart-db")), false)]
    #[case("cart-0", None, true)]
    fn a_stateful_set_has_its_own(#[case] name: &str, #[case] owner: Option<(&str, &str)>, #[case] has: bool) {
        assert_eq!(target("StatefulSet").has(&pod(name, owner)), has);
    }
}
