use super::*;
use crate::admin::sample;
use crate::lifecycle::Broken;
use crate::liveness::Liveness;
use crate::parameters::{ClusterId, Parameters, Region, Token};
use crate::snapshot::Snapshot;
use crate::verifier::TURNS_WITHIN;
use jiff::Timestamp;
use starform_verify::contract::StepId;
use starform_verify::evidence::ShuttleStatus;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

fn parameters(cluster_id: &str) -> Arc<Parameters> {
    Arc::new(Parameters {
        cluster_id: ClusterId::new(cluster_id).unwrap(),
        region: Region::new("nyc3").unwrap(),
        token: Token::new("token").unwrap(),
    })
}

struct Waiting {
    leading: watch::Sender<bool>,
    snapshot: watch::Sender<Snapshot>,
    parameters: watch::Sender<Arc<Parameters>>,
    _status: watch::Sender<Option<ShuttleStatus>>,
    inbox: Inbox,
    verifications: watch::Sender<Option<Arc<Verification>>>,
    pulse: Pulse,
    pace: Pace,
}

impl Waiting {
    fn after(phase: Phase, gate: Gate) -> Self {
        let mut verification = sample::verification("healthy");
        verification.gate = gate;
        let mut snapshot = Snapshot::starting(Timestamp::now());
        snapshot.phase = phase;
        let (leading, leading_seen) = watch::channel(true);
        let (snapshot, snapshot_seen) = watch::channel(snapshot);
        let (parameters, parameters_seen) = watch::channel(parameters("c-1"));
        let (status, status_seen) = watch::channel(None);
        let mut pace = Pace::default();
        pace.spent(Instant::now(), Duration::from_millis(50), Duration::from_millis(10));
        Self {
            leading,
            snapshot,
            parameters,
            _status: status,
            inbox: Inbox {
                leading: leading_seen,
                status: status_seen,
                snapshot: snapshot_seen,
                parameters: parameters_seen,
                verify: Arc::new(Notify::new()),
                stop: CancellationToken::new(),
            },
            verifications: watch::Sender::new(Some(Arc::new(verification))),
            pulse: Liveness::default().watch("verifier", TURNS_WITHIN),
            pace,
        }
    }

    async fn wait(&mut self) -> (bool, Duration) {
        let begun = Instant::now();
        let more = wait(&self.pace, &mut self.inbox, &self.verifications, &self.pulse).await;
        (more, begun.elapsed())
    }
}

const fn seconds(from: u64, to: u64) -> std::ops::RangeInclusive<Duration> {
    Duration::from_secs(from)..=Duration::from_secs(to)
}

fn broken() -> Gate {
    Gate::Fails(Broken::of("SF301", StepId::Three, ""))
}

#[tokio::test(start_paused = true)]
async fn it_looks_every_second_or_two_while_something_waits_and_seldom_once_nothing_does() {
    for (phase, gate, expected) in [
        (Phase::Verifying, broken(), seconds(1, 2)),
        (Phase::Active, Gate::Passes, seconds(30, 36)),
        (Phase::Standby, Gate::Passes, seconds(30, 36)),
        // A gate that does not pass is looked at soon, whatever the phase holds on to.
        (Phase::Active, broken(), seconds(1, 2)),
        // Coming back takes more than one verdict.
        (Phase::Degraded, Gate::Passes, seconds(1, 2)),
    ] {
        let (more, passed) = Waiting::after(phase, gate).wait().await;
        assert!(more);
        assert!(expected.contains(&passed), "{phase}: {passed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_verified_at_once_and_many_changes_together() {
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    tokio::time::advance(Duration::from_secs(5)).await;
    waiting.inbox.verify.notify_one();
    let (more, passed) = waiting.wait().await;
    assert!(more);
    assert!((DEBOUNCE..DEBOUNCE * 2).contains(&passed), "{passed:?}");
    // Right behind a verification it waits until a second after that one began.
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    waiting.inbox.verify.notify_one();
    let (_, passed) = waiting.wait().await;
    assert_eq!(passed.as_millis(), 950);
}

#[tokio::test(start_paused = true)]
async fn other_parameters_and_the_lease_are_changes_too() {
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    waiting.parameters.send_replace(parameters("c-2"));
    assert!(waiting.wait().await.1 < Duration::from_secs(2));
    let mut waiting = Waiting::after(Phase::Standby, Gate::Passes);
    waiting.leading.send_replace(true);
    assert!(waiting.wait().await.1 < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_phase_that_changes_sets_another_pace() {
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    let snapshot = waiting.snapshot.clone();
    let degrade = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        snapshot.send_modify(|snapshot| snapshot.phase = Phase::Degraded);
    };
    let ((more, passed), ()) = tokio::join!(waiting.wait(), degrade);
    assert!(more);
    assert!(seconds(10, 11).contains(&passed), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn it_stops_while_it_waits() {
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    waiting.inbox.stop.cancel();
    assert_eq!(waiting.wait().await, (false, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_pulse_beats_while_it_waits() {
    let mut waiting = Waiting::after(Phase::Active, Gate::Passes);
    waiting
        .pace
        .spent(Instant::now(), Duration::ZERO, Duration::from_secs(6));
    let liveness = Liveness::default();
    waiting.pulse = liveness.watch("verifier", TURNS_WITHIN);
    let watched = async {
        for _ in 0..50 {
            tokio::time::sleep(HEARTBEAT).await;
            assert_eq!(liveness.stuck(), []);
        }
    };
    let ((_, passed), ()) = tokio::join!(waiting.wait(), watched);
    assert!(seconds(594, 600).contains(&passed), "{passed:?}");
}
