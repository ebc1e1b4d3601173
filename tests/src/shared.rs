//! The clusters that the tests of a run share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::components::Versions;
use crate::paths::State;
use crate::scenarios::Scenario;
use crate::turns::{self, Pool, Turn};
use crate::{args, broken, daemon, inside, scale, shown, spent, steps, up};

/// For the tests of steps 1 and 3, and of Shuttle's permissions; also the one that the command line means. A second one was
/// no quicker: the tests of the fleet's take as long, and two cores have enough to do.
const PLAIN: &Pool = &["default"];
/// For the tests of a whole member of the fleet: the collectors and Shuttle stay on it from test to test.
const FLEET: &Pool = &["fleet"];
/// No shared cluster, but the leave to have one of one's own: one more at a time is enough for a machine.
const OWN: &Pool = &["own"];

/// A cluster that is up. Its methods that change it take turns with other processes, not with other threads: a test that
/// shares one has its turn.
pub struct Cluster {
    pub(crate) state: State,
    /// Of a shared one: the turn, and since when.
    turn: Option<(Turn, Instant)>,
    /// Whether it goes down with its value: a shared one stays for the next run.
    goes: bool,
}

/// A shared cluster with the components of step 3, healthy: one that runs already, else a new one. While the returned value
/// lives, no other test of the same program has it.
///
/// # Errors
///
/// When the cluster does not come up.
pub fn cluster() -> Result<Cluster> {
    share(PLAIN)
}

/// Another one, for the tests that install the collectors and Shuttle: they stay on it.
///
/// # Errors
///
/// When the cluster does not come up.
pub fn fleet_cluster() -> Result<Cluster> {
    share(FLEET)
}

/// The leave to bring up a cluster, which ends with the returned value: a test that has clusters of its own waits for it first.
#[must_use]
pub fn leave() -> Leave {
    let turn = Turn::of(OWN);
    steps::of(turn.cluster);
    Leave {
        turn,
        since: Instant::now(),
    }
}

/// See [`leave`].
pub struct Leave {
    turn: Turn,
    since: Instant,
}

impl Drop for Leave {
    fn drop(&mut self) {
        spent::tell(self.turn.cluster, &turns::test(), self.since.elapsed());
    }
}

fn share(pool: &'static Pool) -> Result<Cluster> {
    static BROUGHT_UP: Mutex<BTreeMap<&str, std::result::Result<(), String>>> = Mutex::new(BTreeMap::new());
    let turn = Turn::of(pool);
    let name = turn.cluster;
    steps::of(name);
    let state = State::named(name);
    let brought_up = || BROUGHT_UP.lock().unwrap_or_else(PoisonError::into_inner);
    let known = brought_up().get(name).cloned();
    let outcome = known.clone().unwrap_or_else(|| {
        let start = Instant::now();
        let outcome = bring_up(&state).map_err(|error| format!("{error:#}"));
        spent::tell(name, "brought up", start.elapsed());
        brought_up().insert(name, outcome.clone());
        outcome
    });
    if let Err(error) = outcome {
        bail!("{error}");
    }
    let cluster = Cluster {
        state,
        turn: Some((turn, Instant::now())),
        goes: false,
    };
    // The test before this one may have left it broken.
    if known.is_some() && broken::current(&cluster.state) != Some(Scenario::Healthy) {
        cluster.mend()?;
    }
    Ok(cluster)
}

/// A running cluster is taken as it is if it is healthy, and mended if it is not.
fn bring_up(state: &State) -> Result<()> {
    let _turn = args::turn(state)?;
    if !daemon::is_running(state)? {
        return up::up(state, &program()?, &Versions::default());
    }
    if broken::current(state).is_none() {
        bail!(
            "the cluster `{}` came up only half: run `cargo run -p testbed -- down`",
            state.name
        );
    }
    broken::break_(state, Scenario::Healthy)
}

/// Whether every program of this workspace is known to be built, because `TESTBED_PROGRAMS` is `built`. cargo need not look
/// then, and need not wait for another that compiles.
pub(crate) fn built() -> bool {
    std::env::var_os("TESTBED_PROGRAMS").is_some_and(|value| value == "built")
}

/// The command line's program, which the cluster's processes are: cargo puts it beside the folder of the tests.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(set) = std::env::var_os("TESTBED_PROGRAM") {
        return Ok(set.into());
    }
    let test = std::env::current_exe()?;
    let beside = test
        .parent()
        .and_then(|deps| deps.parent())
        .map(|profile| profile.join("testbed"));
    beside.filter(|path| path.exists()).with_context(|| {
        format!(
            "no program `testbed` beside {}: run `cargo build -p testbed` first",
            test.display()
        )
    })
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.goes {
            // A test that failed has said so already.
            let _ = self.down();
        }
        if let Some((_, since)) = &self.turn {
            spent::tell(&self.state.name, &turns::test(), since.elapsed());
        }
    }
}

impl Cluster {
    /// One that is no other test's, and goes down with its value.
    pub(crate) fn own(state: State) -> Self {
        Self {
            state,
            turn: None,
            goes: true,
        }
    }

    /// One that others brought up, and take down.
    pub(crate) fn borrowed(state: State) -> Self {
        Self {
            state,
            turn: None,
            goes: false,
        }
    }

    /// A command that will run in the cluster's network with KUBECONFIG, kubectl and helm: `words` follow `exec --`.
    ///
    /// # Errors
    ///
    /// When the program of the testbed is not built.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(program()?);
        command.args(["--name", &self.state.name, "exec", "--"]).args(words);
        Ok(command)
    }

    /// Runs a command in the cluster's network to its end, whatever its exit code.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn exec(&self, words: &[&str]) -> Result<Output> {
        inside::output(&self.state, words)
    }

    /// Runs a command that must succeed; its standard output.
    ///
    /// # Errors
    ///
    /// When it cannot be started or fails; the error carries what it said.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        inside::run(&self.state, words)
    }

    /// Puts the cluster into a scenario, from whatever state, and waits until that shows.
    ///
    /// # Errors
    ///
    /// When it does not show within three minutes.
    pub fn break_(&self, scenario: Scenario) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        broken::break_(&self.state, scenario)
    }

    /// Makes the cluster healthy, from whatever state.
    ///
    /// # Errors
    ///
    /// When it is not healthy after three minutes.
    pub fn mend(&self) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        broken::mend(&self.state)
    }

    /// Waits until the cluster is healthy, changing nothing: after a printed command should have mended it.
    ///
    /// # Errors
    ///
    /// When it is not healthy after three minutes.
    pub fn wait_until_healthy(&self) -> Result<()> {
        shown::wait(&self.state, Scenario::Healthy)
    }

    /// Has so many further pods, which nothing schedules.
    ///
    /// # Errors
    ///
    /// When the API server refuses them.
    pub fn scale(&self, pods: u32) -> Result<()> {
        let _turn = args::turn(&self.state)?;
        scale::scale(&self.state, pods)
    }

    /// Its name, by which processes of the command line find it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The administrator's kubeconfig. The address in it answers only within the cluster's network.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.state.kubeconfig("admin")
    }
}
