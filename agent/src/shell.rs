//! The lifecycle's shell: feeds it what happens, does what it says, and publishes where it stands.

mod errand;
mod inbox;
mod publish;
#[cfg(test)]
mod tests;

use self::errand::Errand;
use self::inbox::{Heard, News};
use self::publish::Published;
use crate::lifecycle::{Action, Alarm, Input, Phase, State};
use crate::liveness::Pulse;
use crate::registrar::Registrar;
use crate::snapshot::{Snapshot, Transition};
use crate::verification::Verification;
use jiff::Timestamp;
use starform_verify::evidence::ShuttleStatus;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// The loop turns at least so often. Its [`Pulse`] should allow several times as much.
pub const TURN: Duration = Duration::from_secs(10);
/// So long the last transitions may take to be told, once everything else has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the lifecycle hears.
#[derive(Debug)]
pub struct Inbox {
    /// The last verification.
    pub verifications: watch::Receiver<Option<Arc<Verification>>>,
    /// Whether this replica holds the Lease. Only to be sent when it changes: `true` after `true` is taken for a Lease
    /// that was lost and won between two looks.
    pub leading: watch::Receiver<bool>,
    /// The ConfigMap `shuttle-status`, whoever wrote it.
    pub status: watch::Receiver<Option<ShuttleStatus>>,
    /// Counts the changes of the parameters.
    pub parameters: watch::Receiver<u64>,
    /// Ends everything: heartbeat with the reason, then return.
    pub stop: CancellationToken,
}

/// What the lifecycle says.
#[derive(Debug)]
pub struct Outbox {
    /// Where it stands.
    pub snapshot: watch::Sender<Snapshot>,
    /// Every change of phase, none lost. While the receiver is slow they wait in the shell; where 256 of
    /// them wait, the shell waits too and its pulse ends, so that the kubelet restarts an agent that cannot speak.
    pub transitions: mpsc::Sender<Transition>,
    /// A verification is wanted now.
    pub verify: Arc<Notify>,
    /// The Lease is to be given back: a later registration stands, or the process ends.
    pub step_down: Arc<Notify>,
    /// Shows that the loop turns; see [`TURN`].
    pub pulse: Pulse,
}

/// What a simulation sets, so that it can be run again.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Seeds the jitter.
    pub seed: u64,
    /// The wall clock, for what people read. Nothing is decided by it.
    pub clock: fn() -> Timestamp,
}

/// The running shell.
struct Shell<R> {
    state: State,
    started: Instant,
    random: fastrand::Rng,
    alarms: BTreeMap<Alarm, Instant>,
    errand: Errand<R>,
    published: Published,
    verify: Arc<Notify>,
    step_down: Arc<Notify>,
    ended: bool,
}

/// Runs the lifecycle until it is stopped. The parameters have been read, and the tasks behind `inbox` run. Returns
/// within seven seconds of the stop: five for the last heartbeat, two for the last transitions.
///
/// The future is the task: it has one request in flight at most, and whoever drops it drops the request.
pub async fn run<R: Registrar>(registrar: R, settings: Settings, inbox: Inbox, outbox: Outbox) {
    let pulse = outbox.pulse;
    let mut heard = Heard::new(inbox);
    let mut shell = Shell {
        state: State::default(),
        started: Instant::now(),
        random: fastrand::Rng::with_seed(settings.seed),
        alarms: BTreeMap::new(),
        errand: Errand::new(registrar),
        published: Published::new(outbox.snapshot, outbox.transitions, settings.clock),
        verify: outbox.verify,
        step_down: outbox.step_down,
        ended: false,
    };
    shell.take(Input::Started);
    while !shell.ended {
        if !shell.published.full() {
            pulse.beat();
        }
        let alarm = shell.next_alarm();
        let open = !shell.published.full() || shell.state.phase() == Phase::Stopping;
        tokio::select! {
            biased;
            () = shell.published.tell() => {}
            // Before the answer: what makes it void, a Lease that is lost or a gate that fails, is heard first.
            news = heard.next(open) => match news {
                News::Input(input) => shell.take(input),
                News::Verification => shell.take_verification(&mut heard),
                News::Nothing => {}
            },
            input = shell.errand.answer(), if open => shell.take(input),
            alarm = ring(alarm), if open => {
                shell.alarms.remove(&alarm);
                shell.take(Input::Timer(alarm));
            }
            () = tokio::time::sleep(TURN) => {}
        }
    }
    if timeout(LAST_WORDS, shell.published.tell_all()).await.is_err() {
        warn!(
            waiting = shell.published.waiting(),
            "the last transitions were not told in time"
        );
    }
}

/// Waits for the next alarm; for ever where there is none.
async fn ring(next: Option<(Alarm, Instant)>) -> Alarm {
    match next {
        Some((alarm, due)) => {
            sleep_until(due).await;
            alarm
        }
        None => std::future::pending().await,
    }
}

// === impl Settings ===

impl Default for Settings {
    /// Another seed each time, and the machine's clock.
    fn default() -> Self {
        Self {
            seed: fastrand::u64(..),
            clock: Timestamp::now,
        }
    }
}

// === impl Shell ===

impl<R: Registrar> Shell<R> {
    /// One step, and what follows from it.
    fn take(&mut self, input: Input) {
        let now = self.started.elapsed();
        debug!(phase = %self.state.phase(), ?input, "stepped");
        if let Input::Registered(_) | Input::HeartbeatAccepted { .. } = input {
            self.published.accepted(&input);
        }
        let before = self.state.setback().is_some();
        let actions = self.state.step(input, now);
        for action in actions {
            self.act(action);
        }
        self.log_setback(before);
        self.published.publish(&self.state);
    }

    /// A verification, and what it means for the status: it may tell the UID for the first time.
    fn take_verification(&mut self, heard: &mut Heard) {
        let Some(taken) = heard.take_verification() else {
            return;
        };
        self.errand.report(taken.verification);
        for input in taken.inputs {
            self.take(input);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Register => {
                self.alarms.remove(&Alarm::Request);
                self.errand.register(&self.state);
            }
            Action::Heartbeat { generation } => {
                self.alarms.remove(&Alarm::Request);
                self.errand.heartbeat(generation, &self.state);
            }
            Action::Forget => {
                self.alarms.remove(&Alarm::Request);
                self.errand.forget();
            }
            Action::Set(alarm, wait) => {
                let due = Instant::now() + wait.draw(&mut self.random);
                self.alarms.insert(alarm, due);
            }
            Action::Clear(alarm) => _ = self.alarms.remove(&alarm),
            Action::Verify => self.verify.notify_one(),
            Action::StepDown => self.step_down.notify_one(),
            Action::Announce { from, to, reason } => self.published.announce(from, to, reason),
            Action::End => self.ended = true,
        }
    }

    /// Once when Starbase begins to be of another mind, once when it accepts again; the retries between are debug.
    fn log_setback(&self, before: bool) {
        match (before, self.state.setback()) {
            (false, Some(error)) => warn!(error, "Starbase did not accept"),
            (true, Some(error)) => debug!(error, "Starbase did not accept again"),
            (true, None) => info!("Starbase accepted again"),
            (false, None) => {}
        }
    }

    fn next_alarm(&self) -> Option<(Alarm, Instant)> {
        (self.alarms.iter())
            .map(|(alarm, due)| (*alarm, *due))
            .min_by_key(|(_, due)| *due)
    }
}
