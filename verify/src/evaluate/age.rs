//! How old things are, by the API server's clock, and how old they may be.

use super::fix::{count, names};
use super::flag;
use super::installed::Installed;
use super::outcome::Outcome;
use super::subject::Subject;
use crate::evidence::{Observed, Pod, Source};
use jiff::{SignedDuration, Timestamp};

/// metrics-server's flag for how often it asks the kubelets.
const RESOLUTION: &str = "--metric-resolution";

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

/// A running pod that has been so for long enough to have metrics. A pod that is being deleted, has crashed or has
/// just started again has none, and nothing is wrong with that.
pub(super) fn is_settled(pod: &Pod, now: Timestamp, young: SignedDuration) -> bool {
    pod.is_running() && pod.ready > 0 && runs_for(pod, now, young)
}

/// The pods that are not settled though they are old enough, because they wait or have started again, in words; `None` where
/// there is none. They are not judged, and that is to be seen.
pub(super) fn unsettled<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    now: Timestamp,
    young: SignedDuration,
) -> Option<(usize, String)> {
    let started_again = |pod: &Pod| pod.is_running() && is_older(pod.created, now, young) && !runs_for(pod, now, young);
    let unsettled: Vec<&Pod> = (pods.into_iter())
        .filter(|pod| !pod.deleting && (is_waiting(&pod.status) || started_again(pod)))
        .collect();
    let told = names(unsettled.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)));
    let number = count(unsettled.len(), "pod");
    (!unsettled.is_empty()).then(|| {
        let young = words(young);
        let told = format!("{number} not judged, which waits or is not known to run for {young}: {told}");
        (unsettled.len(), told)
    })
}

/// Whether it has run for longer than that since its present start. One that does not say when that was is not known to.
fn runs_for(pod: &Pod, now: Timestamp, young: SignedDuration) -> bool {
    pod.started.is_some_and(|started| is_older(started, now, young))
}

/// Whether a printed `Status` is the reason why a container of it waits.
fn is_waiting(status: &str) -> bool {
    const REASONS: [&str; 7] = [
        "Pending",
        "ContainerCreating",
        "PodInitializing",
        "ErrImagePull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    ];
    status.ends_with("BackOff") || status.starts_with("Init:") || REASONS.contains(&status)
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
        let window = milliseconds(window_ms);
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
    let workloads = Installed::metrics_server(subject).workloads()?;
    if let Some(unread) = workloads
        .iter()
        .find_map(|workload| flag::unread(workload, &[RESOLUTION]))
    {
        return unread.early();
    }
    let longest = workloads
        .iter()
        .filter_map(|workload| workload.last_value(RESOLUTION)?.parse::<SignedDuration>().ok())
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

/// So many milliseconds, as evidence counts them.
pub(super) fn milliseconds(number: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const YOUNG: SignedDuration = SignedDuration::from_secs(45);

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    /// A pod that was created so many seconds ago, and started then.
    fn pod(created: i64, started: Option<i64>) -> Pod {
        Pod {
            namespace: "default".into(),
            name: "web-0".into(),
            uid: "u".into(),
            created: now() - SignedDuration::from_secs(created),
            deleting: false,
            status: "Running".into(),
            ready: 1,
            containers: 1,
            restarts: 5,
            started: started.map(|started| now() - SignedDuration::from_secs(started)),
            node: Some("node-a".into()),
            runtime_class: None,
            owner: None,
            images: Box::default(),
            last_termination: None,
            waits: None,
            labels: Box::default(),
        }
    }

    #[rstest]
    #[case::old(3600, Some(3600), true)]
    #[case::just_old_enough(46, Some(46), true)]
    #[case::just_too_young(45, Some(45), false)]
    #[case::started_again_just_now(3600, Some(10), false)]
    #[case::started_again_long_enough_ago(3600, Some(46), true)]
    #[case::does_not_say_since_when(3600, None, false)]
    #[case::started_in_the_future_of_the_clock(3600, Some(-10), false)]
    fn a_pod_is_settled_once_it_ran_for_longer(
        #[case] created: i64,
        #[case] started: Option<i64>,
        #[case] settled: bool,
    ) {
        assert_eq!(is_settled(&pod(created, started), now(), YOUNG), settled);
    }

    #[test]
    fn a_pod_is_settled_only_while_it_runs() {
        let changes: [fn(&mut Pod); 3] = [
            |pod| pod.ready = 0,
            |pod| pod.deleting = true,
            |pod| pod.status = "Completed".into(),
        ];
        for change in changes {
            let mut pod = pod(3600, Some(3600));
            assert!(is_settled(&pod, now(), YOUNG));
            change(&mut pod);
            assert!(!is_settled(&pod, now(), YOUNG), "{pod:?}");
        }
    }

    #[rstest]
    #[case("Running", Some(10), true)]
    #[case("Running", Some(1200), false)]
    #[case("Running", None, true)]
    #[case("CrashLoopBackOff", None, true)]
    #[case("Init:CrashLoopBackOff", None, true)]
    #[case("ContainerCreating", None, true)]
    #[case("Completed", None, false)]
    #[case("Error", None, false)]
    fn a_pod_that_waits_or_has_just_started_again_is_named(
        #[case] status: &str,
        #[case] started: Option<i64>,
        #[case] named: bool,
    ) {
        let mut pod = pod(3600, started);
        pod.status = status.into();
        let told = unsettled([&pod], now(), YOUNG);
        let expected = "1 pod not judged, which waits or is not known to run for 45s: default/web-0";
        assert_eq!(told, named.then(|| (1, expected.to_owned())));
        // What is named is never judged too.
        assert!(!(named && is_settled(&pod, now(), YOUNG)));
        pod.deleting = true;
        assert_eq!(unsettled([&pod], now(), YOUNG), None);
    }

    #[test]
    fn a_young_pod_is_not_named() {
        assert_eq!(unsettled([&pod(44, Some(40))], now(), YOUNG), None);
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
