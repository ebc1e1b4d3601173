//! How old things are, by the API server's clock, and how old they may be.

use super::metrics_server::installed;
use super::outcome::Outcome;
use super::subject::Subject;
use crate::evidence::{Node, Observed, Pod, Source};
use jiff::{SignedDuration, Timestamp};

/// How old a sample may be.
pub(super) struct Bound {
    windows: u32,
    resolution: SignedDuration,
    sampling: SignedDuration,
}

/// Nothing is old enough to be judged yet. Not a pass, nor without a subject: in a minute it can be told.
pub(super) fn too_young(noun: &str, young: SignedDuration) -> Outcome {
    Outcome::undetermined(format!("no {noun} has been running for {} yet", words(young)))
        .expected(format!("a {noun} that is old enough to have metrics"))
}

/// Whether what was made then is older than that. What is just as old is not.
pub(super) fn is_older(created: Timestamp, now: Timestamp, than: SignedDuration) -> bool {
    now.duration_since(created) > than
}

/// Whether a node is older than that. One that does not say how old it is counts as old.
pub(super) fn is_older_node(node: &Node, now: Timestamp, than: SignedDuration) -> bool {
    node.created.is_none_or(|created| is_older(created, now, than))
}

/// A running pod that has been so for long enough to have metrics. A pod that is being deleted, has crashed or has
/// just restarted has none, and nothing is wrong with that.
pub(super) fn is_settled(pod: &Pod, now: Timestamp, young: SignedDuration) -> bool {
    pod.status.as_ref() == "Running"
        && !pod.deleting
        && pod.ready > 0
        && is_older(pod.created, now, young)
        && last_restart(&pod.restarts).is_none_or(|ago| ago > young)
}

/// The time in a printed `Restarts` column such as `3 (2m10s ago)`.
fn last_restart(restarts: &str) -> Option<SignedDuration> {
    let ago = restarts.split_once('(')?.1.strip_suffix(" ago)")?;
    ago.parse().ok()
}

impl Bound {
    pub(super) fn of(subject: Subject<'_>) -> Result<Self, Box<Outcome>> {
        Ok(Self {
            windows: subject.contract.thresholds.fresh_windows,
            resolution: resolution(subject)?,
            sampling: subject.contract.thresholds.kubelet_sampling,
        })
    }

    pub(super) fn is_stale(&self, now: Timestamp, sample: Timestamp, window_ms: u64) -> bool {
        let window = SignedDuration::from_millis(i64::try_from(window_ms).unwrap_or(i64::MAX));
        let longest = window.max(self.resolution);
        let bound = longest
            .saturating_mul(i32::try_from(self.windows).unwrap_or(i32::MAX))
            .saturating_add(self.sampling);
        is_older(sample, now, bound)
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "within {} windows", self.windows)
    }
}

/// metrics-server's resolution: its flag, else what the contract takes for the default.
fn resolution(subject: Subject<'_>) -> Result<SignedDuration, Box<Outcome>> {
    let default = subject.contract.thresholds.metric_resolution;
    let workloads = installed(subject).workloads()?;
    let longest = workloads
        .iter()
        .filter_map(|workload| {
            workload
                .flags
                .get("--metric-resolution")?
                .last()?
                .parse::<SignedDuration>()
                .ok()
        })
        .max();
    Ok(longest.unwrap_or(default))
}

/// How long it takes until metrics can be expected: two points, each as late as a resolution, of samples that are
/// themselves as old as the kubelet's interval.
pub(super) fn settling(subject: Subject<'_>) -> Result<SignedDuration, Box<Outcome>> {
    let sampling = subject.contract.thresholds.kubelet_sampling;
    Ok(resolution(subject)?.saturating_mul(2).saturating_add(sampling))
}

/// The API server's clock when `source` was read.
pub(super) fn now(subject: Subject<'_>, source: Source) -> Result<Timestamp, Box<Outcome>> {
    if let Observed::Unknown(unknown) = &subject.evidence.api_server {
        return Outcome::unknown(unknown).early();
    }
    match subject.evidence.now(source) {
        Some(now) => Ok(now),
        None => Outcome::undetermined("the API server's answers carry no Date: ages cannot be told").early(),
    }
}

/// How old a sample is, in words.
pub(super) fn age(now: Timestamp, sample: Timestamp) -> String {
    words(SignedDuration::from_secs(now.duration_since(sample).as_secs()))
}

pub(super) fn words(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const YOUNG: SignedDuration = SignedDuration::from_secs(45);

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn pod(seconds: i64, restarts: &str) -> Pod {
        Pod {
            namespace: "default".into(),
            name: "web-0".into(),
            uid: "1".into(),
            created: now() - SignedDuration::from_secs(seconds),
            deleting: false,
            status: "Running".into(),
            ready: 1,
            containers: 1,
            restarts: restarts.into(),
            node: None,
            labels: Box::default(),
        }
    }

    #[rstest]
    #[case::older(46, "0", true)]
    #[case::just_as_old(45, "0", false)]
    #[case::younger(44, "0", false)]
    #[case::restarted_longer_ago(3600, "1 (46s ago)", true)]
    #[case::restarted_just_so_long_ago(3600, "1 (45s ago)", false)]
    #[case::restarted_a_moment_ago(3600, "1 (44s ago)", false)]
    fn a_pod_is_settled_once_it_ran_for_longer(#[case] seconds: i64, #[case] restarts: &str, #[case] settled: bool) {
        assert_eq!(is_settled(&pod(seconds, restarts), now(), YOUNG), settled);
    }

    #[test]
    fn a_pod_is_settled_only_while_it_runs() {
        let changes: [fn(&mut Pod); 3] = [
            |pod| pod.ready = 0,
            |pod| pod.deleting = true,
            |pod| pod.status = "Completed".into(),
        ];
        for change in changes {
            let mut pod = pod(3600, "0");
            assert!(is_settled(&pod, now(), YOUNG));
            change(&mut pod);
            assert!(!is_settled(&pod, now(), YOUNG), "{pod:?}");
        }
    }

    /// Two windows of the resolution or of the sample's own, whichever is longer, and the kubelet's sampling.
    #[rstest]
    #[case(45, 10_000, false)]
    #[case(46, 10_000, true)]
    #[case(75, 30_000, false)]
    #[case(76, 30_000, true)]
    fn a_sample_is_stale_beyond_its_bound(#[case] seconds: i64, #[case] window_ms: u64, #[case] stale: bool) {
        let bound = Bound {
            windows: 2,
            resolution: SignedDuration::from_secs(15),
            sampling: SignedDuration::from_secs(15),
        };
        let sample = now() - SignedDuration::from_secs(seconds);
        assert_eq!(bound.is_stale(now(), sample, window_ms), stale);
    }
}
