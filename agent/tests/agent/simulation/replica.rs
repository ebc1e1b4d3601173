//! One process of the agent: the real shell and registrar, and tasks in place of verifier and announcer.

use super::feed::Feed;
use super::verification::{Weather, status, verification};
use super::world::{Shared, Wire};
use jiff::Timestamp;
use shuttle::liveness::Liveness;
use shuttle::parameters::Parameters;
use shuttle::registrar::{About, HttpRegistrar};
use shuttle::shell::{Inbox, Outbox, Settings, TURN, run};
use shuttle::snapshot::{Snapshot, Transition};
use shuttle::verification::Verification;
use starform_verify::evidence::ShuttleStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What the replicas of one cluster share.
pub(crate) struct Cluster {
    pub(crate) world: Shared,
    pub(crate) uid: &'static str,
    pub(crate) parameters: Feed<Arc<Parameters>>,
    pub(crate) changes: Feed<u64>,
    pub(crate) weather: Feed<Weather>,
    pub(crate) status: Feed<Option<ShuttleStatus>>,
}

/// One process.
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) process: usize,
    pub(crate) leading: watch::Sender<bool>,
    pub(crate) step_down: Arc<Notify>,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) liveness: Liveness,
    stop: CancellationToken,
    shell: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

// === impl Replica ===

impl Replica {
    pub(crate) fn start(cluster: &Cluster, name: &str, seed: u64) -> Self {
        let (verified, verifications) = watch::channel(None);
        let (leading, lease) = watch::channel(false);
        let (published, snapshot) = watch::channel(Snapshot::starting(Timestamp::UNIX_EPOCH));
        let (announced, transitions) = mpsc::channel(4);
        let (verify, step_down) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (stop, liveness) = (CancellationToken::new(), Liveness::default());
        let process = cluster.world.lock().unwrap().process(name, snapshot.clone());
        let inbox = Inbox {
            verifications,
            leading: lease,
            status: cluster.status.subscribe(),
            parameters: cluster.changes.subscribe(),
            stop: stop.clone(),
        };
        let outbox = Outbox {
            snapshot: published,
            transitions: announced,
            verify: Arc::clone(&verify),
            step_down: Arc::clone(&step_down),
            pulse: liveness.watch("lifecycle", TURN * 2),
        };
        let wire = Wire {
            world: Arc::clone(&cluster.world),
            process,
        };
        let about = About {
            instance: name.to_owned(),
            contract: "sha256:0".to_owned(),
        };
        let address = "https://starbase.example".parse().unwrap();
        let registrar = HttpRegistrar::new(wire, address, cluster.parameters.subscribe(), about);
        let settings = Settings {
            seed,
            clock: || Timestamp::UNIX_EPOCH,
        };
        let random = fastrand::Rng::with_seed(seed.wrapping_add(1));
        let others = vec![
            tokio::spawn(verifier(
                cluster.uid,
                cluster.weather.subscribe(),
                verify,
                verified,
                random,
            )),
            tokio::spawn(teller(
                Arc::clone(&cluster.world),
                cluster.uid,
                name.to_owned(),
                snapshot.clone(),
                transitions,
                cluster.status.clone(),
            )),
        ];
        Self {
            name: name.to_owned(),
            process,
            leading,
            step_down,
            snapshot,
            liveness,
            stop,
            shell: tokio::spawn(run(registrar, settings, inbox, outbox)),
            others,
        }
    }

    /// kill -9.
    pub(crate) fn kill(self, world: &Shared) {
        self.shell.abort();
        self.bury(world);
    }

    /// Stops as the kubelet asks it to; says how that went.
    pub(crate) async fn stop(mut self, world: &Shared) -> Result<(), String> {
        self.stop.cancel();
        let ended = timeout(Duration::from_secs(8), &mut self.shell).await;
        let name = self.name.clone();
        self.bury(world);
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{name} ended abnormally: {error}")),
            Err(_) => Err(format!("{name} did not end in time")),
        }
    }

    /// Whether its shell has ended though nobody asked it to.
    pub(crate) fn is_over(&self) -> bool {
        self.shell.is_finished()
    }

    fn bury(self, world: &Shared) {
        for task in &self.others {
            task.abort();
        }
        world.lock().unwrap().processes[self.process].alive = false;
    }
}

/// Verifies on demand, on change, and now and then.
async fn verifier(
    uid: &'static str,
    mut weather: watch::Receiver<Weather>,
    wanted: Arc<Notify>,
    verified: watch::Sender<Option<Arc<Verification>>>,
    mut random: fastrand::Rng,
) {
    loop {
        tokio::select! {
            biased;
            () = wanted.notified() => {}
            changed = weather.changed() => if changed.is_err() { return },
            () = sleep(Duration::from_secs(random.u64(30..60))) => {}
        }
        let seen = *weather.borrow_and_update();
        sleep(Duration::from_millis(random.u64(100..2_500))).await;
        if let Some(verification) = verification(uid, seen) {
            verified.send_replace(Some(Arc::new(verification)));
        }
    }
}

/// Writes the transitions down, and the status where its process leads.
async fn teller(
    world: Shared,
    uid: &'static str,
    name: String,
    mut snapshot: watch::Receiver<Snapshot>,
    mut transitions: mpsc::Receiver<Transition>,
    status_map: Feed<Option<ShuttleStatus>>,
) {
    let mut last = None;
    loop {
        tokio::select! {
            biased;
            changed = snapshot.changed() => {
                if changed.is_err() {
                    return;
                }
                world.lock().unwrap().check_generations();
                let seen = snapshot.borrow_and_update().clone();
                let shown = format!("{name} shows {seen:?}");
                if shown.contains(super::world::SECRET) {
                    world.lock().unwrap().violate(&format!("{name} shows the token"));
                }
                if seen.leader {
                    status_map.send(&Some(status(uid, &name, &seen)));
                }
            }
            transition = transitions.recv() => {
                let Some(transition) = transition else { return };
                let Transition { from, to, reason, .. } = transition;
                let mut world = world.lock().unwrap();
                world.note(&format!("{name} {from} -> {to}: {reason}"));
                if last.is_some_and(|last| last != from) {
                    world.violate(&format!("{name} announces a change from {from}, and was in {last:?}"));
                }
                last = Some(to);
            }
        }
    }
}
