//! The one cluster that all end-to-end tests of a run share.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

use crate::components::Versions;
use crate::paths::State;
use crate::scenarios::Scenario;
use crate::{args, broken, daemon, inside, scale, shown, steps, up};

/// A cluster that is up. Its methods that change it take turns with other processes, not with other threads: tests of
/// one binary hold the guard of `cluster()`.
pub struct Cluster {
    pub(crate) state: State,
    _only: Option<MutexGuard<'static, ()>>,
    /// Whether it goes down with its value: the shared one stays for the next run.
    goes: bool,
}

static ONLY: Mutex<()> = Mutex::new(());
static BROUGHT_UP: OnceLock<std::result::Result<(), String>> = OnceLock::new();

/// The shared cluster: the one that runs already, else a new one. While the returned value lives, other tests of the
/// same binary wait. `None` when this machine can have none; that is said once, and is an error with
/// `TESTBED=required`.
///
/// # Errors
///
/// When the cluster does not come up, or cannot and is required.
pub fn cluster() -> Result<Option<Cluster>> {
    let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
    if !possible()? {
        return Ok(None);
    }
    let state = State::named("default");
    if let Err(error) = BROUGHT_UP.get_or_init(|| bring_up(&state).map_err(|error| format!("{error:#}"))) {
        bail!("{error}");
    }
    Ok(Some(Cluster {
        state,
        _only: Some(only),
        goes: false,
    }))
}

/// Whether this machine can have a cluster. That it cannot is said once, and is an error where one is required.
pub(crate) fn possible() -> Result<bool> {
    static SAID: OnceLock<()> = OnceLock::new();
    let Some(reason) = up::unfit() else { return Ok(true) };
    if std::env::var_os("TESTBED").is_some_and(|value| value == "required") {
        bail!("TESTBED=required, but {reason}");
    }
    SAID.get_or_init(|| steps::say(format_args!("SKIPPED, no cluster: {reason}")));
    Ok(false)
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
    }
}

impl Cluster {
    /// One that is no other test's, and goes down with its value.
    pub(crate) fn own(state: State) -> Self {
        Self {
            state,
            _only: None,
            goes: true,
        }
    }

    /// One that others brought up, and take down.
    pub(crate) fn borrowed(state: State) -> Self {
        Self {
            state,
            _only: None,
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

    /// The administrator's kubeconfig. The address in it answers only within the cluster's network.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.state.kubeconfig("admin")
    }
}
