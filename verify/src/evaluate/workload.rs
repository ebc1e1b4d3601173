//! Whether a workload is complete, and of a version that is accepted: one judgement for the components of every step.

use super::fix::{Advice, Command, count, fix, object};
use super::outcome::Outcome;
use super::subject::Subject;
use crate::contract::{VersionRequirement, parse_version};
use crate::evidence::{RolloutCondition, Source, Workload, WorkloadKind};
use crate::report::ObjectReference;
use jiff::{SignedDuration, Timestamp};
use semver::Version;

/// How long a rollout may make no progress before its controller gives up on it. What a Deployment has where it names none
/// (`k8s.io/api/apps/v1/types.go`: "Defaults to 600s"), and here what the other kinds have, which can name none.
const PROGRESS_DEADLINE: SignedDuration = SignedDuration::from_mins(10);
/// What `progressDeadlineSeconds` is where there is none (`pkg/controller/deployment/util`, `HasProgressDeadline`).
const NO_DEADLINE: u32 = i32::MAX as u32;
/// The longest that pods may be missing for the sake of a rollout, whatever its object says.
const LONGEST_ROLLOUT: SignedDuration = SignedDuration::from_hours(1);
/// How much later than now something may have happened: API servers differ by that.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);
/// Why a Deployment's condition `Progressing` is `True` when its rollout is over (`pkg/controller/deployment/util`).
const ROLLED_OUT: &str = "NewReplicaSetAvailable";
/// What is expected of every workload.
pub(super) const COMPLETE: &str = "every pod ready, of the newest revision";

/// A workload, and how many of its pods count.
#[derive(Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) workload: &'a Workload,
    pub(super) ready: u32,
}

/// The workloads of one program.
#[derive(Clone, Copy)]
pub(super) struct Workloads<'a> {
    pub(super) subject: Subject<'a>,
    /// The Helm release that they come from.
    pub(super) release: &'a str,
    /// The source that they are, by whose time a rollout's age is told.
    pub(super) source: Source,
}

// === impl Workloads ===

impl<'a> Workloads<'a> {
    /// Judges that every workload is complete.
    ///
    /// `all_needed`: whether a missing pod means missing data (a shard), or only less redundancy (a replica). While a rollout
    /// is within its deadline it replaces pods, and those that are missing are to come back.
    pub(super) fn complete(
        self,
        workloads: &[&'a Workload],
        all_needed: impl Fn(&Workload) -> bool,
        look_at: impl Fn(&'a Workload) -> Advice,
    ) -> Outcome {
        if let Some(empty) = workloads.iter().find(|workload| workload.desired == 0) {
            return self.scaled_to_zero(empty);
        }
        let standing = workloads.iter().map(|workload| Standing::by_ready(workload));
        let incomplete: Vec<Standing<'a>> = standing.filter(|standing| !standing.is_complete()).collect();
        let Some(least) = incomplete.iter().min_by_key(|standing| standing.ready) else {
            let pods: u32 = workloads.iter().map(|workload| workload.ready).sum();
            return Outcome::pass(count(pods as usize, "pod"));
        };
        let now = self.subject.evidence.now(self.source);
        let is_needed = |standing: &Standing<'a>| standing.lacks_pods() && all_needed(standing.workload);
        let breaks = |standing: &&Standing<'a>| {
            standing.ready == 0 || (is_needed(standing) && standing.rolling_out_in_time(now).is_none())
        };
        let broken = incomplete.iter().filter(breaks).min_by_key(|standing| standing.ready);
        let told = broken.unwrap_or(least);
        let outcome = match broken {
            Some(broken) => Outcome::fail(broken.progress()),
            None => Outcome::warn(match least.rolling_out_in_time(now).filter(|_| is_needed(least)) {
                Some(age) => format!("{}: its rollout began {age:#} ago", least.progress()),
                None => least.progress(),
            }),
        };
        outcome
            .expected(COMPLETE)
            .objects(incomplete.iter().map(|standing| workload_object(standing.workload)))
            .fix(look_at(told.workload))
    }

    /// Judges the versions: of each workload, what its program is called, and what is accepted of it. `defect` names one that
    /// is accepted and has a known flaw.
    pub(super) fn version<'w>(
        self,
        programs: impl IntoIterator<Item = (&'w Workload, &'w str, &'w VersionRequirement)>,
        defect: impl Fn(&Version) -> Option<&'static str>,
    ) -> Outcome {
        let mut seen = Vec::new();
        for (workload, program, accepted) in programs {
            let Some(version) = workload.version.as_deref().and_then(parse_version) else {
                return Outcome::undetermined(format!("image {} tells no version", workload.image))
                    .expected("an image tag or a label app.kubernetes.io/version that is a version")
                    .objects([workload_object(workload)])
                    .lasting();
            };
            let summary = "install the version that the contract pins";
            let mendable = |outcome: Outcome| {
                let fix = self.subject.upgrade(self.release, Some(&workload.namespace), summary);
                outcome.objects([workload_object(workload)]).fix(fix).lasting()
            };
            if !accepted.accepts(&version) {
                let outcome = Outcome::fail(format!("{program} {version} is not accepted"));
                return mendable(outcome.expected(format!("a version {accepted}")));
            }
            if let Some(flaw) = defect(&version) {
                return mendable(Outcome::warn(format!("{program} {version} {flaw}")));
            }
            seen.push(version.to_string());
        }
        seen.dedup();
        Outcome::pass(seen.join(", "))
    }

    fn scaled_to_zero(self, workload: &Workload) -> Outcome {
        let (kind, namespace) = (workload.kind, workload.namespace.as_str());
        if kind == WorkloadKind::DaemonSet {
            return Outcome::fail(format!("DaemonSet {} wants a pod on no node", workload.name))
                .expected("a pod of it on every node")
                .objects([workload_object(workload)])
                .fix((self.subject).upgrade(self.release, Some(namespace), "install with the contract's values"))
                .lasting();
        }
        let target = target(workload);
        let scale = ["--namespace", namespace, "scale", &target, "--replicas", "1"];
        let wait = ["--namespace", namespace, "rollout", "status", &target];
        let commands = [self.subject.kubectl(scale), self.subject.kubectl(wait)];
        scaled_to_zero(workload, "at least one pod", commands)
    }
}

// === impl Standing ===

impl<'a> Standing<'a> {
    /// Its ready pods count.
    pub(super) fn by_ready(workload: &'a Workload) -> Self {
        Self {
            workload,
            ready: workload.ready,
        }
    }

    /// Those count that have been ready for long enough. Evidence of an earlier version has them as the ready ones.
    pub(super) fn by_available(workload: &'a Workload) -> Self {
        Self {
            workload,
            ready: workload.available.unwrap_or(workload.ready),
        }
    }

    pub(super) fn is_complete(self) -> bool {
        !self.lacks_pods() && !self.is_being_updated()
    }

    /// Whether not all of its pods are of the newest revision, as far as its controller has counted.
    pub(super) fn is_being_updated(self) -> bool {
        self.workload.updated < self.workload.desired || !self.workload.observed
    }

    /// How far an incomplete workload is.
    pub(super) fn progress(self) -> String {
        let ready = self.ready;
        let Workload {
            kind,
            name,
            updated,
            desired,
            ..
        } = self.workload;
        let observed = if self.lacks_pods() {
            format!("{kind} {name} has {ready} of {desired} pods ready")
        } else {
            format!("{kind} {name} is rolling out: {updated} of {desired} pods are of the newest revision")
        };
        match &self.workload.trouble {
            Some(trouble) => format!("{observed} ({trouble})"),
            None => observed,
        }
    }

    /// That it calls pods ready of which the list of pods has none, where that is so.
    pub(super) fn contradicted(self, listed: usize) -> Option<Outcome> {
        let Workload { kind, name, .. } = self.workload;
        (self.ready > 0 && listed == 0).then(|| {
            Outcome::undetermined(format!(
                "{kind} {name} has {} ready, and the list of pods has none of it",
                count(self.ready as usize, "pod")
            ))
        })
    }

    fn lacks_pods(self) -> bool {
        self.ready < self.workload.desired
    }

    /// How long ago its rollout began, in whole seconds, where one is under way and known to be within its deadline. Then its
    /// missing pods are those that it replaces.
    ///
    /// The deadline is measured from the last change of the spec; a Deployment's controller, which tells of progress, measures
    /// it from that. Pods that come and go are progress too, so even then a rollout is one for an hour at most.
    fn rolling_out_in_time(self, now: Option<Timestamp>) -> Option<SignedDuration> {
        let now = now?;
        let began = self.workload.last_change.as_ref()?.time;
        let within =
            |time: Timestamp, limit: SignedDuration| (-CLOCKS_DIFFER..=limit).contains(&now.duration_since(time));
        let deadline = self.deadline();
        let is_unseen = !self.workload.observed;
        let in_time = match self.workload.kind {
            WorkloadKind::Deployment => {
                let progress = self.progressing();
                let progress =
                    progress.filter(|condition| condition.status == "True" && condition.reason != ROLLED_OUT);
                let told = progress.and_then(|condition| condition.updated);
                (is_unseen && within(began, deadline))
                    || told.is_some_and(|told| within(told, deadline)) && within(began, LONGEST_ROLLOUT)
            }
            // The newest revision counts a pod as soon as there is one: when the last one is missing all are counted, and the
            // revisions still differ.
            WorkloadKind::StatefulSet => (is_unseen || self.revisions_differ()) && within(began, deadline),
            // It has nothing that tells.
            WorkloadKind::DaemonSet => within(began, deadline),
        };
        let age = now.duration_since(began).max(SignedDuration::ZERO);
        in_time.then(|| SignedDuration::from_secs(age.as_secs()))
    }

    /// How long a rollout may make no progress.
    fn deadline(self) -> SignedDuration {
        let rollout = self.workload.rollout.as_ref();
        let seconds = rollout.and_then(|rollout| rollout.progress_deadline_seconds);
        let seconds = seconds.filter(|seconds| *seconds != NO_DEADLINE);
        let deadline = seconds.map_or(PROGRESS_DEADLINE, |seconds| SignedDuration::from_secs(seconds.into()));
        deadline.min(LONGEST_ROLLOUT)
    }

    fn revisions_differ(self) -> bool {
        let rollout = self.workload.rollout.as_ref();
        let revisions = rollout.and_then(|rollout| rollout.revision.as_ref().zip(rollout.whole_revision.as_ref()));
        revisions.is_some_and(|(newest, whole)| newest != whole)
    }

    /// A Deployment's condition that tells how its rollout stands.
    fn progressing(self) -> Option<&'a RolloutCondition> {
        self.workload.rollout.as_ref()?.condition("Progressing")
    }
}

/// That a workload is to have no pod.
pub(super) fn scaled_to_zero(
    workload: &Workload,
    expected: &str,
    commands: impl IntoIterator<Item = Command>,
) -> Outcome {
    Outcome::fail(format!("{} {} is scaled to 0", workload.kind, workload.name))
        .expected(expected)
        .objects([workload_object(workload)])
        .fix(fix("scale it up", commands))
        .lasting()
}

/// See why a pod of a workload is not ready: of those that it selects, or where that is not known, of the workload.
pub(super) fn look_at(subject: Subject<'_>, workload: &Workload) -> Advice {
    let (namespace, target) = (workload.namespace.as_str(), target(workload));
    let mut commands = match workload.pod_selector() {
        Some(selector) => vec![subject.kubectl(["--namespace", namespace, "describe", "pods", "--selector", selector])],
        None => vec![
            subject.kubectl(["--namespace", namespace, "describe", &target]),
            subject.kubectl(["--namespace", namespace, "get", "pods", "--output", "wide"]),
        ],
    };
    commands.push(subject.kubectl(["--namespace", namespace, "logs", &target, "--tail", "50"]));
    fix("see why a pod is not ready: its events, then its log", commands)
}

/// A workload, as reports name it.
pub(super) fn workload_object(workload: &Workload) -> ObjectReference {
    object(&workload.kind.to_string(), &workload.namespace, &workload.name)
}

/// A workload, as kubectl names it.
pub(super) fn target(workload: &Workload) -> String {
    format!("{}/{}", workload.kind.to_string().to_lowercase(), workload.name)
}

#[cfg(test)]
mod tests;
