//! Step 3, second half: the pods of kube-state-metrics, replicas or shards.

use super::allowlist::stopped_by;
use crate::evaluate::fix::{Advice, fix, names};
use crate::evaluate::flag;
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::{target, workload_object};
use crate::evidence::{Shows, Workload, is_sharded};
use crate::report::Verdict;
use std::collections::BTreeSet;

/// The flags that number the shards.
const SHARDING: [&str; 2] = ["--shard", "--total-shards"];

/// SF321.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let installed = Installed::kube_state_metrics(subject);
    if let Ok(workloads) = installed.workloads()
        && let Some(missing) = missing_shards(&workloads)
    {
        return Ok(match missing.verdict {
            Verdict::Fail => missing.fix(subject.upgrade(&installed.terms.release, None, "install every shard")),
            _ => missing,
        });
    }
    let outcome = installed.runs(|workload| is_sharded(workload) == Some(true))?;
    // That there is none is told already.
    let workloads = installed.workloads().unwrap_or_default();
    let may_be_sharded = |workload: &&&Workload| is_sharded(workload).is_none();
    if outcome.verdict == Verdict::Warn
        && let Some(unread) = (workloads.iter())
            .filter(may_be_sharded)
            .find_map(|workload| flag::unread(workload, &SHARDING))
    {
        return Ok(unread.with_told_before(&outcome.observed));
    }
    let mut whole: Vec<&Workload> = (workloads.into_iter())
        .filter(|workload| is_sharded(workload) == Some(false) && shows_pods(workload))
        .collect();
    // Those of some namespaces each may share them between them; the pods of one of them do not.
    if whole.iter().any(|workload| Shows::of(workload) != Shows::Whole) {
        whole.retain(|workload| workload.desired > 1);
        whole.truncate(1);
    }
    if outcome.verdict == Verdict::Fail
        && let Some((workload, why)) = (installed.workloads().unwrap_or_default().into_iter())
            .find_map(|workload| Some((workload, stopped_by(workload)?)))
    {
        let observed = format!("{}: {why}, with which it does not start (SF324)", outcome.observed);
        let namespace = Some(workload.namespace.as_str());
        let install = subject.upgrade(
            &installed.terms.release,
            namespace,
            "install with the contract's values",
        );
        return Ok(outcome.with_observed(observed).fix(install));
    }
    let replicas: u32 = whole.iter().map(|workload| workload.desired).sum();
    if outcome.verdict == Verdict::Pass && replicas > 1 {
        return Ok(doubled(subject, &whole, replicas));
    }
    Ok(outcome)
}

/// More than one pod has every row.
fn doubled(subject: Subject<'_>, whole: &[&Workload], replicas: u32) -> Outcome {
    let installed = Installed::kube_state_metrics(subject);
    let release = installed.terms.release.as_str();
    let by_contract = |workload: &&&Workload| workload.release.as_deref() == Some(release);
    let kept = whole.iter().find(by_contract).or(whole.first());
    let surplus = |workload: &&&Workload| kept.is_some_and(|kept| !std::ptr::eq(*kept, **workload));
    let surplus = whole.iter().find(surplus);
    let replicated = whole.iter().find(|workload| workload.desired > 1);
    let leave_one = "leave one, or shard it: a second does not make it more available, for whoever sums counts both";
    let advice = match (kept, surplus, replicated) {
        (Some(kept), Some(surplus), _) => installed.let_go_of(surplus, &place(kept)),
        // The contract's values have one. What no release has made is scaled.
        (_, None, Some(workload)) if workload.release.is_some() || workload.keeper.is_some() => {
            subject.upgrade(release, Some(&workload.namespace), leave_one)
        }
        (_, None, Some(workload)) => {
            let scale = ["--namespace", &workload.namespace, "scale", &target(workload)];
            fix(
                leave_one,
                [subject.kubectl(scale.into_iter().chain(["--replicas", "1"]))],
            )
        }
        _ => Advice::of_words("keep one"),
    };
    Outcome::warn(format!(
        "{replicas} pods of an unsharded kube-state-metrics: every series comes {replicas} times"
    ))
    .expected("one pod, or shards: each replica has every row")
    .objects(whole.iter().map(|workload| workload_object(workload)))
    .fix(advice)
    .lasting()
}

/// `kube-system/kube-state-metrics`.
fn place(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

/// Whether it shows pods, as far as its arguments tell: it shows every resource unless it is told which.
pub(super) fn shows_pods(workload: &Workload) -> bool {
    const RESOURCES: &str = "--resources";
    let named = workload.flags.get(RESOURCES).into_iter().flatten();
    let named = named.flat_map(|value| value.split(',')).map(str::trim);
    let mut named = named.filter(|resource| !resource.is_empty()).peekable();
    let is_unread = workload.unread_flags.is_some() || workload.why_unread(RESOURCES).is_some();
    is_unread || named.peek().is_none() || named.any(|resource| resource == "pods")
}

/// Shards that are told their number (`--shard`, `--total-shards`) and of which not every number is there, or is known.
fn missing_shards(workloads: &[&Workload]) -> Option<Outcome> {
    let sharded_by_hand = workloads.iter().any(|workload| workload.flags.contains_key("--shard"));
    let number = |workload: &Workload, name: &str| workload.last_value(name)?.parse::<u32>().ok();
    if sharded_by_hand && let Some(unread) = workloads.iter().find_map(|workload| flag::unread(workload, &SHARDING)) {
        return Some(unread);
    }
    let total = workloads
        .iter()
        .filter_map(|workload| number(workload, "--total-shards"))
        .max()?;
    let present: BTreeSet<u32> = workloads
        .iter()
        .filter_map(|workload| number(workload, "--shard"))
        .collect();
    // More shards than any cluster has would only make this loop long.
    let missing: Vec<String> = (0..total.min(1024))
        .filter(|shard| !present.contains(shard))
        .map(|s| s.to_string())
        .collect();
    (sharded_by_hand && !missing.is_empty()).then(|| {
        Outcome::fail(format!(
            "of {total} shards these are not installed: {}",
            names(&missing)
        ))
        .expected("every shard: the pods of a missing one have no row")
        .objects(workloads.iter().map(|workload| workload_object(workload)))
        .lasting()
    })
}
