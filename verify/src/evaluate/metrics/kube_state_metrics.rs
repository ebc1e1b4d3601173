//! Step 3, second half: kube-state-metrics as it is installed.

use super::allowlist::{AllowList, FLAG, PodEntries, Shown};
use super::shards::shows_pods;
use super::shown_labels;
use crate::contract::{LabelKey, parse_version};
use crate::evaluate::age::{milliseconds, words};
use crate::evaluate::fix::{count, fix, names, object};
use crate::evaluate::flag;
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::silence::is_silent;
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{Observed, Reason, Scrape, Workload};
use crate::report::ObjectReference;
use semver::Version;

/// SF320.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    Installed::kube_state_metrics(subject).stands()
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
        Observed::Unknown(unknown) => is_silent(subject, unknown),
    };
    if let Some(failed) = scrapes.iter().find(silent) {
        let what = match &failed.rows {
            Observed::Unknown(unknown) if unknown.reason == Reason::TimedOut => {
                let within = unknown.waited.map_or(0, |waited| waited.ms);
                let within = words(milliseconds(within));
                match unknown.waited.filter(|waited| waited.bytes > 0) {
                    None => format!("{} did not answer within {within}", target(failed)),
                    Some(_) => format!("{} did not end its answer: {}", target(failed), unknown.message),
                }
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
        // One pod where it is known which, else all of it.
        let of_pod = |command: [&str; 2]| {
            let pod = failed.pod.as_deref()?;
            let namespace = ["--namespace", failed.namespace.as_str()].into_iter();
            Some(vec![subject.kubectl(namespace.chain(command).chain([pod]))])
        };
        let log = of_pod(["logs", "--tail=50"]).unwrap_or_else(|| installed.selected("logs --tail=50"));
        let restart = of_pod(["delete", "pod"]).unwrap_or_else(|| installed.selected("delete pods"));
        return Ok(Outcome::fail(format!("{what}{of}"))
            .expected("a whole answer from every shard, as soon as Prometheus would want it")
            .objects([service(failed)])
            .fix(fix(
                "see what it is busy with; if it hangs, restart it",
                log.into_iter().chain(restart),
            )));
    }
    let mut late = None;
    for scrape in scrapes {
        late = late.or(scrape.rows.or_else(nothing)?.late_ms.map(|ms| (scrape, ms)));
    }
    if let Some((scrape, ms)) = late {
        let after = words(milliseconds(ms));
        let within = words(subject.contract.thresholds.scrape_timeout);
        return Ok(
            Outcome::warn(format!("{} began to answer after {after} only", target(scrape)))
                .expected(format!(
                    "an answer within {within}, after which Prometheus gives up; by a slow line it may take longer"
                ))
                .objects([service(scrape)])
                .fix(fix(
                    "see what it is busy with, or ask it from nearer, where no line is slow",
                    installed.selected("logs --tail=50"),
                )),
        );
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
    let others_show_pods = workloads.iter().any(|workload| shows_pods(workload));
    for workload in (workloads.into_iter()).filter(|workload| !others_show_pods || shows_pods(workload)) {
        let fix = |summary: &str| subject.upgrade(&installed.terms.release, Some(&workload.namespace), summary);
        let fail = |observed: String| {
            let observed = format!("{observed}{}", in_command(workload));
            Outcome::fail(observed).objects([workload_object(workload)]).lasting()
        };
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
        let list = match AllowList::of(workload) {
            Some(Ok(list)) => list,
            None => {
                return Ok(fail(format!("no {FLAG}: kube_pod_labels has no rows"))
                    .expected(explicit)
                    .fix(fix("install with the contract's values")));
            }
            Some(Err((value, problem))) => {
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
        by_pattern = hidden(subject, &pods, &version)
            .map(|told| (workload, told))
            .or(by_pattern);
    }
    if let Some((workload, why)) = unread {
        let outcome = shown_labels::judge(subject, &why).unwrap_or_else(|early| early.with_told_before(&why));
        return Ok(outcome.objects([workload_object(workload)]));
    }
    if let Some((workload, told)) = by_pattern {
        return Ok(Outcome::warn(told)
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
            .lasting());
    }
    Ok(Outcome::pass(count(subject.contract.labels.len(), "label")))
}

/// That the flag stands where no chart writes it, where it does.
fn in_command(workload: &Workload) -> String {
    let own = workload.own_command.as_ref();
    let own = own.filter(|own| own.flags.iter().any(|flag| flag == FLAG));
    own.map_or_else(String::new, |own| {
        format!(
            "; it stands in `command` of container {}, where no chart writes it",
            own.container
        )
    })
}

/// Which labels of the contract another label of a pod can hide, in words.
fn hidden(subject: Subject<'_>, pods: &PodEntries, version: &Version) -> Option<String> {
    let labels = subject.contract.labels.iter();
    let hidden: Vec<(&str, &LabelKey)> = labels
        .filter_map(|label| Some((pods.hiding(label, version)?, label)))
        .collect();
    let (hiding, _) = hidden.first()?;
    Some(if pods.is_everything() {
        format!("{} shows every label of every pod", shown_entry(pods))
    } else {
        let labels = names(hidden.iter().map(|(_, label)| label.as_str()));
        format!("by {hiding} another label can hide {labels}")
    })
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

fn service(scrape: &Scrape) -> ObjectReference {
    object("Service", &scrape.namespace, &scrape.service)
}

/// What a scrape was aimed at, as reports name it.
fn target(scrape: &Scrape) -> String {
    match &scrape.pod {
        Some(pod) => format!("pod {}/{pod}", scrape.namespace),
        None => format!("Service {}/{}", scrape.namespace, scrape.service),
    }
}
