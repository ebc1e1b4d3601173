//! What the shell itself promises; what it and the lifecycle do together is simulated in `tests/agent/simulation.rs`.

use super::*;
use crate::lifecycle::{Gate, Granted, Phase, Setback};
use crate::liveness::Liveness;
use crate::registrar::Told;
use starform_verify::contract::StepId;
use starform_verify::evidence::{Canary, Join, NodesProven, Vantage};
use starform_verify::report::{Counts, REPORT_VERSION, Report, Subject, Summary, Times};
use std::sync::Mutex;
use tokio::task::JoinHandle;

/// Which request, in which phase, of which UID.
type Request = (&'static str, Phase, String);

/// A Starbase that accepts, as long as it answers at all.
#[derive(Clone, Default)]
struct Accepting {
    told: Arc<Mutex<Vec<Request>>>,
    silent: bool,
}

/// The outer ends of a running shell.
struct Ends {
    verifications: watch::Sender<Option<Arc<Verification>>>,
    leading: watch::Sender<bool>,
    parameters: watch::Sender<u64>,
    _status: watch::Sender<Option<ShuttleStatus>>,
    stop: CancellationToken,
    snapshot: watch::Receiver<Snapshot>,
    transitions: mpsc::Receiver<Transition>,
    liveness: Liveness,
    starbase: Accepting,
    shell: JoinHandle<()>,
}

// === impl Accepting ===

impl Accepting {
    async fn hear(&self, what: &'static str, told: &Told) {
        self.told.lock().unwrap().push((what, told.phase, told.uid.clone()));
        if self.silent {
            std::future::pending::<()>().await;
        }
    }
}

impl Registrar for Accepting {
    async fn register(&self, told: &Told) -> Result<Granted, Setback> {
        self.hear("register", told).await;
        Ok(Granted {
            generation: 1,
            interval: Duration::from_secs(30),
        })
    }

    async fn heartbeat(&self, generation: u64, told: &Told) -> Result<Duration, Setback> {
        assert_eq!(generation, 1);
        self.hear("heartbeat", told).await;
        Ok(Duration::from_secs(30))
    }
}

// === impl Ends ===

impl Ends {
    fn of(starbase: Accepting, room: usize) -> Self {
        let (verifications, verified) = watch::channel(None);
        let (leading, lease) = watch::channel(false);
        let (status, status_seen) = watch::channel(None);
        let (parameters, changes) = watch::channel(0);
        let (published, snapshot) = watch::channel(Snapshot::starting(Timestamp::UNIX_EPOCH));
        let (announced, transitions) = mpsc::channel(room);
        let (stop, liveness) = (CancellationToken::new(), Liveness::default());
        let inbox = Inbox {
            verifications: verified,
            leading: lease,
            status: status_seen,
            parameters: changes,
            stop: stop.clone(),
        };
        let outbox = Outbox {
            snapshot: published,
            transitions: announced,
            verify: Arc::default(),
            step_down: Arc::default(),
            pulse: liveness.watch("lifecycle", TURN * 2),
        };
        let settings = Settings {
            seed: 1,
            clock: || Timestamp::UNIX_EPOCH,
        };
        Self {
            verifications,
            leading,
            parameters,
            _status: status,
            stop,
            snapshot,
            transitions,
            liveness,
            shell: tokio::spawn(run(starbase.clone(), settings, inbox, outbox)),
            starbase,
        }
    }

    async fn verify(&self, uid: Option<&str>, gate: Gate) {
        self.verifications.send_replace(Some(Arc::new(verification(uid, gate))));
        settle().await;
    }

    async fn active(&self) {
        self.leading.send_replace(true);
        self.verify(Some("uid"), Gate::Passes).await;
        assert_eq!(self.phase(), Phase::Active);
    }

    fn phase(&self) -> Phase {
        self.snapshot.borrow().phase
    }

    fn told(&self) -> Vec<Request> {
        self.starbase.told.lock().unwrap().clone()
    }
}

/// Lets all that can be done now be done.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn verification(uid: Option<&str>, gate: Gate) -> Verification {
    Verification {
        report: Report {
            api_version: REPORT_VERSION.to_owned(),
            kind: "Report".to_owned(),
            tool_version: String::new(),
            contract: String::new(),
            subject: Subject {
                manifests: None,
                context: None,
                uid: None,
                kubernetes: None,
                nodes: None,
                region: None,
                vantage: Vantage::Inside,
            },
            summary: Summary {
                conforms: true,
                answer: String::new(),
                first_broken: None,
                counts: Counts::default(),
                not_audited: Vec::new(),
                ignored: Vec::new(),
            },
            steps: Vec::new(),
            times: Times {
                collected: Timestamp::UNIX_EPOCH,
                server: None,
                took_ms: 0,
                waited: None,
            },
            error: None,
        },
        gate,
        uid: uid.map(str::to_owned),
        canary: Canary::default(),
        join: Join::default(),
        nodes: NodesProven::default(),
        took: Duration::ZERO,
        cost: Duration::ZERO,
    }
}

fn fails() -> Gate {
    Gate::Fails(crate::lifecycle::Broken::of("SF304", StepId::Three, "no row"))
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_gate_passes_registers_and_beats_at_once_and_a_stop_says_so() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.active().await;
    let uid = || "uid".to_owned();
    assert_eq!(
        ends.told(),
        [
            ("register", Phase::Registering, uid()),
            ("heartbeat", Phase::Active, uid())
        ]
    );
    ends.stop.cancel();
    ends.shell.await.unwrap();
    let told = ends.starbase.told.lock().unwrap().clone();
    assert_eq!(told.last(), Some(&("heartbeat", Phase::Stopping, uid())));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_uid_was_not_seen_is_not_registered() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.leading.send_replace(true);
    ends.verify(None, Gate::Passes).await;
    assert_eq!((ends.phase(), ends.told().len()), (Phase::Verifying, 0));
    assert!(
        ends.snapshot.borrow().reason.words.contains("UID"),
        "{:?}",
        ends.snapshot.borrow().reason
    );
}

#[tokio::test(start_paused = true)]
async fn another_uid_is_registered_anew() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.active().await;
    ends.verify(Some("other"), Gate::Passes).await;
    assert!(
        ends.told().contains(&("register", Phase::Active, "other".to_owned())),
        "{:?}",
        ends.told()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_and_won_between_two_looks_registers_anew() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.active().await;
    ends.leading.send_replace(false);
    ends.leading.send_replace(true);
    settle().await;
    let registered = ends.told().iter().filter(|(what, ..)| *what == "register").count();
    assert_eq!((registered, ends.phase()), (2, Phase::Active));
}

#[tokio::test(start_paused = true)]
async fn an_elector_that_is_gone_holds_no_lease() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.active().await;
    drop(ends.leading);
    settle().await;
    assert_eq!(ends.snapshot.borrow().phase, Phase::Standby);
    assert!(!ends.snapshot.borrow().leader);
}

#[tokio::test(start_paused = true)]
async fn no_request_outlives_its_minute_and_a_stop_outlives_no_request() {
    let silent = Accepting {
        silent: true,
        ..Accepting::default()
    };
    let ends = Ends::of(silent, 16);
    ends.leading.send_replace(true);
    ends.verify(Some("uid"), Gate::Passes).await;
    assert_eq!(ends.told().len(), 1);
    tokio::time::sleep(Duration::from_secs(63)).await;
    assert_eq!(ends.told().len(), 2);
    assert!(
        ends.snapshot
            .borrow()
            .setback
            .as_deref()
            .is_some_and(|text| text.contains("no answer within 60 s"))
    );
    assert!(ends.liveness.stuck().is_empty());
    let before = Instant::now();
    ends.stop.cancel();
    ends.shell.await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn no_transition_is_lost_while_their_receiver_sleeps() {
    let mut ends = Ends::of(Accepting::default(), 1);
    ends.active().await;
    for _ in 0..20 {
        ends.verify(Some("uid"), fails()).await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        ends.verify(Some("uid"), fails()).await;
        assert_eq!(ends.phase(), Phase::Degraded);
        ends.verify(Some("uid"), Gate::Passes).await;
        assert_eq!(ends.phase(), Phase::Active);
    }
    assert!(ends.liveness.stuck().is_empty());
    let mut last = Phase::Starting;
    let mut count = 0;
    while let Ok(Some(transition)) = timeout(Duration::from_secs(1), ends.transitions.recv()).await {
        assert_eq!(transition.from, last);
        last = transition.to;
        count += 1;
    }
    assert_eq!((last, count), (Phase::Active, 3 + 40));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_sleeps_for_ever_ends_the_pulse_and_not_the_stop() {
    let ends = Ends::of(Accepting::default(), 1);
    ends.active().await;
    for _ in 0..publish::WAITING {
        ends.verify(Some("uid"), fails()).await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        ends.verify(Some("uid"), fails()).await;
        ends.verify(Some("uid"), Gate::Passes).await;
    }
    tokio::time::sleep(TURN * 3).await;
    assert_eq!(ends.liveness.stuck().len(), 1);
    ends.stop.cancel();
    timeout(Duration::from_secs(8), ends.shell).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn changed_parameters_register_anew_and_a_writer_that_is_gone_does_not_make_the_loop_spin() {
    let ends = Ends::of(Accepting::default(), 16);
    ends.active().await;
    ends.parameters.send_modify(|count| *count += 1);
    settle().await;
    assert_eq!(ends.told().iter().filter(|(what, ..)| *what == "register").count(), 2);
    drop((ends.parameters, ends.verifications));
    // A loop that spins never lets paused time go on.
    timeout(Duration::from_secs(1000), tokio::time::sleep(Duration::from_mins(5)))
        .await
        .unwrap();
    assert!(ends.liveness.stuck().is_empty());
}
