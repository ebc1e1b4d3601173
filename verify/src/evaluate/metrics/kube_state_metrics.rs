//! Step 3, second half: kube-state-metrics as it is installed.

use super::allowlist::{AllowList, PodEntries, Shown};
use super::shown_labels;
use crate::contract::{LabelKey, parse_version};
use crate::evaluate::fix::{count, fix, names};
use crate::evaluate::flag;
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{Observed, Reason, Scrape, Workload, is_sharded};
use crate::report::Verdict;
use std::collections::BTreeSet;

const FLAG: &str = "--metric-labels-allowlist";
/// The flags that number the shards.
const SHARDING: [&str; 2] = ["--shard", "--total-shards"];

/// SF320.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    Installed::kube_state_metrics(subject).stands()
}

/// SF321.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let installed = Installed::kube_state_metrics(subject);
    if let Observed::Seen(workloads) = &installed.component.workloads
        && let Some(missing) = missing_shards(workloads)
    {
        return Ok(match missing.verdict {
            Verdict::Fail => missing.fix(subject.upgrade(&installed.terms.release, None, "install every shard")),
            _ => missing,
        });
    }
    let outcome = installed.runs(|workload| is_sharded(workload) == Some(true))?;
    let may_be_sharded = |workload: &&Workload| is_sharded(workload).is_none();
    if outcome.verdict == Verdict::Warn
        && let Some(unread) = (installed.workloads()?.iter())
            .filter(may_be_sharded)
            .find_map(|workload| flag::unread(workload, &SHARDING))
    {
        return Ok(unread.with_told_before(&outcome.observed));
    }
    Ok(outcome)
}

/// SF322.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    Installed::kube_state_metrics(subject).version(|_| None)
}

/// SF323.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    let installed = Installed::kube_state_metrics(subject);
    installed.workloads()?;
    let nothing = || Outcome::undetermined("there was nothing to scrape");
    let scrapes = subject.evidence.scrapes.or_else(nothing)?;
    if scrapes.is_empty() {
        return Ok(nothing());
    }
    let silent = |scrape: &&Scrape| match &scrape.rows {
        Observed::Seen(_) => false,
        Observed::Absent => true,
        Observed::Unknown(unknown) => matches!(unknown.reason, Reason::TimedOut | Reason::Unreachable),
    };
    if let Some(failed) = scrapes.iter().find(silent) {
        let what = match &failed.rows {
            Observed::Unknown(unknown) if unknown.reason == Reason::TimedOut => {
                let within = subject.contract.thresholds.scrape_timeout;
                format!("{} did not answer within {within:#}", target(failed))
            }
            Observed::Unknown(unknown) => format!("{} was not reached: {}", target(failed), unknown.message),
            _ => format!("{} is gone", target(failed)),
        };
        let silent = scrapes.iter().filter(silent).count();
        let of = if scrapes.len() > 1 {
            format!(" ({silent} of {})", count(scrapes.len(), "target"))
        } else {
            String::new()
        };
        let selector = &installed.terms.selector;
        return Ok(Outcome::fail(format!("{what}{of}"))
            .expected("a whole answer from every shard, as soon as Prometheus would want it")
            .objects([crate::evaluate::fix::object(
                "Service",
                &failed.namespace,
                &failed.service,
            )])
            .fix(fix(
                "see what it is busy with; if it hangs, restart it",
                [
                    subject.kubectl([
                        "--namespace",
                        &failed.namespace,
                        "logs",
                        "--selector",
                        selector,
                        "--tail",
                        "50",
                    ]),
                    subject.kubectl([
                        "--namespace",
                        &failed.namespace,
                        "delete",
                        "pods",
                        "--selector",
                        selector,
                    ]),
                ],
            )));
    }
    for scrape in scrapes {
        scrape.rows.or_else(nothing)?;
    }
    Ok(Outcome::pass(count(scrapes.len(), "target")))
}

/// SF324.
pub(in crate::evaluate) fn allowlist(subject: Subject<'_>) -> Judge {
    let installed = Installed::kube_state_metrics(subject);
    let workloads = installed.workloads()?;
    let mut by_pattern = None;
    let mut unread = None;
    // Where pods are sharded by node, another shows all else, and has no row of a pod whatever its allow-list.
    let others_show_pods = workloads.iter().any(shows_pods);
    for workload in workloads
        .iter()
        .filter(|workload| !others_show_pods || shows_pods(workload))
    {
        let fix = |summary: &str| subject.upgrade(&installed.terms.release, Some(&workload.namespace), summary);
        let fail = |observed: String| Outcome::fail(observed).objects([workload_object(workload)]).lasting();
        if let Some(file) = &workload.unread_flags {
            return Ok(
                Outcome::undetermined(format!("{file} sets flags from a file that was not read"))
                    .expected(format!("{FLAG} among the arguments"))
                    .objects([workload_object(workload)])
                    .lasting(),
            );
        }
        if let Some(why) = workload.why_unread(FLAG) {
            unread.get_or_insert_with(|| (workload, flag::told(workload, FLAG, why)));
            continue;
        }
        let explicit = format!("{FLAG}={}", explicit_entry(&subject.contract.labels));
        let Some(value) = workload.last_value(FLAG) else {
            return Ok(fail(format!("no {FLAG}: kube_pod_labels has no rows"))
                .expected(explicit)
                .fix(fix("install with the contract's values")));
        };
        let list = match AllowList::parse(value) {
            Ok(list) => list,
            Err(problem) => {
                return Ok(fail(format!("{FLAG}={value} is malformed: {problem}"))
                    .expected(explicit)
                    .fix(fix("install with the contract's values")));
            }
        };
        let Some(version) = workload.version.as_deref().and_then(parse_version) else {
            return Ok(Outcome::undetermined(format!(
                "image {} tells no version, and what {FLAG} means depends on it",
                workload.image
            ))
            .objects([workload_object(workload)])
            .lasting());
        };
        let pods = list.pods();
        let labels_that_are = |shown: Shown| {
            let labels = subject.contract.labels.iter();
            labels
                .filter(|label| pods.shows(label, &version) == shown)
                .collect::<Vec<&LabelKey>>()
        };
        let from_2_20 = labels_that_are(Shown::ByPatternFrom2_20);
        let missing = labels_that_are(Shown::Not);
        if missing.is_empty() && !from_2_20.is_empty() {
            return Ok(fail(format!(
                "kube-state-metrics {version} with {}: a pattern matches nothing before 2.20.0",
                shown_entry(&pods)
            ))
            .expected(format!("{explicit}, which every version understands"))
            .fix(fix("install the contract's version and values")));
        }
        if !missing.is_empty() || !from_2_20.is_empty() {
            let gone = missing.iter().chain(&from_2_20).map(|label| label.as_str());
            return Ok(fail(format!("{} lacks {}", shown_entry(&pods), names(gone)))
                .expected(explicit)
                .fix(fix("install with the contract's values")));
        }
        if let (Some(key), true) = (list.over_wildcarded(), version >= super::allowlist::PATTERNS_SINCE) {
            return Ok(fail(format!(
                "{key} has more than one *, with which {version} does not start"
            ))
            .expected(explicit)
            .fix(fix("install with the contract's values")));
        }
        if pods.is_everything() {
            by_pattern = Some((workload, pods));
        }
    }
    if let Some((workload, why)) = unread {
        let outcome = shown_labels::judge(subject, &why).unwrap_or_else(|early| early.with_told_before(&why));
        return Ok(outcome.objects([workload_object(workload)]));
    }
    if let Some((workload, pods)) = by_pattern {
        return Ok(
            Outcome::warn(format!("{} shows every label of every pod", shown_entry(&pods)))
                .expected(format!(
                    "{}: by a colliding key, whoever can label a pod makes a contract label vanish",
                    explicit_entry(&subject.contract.labels)
                ))
                .objects([workload_object(workload)])
                .fix(subject.upgrade(
                    &installed.terms.release,
                    Some(&workload.namespace),
                    "name the contract's keys",
                ))
                .lasting(),
        );
    }
    Ok(Outcome::pass(count(subject.contract.labels.len(), "label")))
}

/// `pods=[starform.io/cluster-id,…]`.
fn explicit_entry(labels: &[LabelKey]) -> String {
    format!(
        "pods=[{}]",
        labels.iter().map(LabelKey::as_str).collect::<Vec<_>>().join(",")
    )
}

fn shown_entry(pods: &PodEntries) -> String {
    match pods {
        PodEntries::None => "an allow-list without pods".to_owned(),
        PodEntries::Keys(keys) => format!("pods=[{}]", keys.join(",")),
    }
}

/// Whether it shows pods, as far as its arguments tell: it shows every resource unless it is told which.
fn shows_pods(workload: &Workload) -> bool {
    const RESOURCES: &str = "--resources";
    let named = workload.flags.get(RESOURCES).into_iter().flatten();
    let named = named.flat_map(|value| value.split(',')).map(str::trim);
    let mut named = named.filter(|resource| !resource.is_empty()).peekable();
    let is_unread = workload.unread_flags.is_some() || workload.why_unread(RESOURCES).is_some();
    is_unread || named.peek().is_none() || named.any(|resource| resource == "pods")
}

/// What a scrape was aimed at, as reports name it.
fn target(scrape: &Scrape) -> String {
    match &scrape.pod {
        Some(pod) => format!("pod {}/{pod}", scrape.namespace),
        None => format!("Service {}/{}", scrape.namespace, scrape.service),
    }
}

/// Shards that are told their number (`--shard`, `--total-shards`) and of which not every number is there, or is known.
fn missing_shards(workloads: &[Workload]) -> Option<Outcome> {
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
        .objects(workloads.iter().map(workload_object))
        .lasting()
    })
}
