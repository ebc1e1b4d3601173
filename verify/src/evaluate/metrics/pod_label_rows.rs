//! Step 3, what all of it is for: the rows of `kube_pod_labels`.

use crate::evaluate::age::{is_older, now, too_young};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, count, fix, names, object};
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::share;
use crate::evaluate::subject::Subject;
use crate::evidence::{Members, Observed, Pod, PodAgain, PodLabelRows, PodRow, RowAgain, SecondLook, Source, Workload};
use crate::report::{ObjectReference, Verdict};
use std::collections::{HashMap, HashSet};

/// SF325.
pub(in crate::evaluate) fn rows_complete(subject: Subject<'_>) -> Judge {
    let pods = pods(subject)?;
    let shards = shards(subject)?;
    let now = now(subject, Source::Pods)?;
    let thresholds = &subject.contract.thresholds;
    let lag = thresholds.state_metrics_lag;
    let seen: HashSet<&str> = rows(&shards).map(|row| &*row.uid).collect();
    let staying: Vec<&Pod> = pods.iter().filter(|pod| !pod.deleting).collect();
    let old: Vec<&Pod> = (staying.iter().copied())
        .filter(|pod| is_older(pod.created, now, lag))
        .collect();
    if old.is_empty() {
        return Ok(too_young("pod", lag));
    }
    let passing = subject.evidence.passing();
    let without = old.iter().filter(|pod| !seen.contains(&*pod.uid));
    let (passed, missing): (Vec<&Pod>, Vec<&Pod>) = without.partition(|pod| passing.has_pod(&pod.uid));
    let verdict = if missing.len() > 1 && missing.len() == old.len() {
        Verdict::Fail
    } else {
        share::judge(missing.len(), staying.len(), thresholds.pod_rows_missing)
    };
    let observed = format!(
        "{} of {} without a row: {}",
        missing.len(),
        count(staying.len(), "pod"),
        names(missing.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)))
    );
    let (expected, fix) = mend(subject);
    let outcome = by(verdict, observed, || {
        Outcome::pass(and_passed(count(staying.len(), "pod"), &passed))
    });
    let is_open = |look: &SecondLook| look.pods.iter().any(PodAgain::is_open);
    Ok(not_looked_at_again(subject, outcome, is_open)
        .expected_unless_pass(&expected)
        .objects(missing.iter().map(|pod| pod_object(pod)))
        .fix_unless_pass(fix))
}

/// SF326.
pub(in crate::evaluate) fn rows_current(subject: Subject<'_>) -> Judge {
    let pods = pods(subject)?;
    let shards = shards(subject)?;
    let alive: HashSet<&str> = pods.iter().map(|pod| &*pod.uid).collect();
    let all = rows(&shards).count();
    if all == 0 {
        return Ok(Outcome::not_applicable("there is no row"));
    }
    let passing = subject.evidence.passing();
    let without = rows(&shards).filter(|row| !alive.contains(&*row.uid));
    let (passed, stale): (Vec<&PodRow>, Vec<&PodRow>) = without.partition(|row| passing.has_row(&row.uid));
    let verdict = share::judge(stale.len(), all, subject.contract.thresholds.pod_rows_missing);
    let observed = format!(
        "{} of {} of pods that are gone: {}",
        stale.len(),
        count(all, "row"),
        names(stale.iter().map(|row| format!("{}/{}", row.namespace, row.pod)))
    );
    let outcome = by(verdict, observed, || {
        Outcome::pass(and_passed(count(all, "row"), &passed))
    });
    let is_open = |look: &SecondLook| look.rows.iter().any(RowAgain::is_open);
    Ok(not_looked_at_again(subject, outcome, is_open)
        .expected_unless_pass("rows of pods that exist: kube-state-metrics has lost its watch")
        .objects(stale.iter().map(|row| object("Pod", &row.namespace, &row.pod)))
        .fix_unless_pass(restart(subject)))
}

/// SF327.
pub(in crate::evaluate) fn labels_shown(subject: Subject<'_>) -> Judge {
    let pods = pods(subject)?;
    let shards = shards(subject)?;
    let keys = &subject.evidence.label_keys;
    let by_uid: HashMap<&str, &PodRow> = rows(&shards).map(|row| (&*row.uid, row)).collect();
    let carrying: Vec<(&Pod, &PodRow)> = pods
        .iter()
        .filter(|pod| pod.labels.iter().any(Option::is_some))
        .filter_map(|pod| Some((pod, *by_uid.get(&*pod.uid)?)))
        .collect();
    if carrying.is_empty() {
        let some = pods.iter().any(|pod| pod.labels.iter().any(Option::is_some));
        return Ok(if some {
            Outcome::fail("no pod that carries a contract label has a row").fix(reinstall(subject))
        } else {
            Outcome::not_applicable("no pod carries a contract label yet: Shuttle, installed in step 5, gives them")
        });
    }
    // Position by position: a label that none of its carriers shows is a fault of the configuration, whatever the share.
    let mut wrong: Vec<&Pod> = Vec::new();
    let mut lost: Vec<&str> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let value = |labels: &[Option<crate::evidence::Shared>]| labels.get(position).cloned().flatten();
        let with_key: Vec<_> = carrying
            .iter()
            .filter(|(pod, _)| value(&pod.labels).is_some())
            .collect();
        let differing: Vec<_> = with_key
            .iter()
            .filter(|(pod, row)| value(&pod.labels) != value(&row.labels))
            .collect();
        if !with_key.is_empty() && differing.len() == with_key.len() {
            lost.push(key);
        }
        wrong.extend(differing.iter().map(|(pod, _)| *pod));
    }
    wrong.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    wrong.dedup_by(|a, b| a.uid == b.uid);
    let named = names(wrong.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)));
    let of = count(carrying.len(), "labelled pod");
    let (verdict, observed) = if lost.is_empty() {
        let verdict = share::judge(
            wrong.len(),
            carrying.len(),
            subject.contract.thresholds.pod_rows_missing,
        );
        (
            verdict,
            format!(
                "{} of {of} with another value, or none, on the row: {named}",
                wrong.len()
            ),
        )
    } else {
        (
            Verdict::Fail,
            format!("{} on no row; {} of {of} concerned: {named}", names(&lost), wrong.len()),
        )
    };
    Ok(by(verdict, observed, || Outcome::pass(of.clone()))
        .expected_unless_pass("each label of the pod, with its value, on the pod's row")
        .objects(wrong.iter().map(|pod| pod_object(pod)))
        .fix_unless_pass(reinstall(subject)))
}

/// SF328.
pub(in crate::evaluate) fn labels_unambiguous(subject: Subject<'_>) -> Judge {
    let shards = shards(subject)?;
    let conflicts: Vec<&String> = shards.iter().flat_map(|shard| &shard.conflicts).collect();
    let errors: u64 = shards.iter().map(|shard| shard.row_errors).sum();
    if let Some(conflict) = conflicts.first() {
        let pods = shards.iter().flat_map(|shard| &shard.conflict_pods);
        return Ok(Outcome::fail(format!(
            "{conflict} instead of the plain column, on {}",
            names(pods.clone())
        ))
        .expected("one label a column: where two keys collide, kube-state-metrics renames both")
        .objects(
            pods.filter_map(|pod| pod.split_once('/'))
                .map(|(namespace, name)| object("Pod", namespace, name)),
        )
        .fix(subject.upgrade(
            &subject.contract.components.kube_state_metrics.release,
            None,
            "name the contract's keys in the allow-list, or take the colliding label off the pods",
        )));
    }
    if errors > 0 {
        let first = shards
            .iter()
            .flat_map(|shard| &shard.first_row_errors)
            .next()
            .cloned()
            .unwrap_or_default();
        return Ok(Outcome::fail(format!(
            "{errors} {} cannot be read: {first}",
            if errors == 1 { "row" } else { "rows" }
        ))
        .expected("rows that Prometheus accepts: one with the same label twice makes it drop the whole scrape")
        .fix(subject.upgrade(
            &subject.contract.components.kube_state_metrics.release,
            None,
            "install the contract's version and values",
        )));
    }
    if rows(&shards).next().is_none() {
        return Ok(Outcome::not_applicable("there is no row"));
    }
    Ok(Outcome::pass("no collision"))
}

/// What is told of a pass, and how many came or went while it was read.
fn and_passed<T>(told: String, passed: &[T]) -> String {
    match passed.len() {
        0 => told,
        number => format!("{told}; {number} came or went while they were read"),
    }
}

/// The outcome, but unknown where a fail was to be looked at again, and could not be.
fn not_looked_at_again(subject: Subject<'_>, outcome: Outcome, is_open: impl Fn(&SecondLook) -> bool) -> Outcome {
    match &subject.evidence.second_look {
        Some(Observed::Unknown(unknown)) if outcome.verdict == Verdict::Fail => {
            Outcome::unknown(unknown).with_told_before(&outcome.observed)
        }
        Some(Observed::Seen(look)) if outcome.verdict == Verdict::Fail && is_open(look) => {
            Outcome::undetermined("the time was too short to look again").with_told_before(&outcome.observed)
        }
        _ => outcome,
    }
}

/// An outcome of that verdict.
pub(super) fn by(verdict: Verdict, observed: String, pass: impl FnOnce() -> Outcome) -> Outcome {
    match verdict {
        Verdict::Pass => pass(),
        Verdict::Warn => Outcome::warn(observed),
        _ => Outcome::fail(observed),
    }
}

pub(in crate::evaluate) fn pods(subject: Subject<'_>) -> Result<&Vec<Pod>, Box<Outcome>> {
    let pods = subject.evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    if pods.is_empty() {
        // kube-state-metrics itself is a pod.
        return Outcome::undetermined("the list of pods is empty, yet kube-state-metrics' own pod answers").early();
    }
    Ok(pods)
}

/// What every target answered. With one unread, nothing can be said of all rows.
pub(in crate::evaluate) fn shards(subject: Subject<'_>) -> Result<Vec<&PodLabelRows>, Box<Outcome>> {
    let nothing = || Outcome::undetermined("there was nothing to scrape");
    let scrapes = subject.evidence.scrapes.or_else(nothing)?;
    if scrapes.is_empty() {
        return nothing().early();
    }
    scrapes.iter().map(|scrape| scrape.rows.or_else(nothing)).collect()
}

pub(in crate::evaluate) fn rows<'a>(shards: &'a [&'a PodLabelRows]) -> impl Iterator<Item = &'a PodRow> {
    shards.iter().flat_map(|shard| &shard.rows)
}

fn pod_object(pod: &Pod) -> ObjectReference {
    object("Pod", &pod.namespace, &pod.name)
}

fn reinstall(subject: Subject<'_>) -> Advice {
    let release = &subject.contract.components.kube_state_metrics.release;
    subject.upgrade(release, stands_in(subject), "install with the contract's values")
}

/// What is expected of a kube-state-metrics that has no row of a pod, and how to mend it: where its arguments leave pods
/// out by other values, and else by a restart, which an upgrade that changes nothing is not.
fn mend(subject: Subject<'_>) -> (String, Advice) {
    const LIMITS: [&str; 4] = [
        "--namespaces",
        "--namespaces-denylist",
        "--metric-denylist",
        "--metric-allowlist",
    ];
    let Observed::Seen(workloads) = &subject.evidence.kube_state_metrics.workloads else {
        let limits = "a row of every pod: its --namespaces, --resources or --metric-denylist may leave some out";
        return (limits.to_owned(), reinstall(subject));
    };
    let limit = |workload: &Workload| {
        let given = LIMITS.into_iter().find(|limit| workload.flags.contains_key(*limit));
        given.or(workload.unread_flags.as_ref().map(|_| "a file of flags"))
    };
    let limit = workloads.iter().find_map(|workload| Some((workload, limit(workload)?)));
    match limit {
        Some((workload, limit)) => (
            format!(
                "a row of every pod: {limit} of {} {} may leave some out",
                workload.kind, workload.name
            ),
            reinstall(subject),
        ),
        None => (
            "a row of every pod: kube-state-metrics has lost its watch".to_owned(),
            restart(subject),
        ),
    }
}

pub(super) fn restart(subject: Subject<'_>) -> Advice {
    let installed = Installed::kube_state_metrics(subject);
    let pods = installed.selected("delete pods");
    fix("restart kube-state-metrics: it lists every pod anew", pods)
}

/// Where kube-state-metrics stands, as far as that was seen.
fn stands_in(subject: Subject<'_>) -> Option<&str> {
    let installed = Installed::kube_state_metrics(subject);
    let own = |members: Members<'_>| -> Option<String> {
        let service = members.services.first()?;
        Some(service.namespace.clone())
    };
    let own = installed.members().and_then(own);
    let services = installed.services().unwrap_or_default();
    let mut services = services.into_iter().map(|service| service.namespace.as_str());
    match own {
        Some(own) => services.find(|namespace| *namespace == own),
        None => services.next(),
    }
}
