//! Step 4: whether vmagent scrapes what it has to and delivers it, by its own pages.

use super::flow::{self, Delivery, Flow, number, pod_object};
use crate::evaluate::age::words;
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, count, fix, names};
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{EndpointKey, Metrics, MetricsPage, Observed};
use crate::flow::Program::Vmagent;
use crate::flow::{Samples, vmagent};
use crate::report::Verdict;
use std::collections::BTreeSet;

/// What one scrape job has.
#[derive(Clone, Copy, Default)]
struct Targets {
    up: f64,
    down: f64,
    /// Whether any page has the job.
    known: bool,
}

/// SF430.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    flow::answers(subject, Vmagent)
}

/// SF431.
pub(in crate::evaluate) fn scrapes_state_metrics(subject: Subject<'_>) -> Judge {
    let nothing = || Outcome::undetermined("kube-state-metrics has no endpoint that could be scraped");
    let endpoints = Installed::kube_state_metrics(subject).endpoints(nothing)?;
    let of = |ready: bool| -> BTreeSet<EndpointKey<'_>> {
        let endpoints = endpoints.iter().filter(|endpoint| endpoint.ready || !ready);
        endpoints.map(|endpoint| endpoint.key()).collect()
    };
    let (ready, all) = (of(true), of(false));
    if ready.is_empty() {
        return Ok(nothing());
    }
    let jobs = &subject.contract.components.vmagent.scrape_jobs.state_metrics;
    let outcome = targets_up(subject, jobs, ready.len(), "ready pod of kube-state-metrics")?;
    if outcome.verdict != Verdict::Pass {
        return Ok(outcome);
    }
    let flow = Flow::of(subject, Vmagent)?;
    #[expect(clippy::cast_precision_loss, reason = "a number of pods")]
    let twice = (jobs.iter()).find_map(|job| {
        let mut shares = shares(flow, &[job]).into_iter();
        Some((job, shares.find(|targets| targets.up > all.len() as f64)?.up))
    });
    Ok(match twice {
        None => outcome,
        Some((job, up)) => Outcome::warn(format!(
            "job {job} has {} up for {}: some are scraped twice, and so are all their series",
            count_of(up),
            count(all.len(), "pod of kube-state-metrics")
        ))
        .expected("one target for every pod")
        .objects(flow.pages.iter().map(pod_object))
        .fix(subject.upgrade(
            &subject.contract.components.vmagent.release,
            flow.pages.first().map(|page| page.namespace.as_str()),
            "install with the contract's values",
        )),
    })
}

fn count_of(targets: f64) -> String {
    format!("{} targets", number(targets))
}

/// SF432.
pub(in crate::evaluate) fn scrapes_kubelets(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, Vmagent)?;
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let jobs = &subject.contract.components.vmagent.scrape_jobs.kubelets;
    let ready: Vec<_> = nodes.iter().filter(|node| node.is_ready_and_real()).collect();
    // A node that was just added waits for its first scrape, so that it may be missing; it need not be.
    let start = subject.contract.thresholds.flow_start;
    let settled = (ready.iter()).filter(|node| node.is_settled(flow.now, start)).count();
    if settled == 0 {
        let all = targets_up(subject, jobs, ready.len(), "Ready node")?;
        if ready.is_empty() || all.verdict == Verdict::Fail {
            return Ok(Outcome::undetermined("no node is Ready and old enough to be scraped"));
        }
        return Ok(once_each(flow, jobs, nodes.len(), all));
    }
    let scraped = targets_up(subject, jobs, settled, "Ready node")?;
    Ok(once_each(flow, jobs, nodes.len(), scraped))
}

/// What a scrape of the kubelets came to, unless one job has each of them twice, or several jobs have cAdvisor of one: whoever
/// sums a container's usage then counts it twice.
#[expect(clippy::cast_precision_loss, reason = "a number of nodes")]
fn once_each(flow: Flow<'_>, jobs: &[String], nodes: usize, scraped: Outcome) -> Outcome {
    if scraped.verdict != Verdict::Pass || nodes == 0 {
        return scraped;
    }
    let warned = |observed: String| {
        Outcome::warn(observed)
            .expected("one target for every kubelet and page: all series of a second come twice")
            .objects(flow.pages.iter().map(pod_object))
            .fix(flow.subject.upgrade(
                &flow.subject.contract.components.vmagent.release,
                flow.pages.first().map(|page| page.namespace.as_str()),
                "install with the contract's values: one job reads each page",
            ))
    };
    // A node that is gone since the nodes were listed is a target for some seconds more: half of them are not gone at once.
    let twice = (jobs.iter()).find_map(|job| {
        let mut shares = shares(flow, &[job]).into_iter();
        Some((job, shares.find(|targets| targets.up >= 2.0 * nodes as f64)?.up))
    });
    if let Some((job, up)) = twice {
        return warned(format!(
            "job {job} has {} up for {}: each is scraped twice",
            count_of(up),
            count(nodes, "node")
        ));
    }
    let mut reading: BTreeSet<&str> = BTreeSet::new();
    for (page, _) in flow.latest() {
        // That they were not read is told by SF433.
        let Some(Observed::Seen(running)) = &page.jobs else {
            continue;
        };
        for job in running {
            match job.reads_cadvisor {
                Some(true) => _ = reading.insert(&job.name),
                Some(false) => {}
                None => {
                    return Outcome::undetermined(format!("whether job {} reads cAdvisor was not read", job.name))
                        .expected("one job that does");
                }
            }
        }
    }
    let has_any = |job: &&str| shares(flow, &[job]).iter().any(|targets| targets.up > 0.0);
    let reading: Vec<&str> = reading.into_iter().filter(has_any).collect();
    let all = shares(flow, &reading)
        .into_iter()
        .map(|targets| targets.up)
        .fold(0.0, f64::max);
    if reading.len() > 1 && all > nodes as f64 {
        return warned(format!(
            "jobs {} have {} of cAdvisor up for {}: some are read twice",
            names(&reading),
            count_of(all),
            count(nodes, "node")
        ));
    }
    scraped
}

/// SF433.
pub(in crate::evaluate) fn honors_labels(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, Vmagent)?;
    let wanted = &subject.contract.components.vmagent.scrape_jobs.state_metrics;
    let expected = format!("honor_labels: true in the job {} of the running vmagent", names(wanted));
    let release = &subject.contract.components.vmagent.release;
    for (page, _) in flow.seen() {
        let Some(jobs) = &page.jobs else {
            return Ok(Outcome::undetermined(format!("the jobs of {} were not read", page.pod)).expected(expected));
        };
        let jobs = jobs.or_else(|| Outcome::undetermined(format!("{} tells no configuration", page.pod)))?;
        for name in wanted {
            let observed = match jobs.iter().find(|job| job.name == *name) {
                Some(job) if job.honor_labels => continue,
                Some(_) => format!(
                    "{} scrapes {name} without honor_labels: its pods' labels become exported_namespace, exported_pod",
                    page.pod
                ),
                None => format!("{} has no scrape job {name}", page.pod),
            };
            return Ok(Outcome::fail(observed)
                .expected(expected)
                .objects([pod_object(page)])
                .fix(subject.upgrade(release, Some(&page.namespace), "install with the contract's values")));
        }
    }
    Ok(Outcome::pass(format!(
        "{} in {}",
        names(wanted),
        count(flow.seen().count(), "pod")
    )))
}

/// SF434.
pub(in crate::evaluate) fn delivers(subject: Subject<'_>) -> Judge {
    flow::delivers(subject, Vmagent)
}

/// SF435.
pub(in crate::evaluate) fn queue_has_room(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, Vmagent)?;
    let thresholds = &subject.contract.thresholds;
    let expected = "a queue that empties: when it is full the oldest is dropped";
    let (mut full, mut filling, mut growing) = (None, None, None);
    let mut unclear: Option<Outcome> = None;
    for (page, metrics) in flow.seen() {
        let told = |outcome: Outcome| {
            outcome
                .expected(expected)
                .objects([pod_object(page)])
                .fix(flow.look(page, "see why the store takes so little"))
        };
        let queues = Vmagent.queues(page.latest().unwrap_or(metrics)).unwrap_or_default();
        let which = |name: &str| match queues.len() {
            1 => page.pod.clone(),
            _ => format!("{} for {name}", page.pod),
        };
        for queue in &queues {
            let Some(filled) = queue.filled.filter(|filled| *filled >= thresholds.queue_filling) else {
                continue;
            };
            let observed = format!("the queue of {} is {:.0} % full", which(&queue.name), filled * 100.0);
            if filled >= thresholds.queue_filled {
                full = full.or_else(|| Some(told(Outcome::fail(observed))));
            } else {
                filling = filling.or_else(|| Some(told(Outcome::warn(observed))));
            }
        }
        let readings = match flow.readings(page, metrics) {
            Ok(readings) => readings,
            Err(Delivery::Unseen(unknown)) => {
                unclear = unclear.or_else(|| Some(Outcome::unknown(unknown)));
                continue;
            }
            Err(Delivery::Unclear(why)) => {
                unclear = unclear.or_else(|| Some(Outcome::undetermined(why)));
                continue;
            }
            Err(_) => continue,
        };
        let within = words(flow.window(page, metrics).apart);
        for flow::Readings { first, again } in readings {
            if let Some(again) = again.filter(|again| first.waiting > 0.0 && again.waiting > first.waiting) {
                let (from, to) = (number(first.waiting), number(again.waiting));
                let which = which(&first.name);
                let observed = format!("the queue of {which} grows from {from} to {to} bytes within {within}");
                growing = growing.or_else(|| Some(told(Outcome::warn(observed))));
            }
        }
    }
    let judged = full.or(unclear).or(filling).or(growing);
    Ok(judged.unwrap_or_else(|| Outcome::pass(count(flow.seen().count(), "pod"))))
}

/// SF436.
pub(in crate::evaluate) fn nothing_dropped(subject: Subject<'_>) -> Judge {
    flow::nothing_dropped(subject, Vmagent)
}

/// Judges whether each of the jobs has as many targets up as it has to.
fn targets_up(subject: Subject<'_>, jobs: &[String], wanted: usize, noun: &str) -> Judge {
    let flow = Flow::of(subject, Vmagent)?;
    let Some((page, _)) = flow.latest().next() else {
        return Ok(Outcome::undetermined("no vmagent showed its targets"));
    };
    if jobs.is_empty() {
        return Ok(Outcome::undetermined("the contract names no scrape job for it").lasting());
    }
    let expected = format!("one target up for every {noun}");
    let young = flow.latest().any(|(_, metrics)| flow.is_young(metrics));
    for job in jobs {
        for targets in shares(flow, &[job]) {
            #[expect(clippy::cast_precision_loss, reason = "a number of nodes or pods")]
            let missing = wanted as f64 - targets.up;
            if targets.known && missing <= 0.0 {
                continue;
            }
            if young {
                return Ok(Outcome::undetermined(format!(
                    "vmagent has just started: job {job} has {} of {} targets up",
                    number(targets.up),
                    wanted
                ))
                .expected(expected));
            }
            if !targets.known {
                let terms = &subject.contract.components.vmagent;
                let install = "install with the contract's values";
                return Ok(Outcome::fail(format!("vmagent has no scrape job {job}"))
                    .expected(expected)
                    .objects([pod_object(page)])
                    .fix(subject.upgrade(&terms.release, Some(&page.namespace), install)));
            }
            return Ok(Outcome::fail(format!(
                "job {job} has {} up of the {} it needs, {} down",
                number(targets.up),
                count(wanted, "target"),
                number(targets.down)
            ))
            .expected(expected)
            .objects(flow.pages.iter().map(pod_object))
            .fix(look_at_targets(subject, page)));
        }
    }
    Ok(Outcome::pass(format!("{} in {}", count(wanted, noun), names(jobs))))
}

/// What these jobs have together, by group of vmagents that has to have all of it: each one alone, or all of them where they share the
/// targets (`-promscrape.cluster.membersCount`).
fn shares(flow: Flow<'_>, jobs: &[impl AsRef<str>]) -> Vec<Targets> {
    let all: Vec<(Targets, f64, f64)> = (flow.latest())
        .map(|(_, metrics)| {
            (
                of_page(metrics, jobs),
                flag(metrics, vmagent::MEMBERS),
                flag(metrics, vmagent::REPLICATION),
            )
        })
        .collect();
    let shared = all.iter().any(|(_, members, _)| *members > 1.0);
    if !shared {
        return all.into_iter().map(|(targets, ..)| targets).collect();
    }
    let mut sum = Targets::default();
    for (targets, _, replication) in all {
        sum.up += targets.up / replication;
        sum.down += targets.down / replication;
        sum.known |= targets.known;
    }
    vec![sum]
}

fn of_page(metrics: &Metrics, jobs: &[impl AsRef<str>]) -> Targets {
    let mut targets = Targets::default();
    for sample in Samples::of(metrics).named(vmagent::TARGETS) {
        let job = sample.label("scrape_job");
        if !jobs.iter().any(|one| one.as_ref() == job) {
            continue;
        }
        targets.known = true;
        match sample.label("status") {
            "up" => targets.up += sample.value,
            _ => targets.down += sample.value,
        }
    }
    targets
}

/// A flag's value as a number of at least one, which is every such flag's default.
fn flag(metrics: &Metrics, name: &str) -> f64 {
    (Samples::of(metrics).named(vmagent::FLAG))
        .find(|sample| sample.label("name") == name)
        .and_then(|sample| sample.label("value").parse::<f64>().ok())
        .filter(|value| *value >= 1.0)
        .unwrap_or(1.0)
}

/// vmagent tells of each target why its scrape failed.
fn look_at_targets(subject: Subject<'_>, page: &MetricsPage) -> Advice {
    let port = subject.contract.components.vmagent.port;
    let targets = format!(
        "/api/v1/namespaces/{}/pods/{}:{port}/proxy/targets",
        page.namespace, page.pod
    );
    let command = subject.kubectl(["get", "--raw", &format!("{targets}?show_only_unhealthy=true")]);
    fix("see which targets are down, and why", [command])
}
