//! How old things are, by the API server's clock, and how old they may be.

use super::fix::{count, names};
use super::flag::{self, Flagged as _};
use super::installed::Installed;
use super::outcome::Outcome;
use super::subject::Subject;
use crate::evidence::{Node, Observed, Pod, Source};
use jiff::{SignedDuration, Timestamp};

/// metrics-server's flag for how often it asks the kubelets.
const RESOLUTION: &str = "--metric-resolution";

/// The printed `Status` of a pod none of whose containers waits or has ended.
const RUNNING: &str = "Running";
/// The longest that the kubelet waits before it starts a container again (`MaxContainerBackOff`, 300 s;
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>).
const LONGEST_BACK_OFF: SignedDuration = SignedDuration::from_mins(5);

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
    pod.status.as_ref() == RUNNING
        && !pod.deleting
        && pod.ready > 0
        && is_older(pod.created, now, young)
        && runs_since_its_restart(pod, young)
}

/// The pods that are not settled because they wait or may have just restarted, in words; `None` where there is none. They are
/// not judged, and that is to be seen.
pub(super) fn unsettled<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    now: Timestamp,
    young: SignedDuration,
) -> Option<(usize, String)> {
    let restarts = |pod: &&Pod| {
        pod.status.as_ref() == RUNNING && is_older(pod.created, now, young) && !runs_since_its_restart(pod, young)
    };
    let pods = pods.into_iter();
    let unsettled: Vec<&Pod> = pods
        .filter(|pod| !pod.deleting && (is_waiting(&pod.status) || restarts(pod)))
        .collect();
    let told = names(unsettled.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)));
    let within = words(young.saturating_add(LONGEST_BACK_OFF));
    let number = count(unsettled.len(), "pod");
    (!unsettled.is_empty()).then(|| {
        let told = format!("{number} not judged, which waits or ended less than {within} ago: {told}");
        (unsettled.len(), told)
    })
}

/// Whether it has run for longer than that since a container of it ended: then it started again at the latest when the
/// kubelet's longest back-off was over. When it did start is not printed.
fn runs_since_its_restart(pod: &Pod, young: SignedDuration) -> bool {
    let Some((_, ended)) = pod.restarts.split_once('(') else {
        return true;
    };
    let ago = ended.strip_suffix(" ago)").and_then(printed);
    ago.is_some_and(|ago| ago > young.saturating_add(LONGEST_BACK_OFF))
}

/// A duration as the API server prints it: `70s`, `5m10s`, `3h`, `2d3h`, `400d`, `2y35d`
/// (`k8s.io/apimachinery/pkg/util/duration`, `HumanDuration`). `None` for what is none, such as `<invalid>`.
fn printed(text: &str) -> Option<SignedDuration> {
    let mut seconds: i64 = 0;
    for part in text.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
        let unit = match part.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'y' => 31_536_000,
            _ => return None,
        };
        let number: i64 = part[..part.len() - 1].parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(seconds))
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
    #[case::ended_longer_ago(3600, "1 (5m46s ago)", true)]
    #[case::ended_just_so_long_ago(3600, "1 (5m45s ago)", false)]
    #[case::ended_a_moment_ago(3600, "1 (44s ago)", false)]
    #[case::ended_and_may_still_back_off(3600, "5 (70s ago)", false)]
    #[case::ended_minutes_ago(3600, "5 (12m ago)", true)]
    #[case::ended_hours_ago(86_400, "5 (3h5m ago)", true)]
    #[case::ended_days_ago(864_000, "5 (2d3h ago)", true)]
    #[case::ended_long_ago(86_400_000, "5 (400d ago)", true)]
    #[case::ended_years_ago(864_000_000, "5 (2y35d ago)", true)]
    #[case::ended_in_the_future_of_the_clock(3600, "5 (<invalid> ago)", false)]
    #[case::printed_in_another_way(3600, "5 (yesterday)", false)]
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

    #[rstest]
    #[case("Running", "5 (70s ago)", true)]
    #[case("Running", "5 (20m ago)", false)]
    #[case("Running", "0", false)]
    #[case("CrashLoopBackOff", "5 (70s ago)", true)]
    #[case("Init:CrashLoopBackOff", "0", true)]
    #[case("ContainerCreating", "0", true)]
    #[case("Completed", "0", false)]
    #[case("Error", "1 (20m ago)", false)]
    fn a_pod_that_waits_or_may_have_just_restarted_is_named(
        #[case] status: &str,
        #[case] restarts: &str,
        #[case] named: bool,
    ) {
        let mut pod = pod(3600, restarts);
        pod.status = status.into();
        let told = unsettled([&pod], now(), YOUNG);
        let expected = "1 pod not judged, which waits or ended less than 5m 45s ago: default/web-0";
        assert_eq!(told, named.then(|| (1, expected.to_owned())));
        // What is named is never judged too.
        assert!(!(named && is_settled(&pod, now(), YOUNG)));
        pod.deleting = true;
        assert_eq!(unsettled([&pod], now(), YOUNG), None);
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
