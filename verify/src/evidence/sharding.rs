//! Whether kube-state-metrics is sharded.

use super::Workload;

/// Whether each pod of a kube-state-metrics holds a part of the rows: a shard, not a replica. `None` where that is not
/// known, for a variable in an argument was not read.
///
/// Its flags tell, whatever kind of workload it is (kube-state-metrics, `docs/design` and README, "Horizontal sharding"): it
/// is told a number of shards (`--total-shards`), asks its StatefulSet for it (`--pod` with `--pod-namespace`), or shows the
/// pods of its own node (`--node`). Objects that a chart makes for sharding may be left over of an earlier installation.
#[must_use]
pub(crate) fn is_sharded(workload: &Workload) -> Option<bool> {
    const TOTAL: &str = "--total-shards";
    // A reference to a field of the pod is a value too, whatever it says.
    let is_given = |flag: &str| workload.last_value(flag).is_some_and(|value| !value.is_empty());
    if is_given("--node") || (is_given("--pod") && is_given("--pod-namespace")) {
        return Some(true);
    }
    if workload.why_unread(TOTAL).is_some() {
        return None;
    }
    let total = workload.last_value(TOTAL).and_then(|total| total.parse::<u32>().ok());
    Some(total.is_some_and(|total| total > 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{UnreadArgument, WorkloadKind};
    use rstest::rstest;

    fn workload(flags: &[(&str, &str)], unread: &[Option<&str>]) -> Workload {
        let flags = flags
            .iter()
            .map(|(flag, value)| ((*flag).to_owned(), vec![(*value).to_owned()]));
        let unread = unread.iter().map(|flag| UnreadArgument {
            flag: flag.map(str::to_owned),
            why: "a variable".to_owned(),
        });
        let mut workload: Workload = serde_json::from_value(serde_json::json!({
            "kind": "Deployment", "namespace": "kube-system", "name": "kube-state-metrics", "desired": 2, "ready": 2,
            "updated": 2, "available": 2, "observed": true, "image": "", "version": null, "release": null, "flags": {},
            "unreadFlags": null, "unreadArguments": [],
        }))
        .unwrap();
        workload.flags = flags.collect();
        workload.unread_arguments = unread.collect();
        workload
    }

    #[rstest]
    #[case::by_number(&[("--total-shards", "2")], &[], Some(true))]
    #[case::one_of_one(&[("--total-shards", "1"), ("--shard", "0")], &[], Some(false))]
    #[case::by_ordinal(&[("--pod", "$(POD_NAME)"), ("--pod-namespace", "$(POD_NAMESPACE)")],
        &[Some("--pod"), Some("--pod-namespace")], Some(true))]
    #[case::half_by_ordinal(&[("--pod", "$(POD_NAME)")], &[Some("--pod")], Some(false))]
    #[case::by_node(&[("--node", "$(NODE_NAME)")], &[Some("--node")], Some(true))]
    #[case::of_no_node(&[("--node", "")], &[], Some(false))]
    #[case::by_a_number_that_is_not_known(&[("--total-shards", "$(TOTAL)")], &[Some("--total-shards")], None)]
    #[case::by_any_flag(&[], &[None], None)]
    #[case::by_ordinal_and_any_flag(&[("--pod", "a"), ("--pod-namespace", "b")], &[None], Some(true))]
    #[case::not(&[], &[Some("--resources")], Some(false))]
    fn the_flags_tell_whatever_the_kind(
        #[case] flags: &[(&str, &str)],
        #[case] unread: &[Option<&str>],
        #[case] sharded: Option<bool>,
    ) {
        let mut workload = workload(flags, unread);
        for kind in [
            WorkloadKind::Deployment,
            WorkloadKind::StatefulSet,
            WorkloadKind::DaemonSet,
        ] {
            workload.kind = kind;
            assert_eq!(is_sharded(&workload), sharded, "{kind}");
        }
    }
}
