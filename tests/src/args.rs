//! The command line.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::components::Versions;
use crate::paths::State;
use crate::recipes::Needed;
use crate::scenarios::Scenario;
use crate::{
    broken, budgets, control_plane, daemon, go_binaries, inside, leftovers, node, record, scale, shuttle, starbase,
    status, steps, stores, up,
};

/// A real Kubernetes cluster on one Linux machine, without Docker
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    /// Which cluster, where one checkout has several
    #[arg(long, default_value = "default", global = true)]
    name: String,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compile what is not in the cache yet
    Build {
        /// Also what a cluster of the fleet has on it: Envoy Gateway, Shuttle
        #[arg(long)]
        fleet: bool,
        /// All that tests need
        #[arg(long)]
        tests: bool,
        /// Also the versions that only the version matrix needs
        #[arg(long)]
        version_matrix: bool,
    },
    /// Bring the cluster up; it stays up in the background
    Up {
        /// Version of metrics-server: 0.9.0, 0.8.0 or 0.7.2
        #[arg(long, value_name = "VERSION", default_value_t = Versions::default().metrics_server)]
        metrics_server: String,
        /// Version of kube-state-metrics: 2.20.0, 2.19.1, 2.18.0 or 2.13.0
        #[arg(long, value_name = "VERSION", default_value_t = Versions::default().kube_state_metrics)]
        kube_state_metrics: String,
    },
    /// Take the cluster down; nothing of it stays but logs
    Down,
    /// Say where the cluster is and how it does; exit code 1 if it is not up
    Status,
    /// Run a command in the cluster's network, with KUBECONFIG, Helm's repositories, kubectl and helm
    Exec {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
    /// Break the cluster in one way, and wait until it shows
    Break { scenario: Scenario },
    /// Make the cluster healthy again
    Mend,
    /// List what `break` can do, and why it happens to real clusters
    Scenarios,
    /// Have so many more pods that nothing schedules; 0 removes them
    Scale { pods: u32 },
    /// Record into testdata/ what the tests replay: the auditor's evidence of every scenario, and scrapes of every
    /// compiled version of kube-state-metrics
    Record {
        /// Only the evidence of these
        scenarios: Vec<Scenario>,
        /// Only the scrapes
        #[arg(long, conflicts_with = "scenarios")]
        scrapes: bool,
    },
    /// Measure the audit at a size, against reading each of its sources and throwing it away; as ratios
    Budgets {
        /// How many pods
        #[arg(long, default_value_t = 10_000)]
        pods: u32,
        /// How many rounds, each of which does everything in turn
        #[arg(long, default_value_t = 9)]
        rounds: usize,
        /// Also a peer, once: Troubleshoot's preflight, which takes minutes
        #[arg(long)]
        peer: bool,
    },
    /// A Starbase to register with: serve it, mint tokens, make faults, look at it
    Starbase(starbase::Arguments),
    /// The stores of a region: serve them, for the cluster if it is up, until this is interrupted
    Stores(stores::Arguments),
    /// Build Shuttle's image, as it is released, into an OCI archive
    Image {
        /// The image's name: the registry that it goes to, repository, tag
        #[arg(long, default_value = concat!("docker.io/starform/shuttle:", env!("CARGO_PKG_VERSION")))]
        name: String,
        archive: PathBuf,
    },
    /// The peak memory of a command, in KiB
    #[command(hide = true)]
    PeakMemory {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
    #[command(hide = true)]
    Keeper { nodes: u8 },
    #[command(hide = true)]
    Janitor,
    #[command(hide = true)]
    ControlPlane { nodes: u8 },
    #[command(hide = true)]
    Node { node: u8, nodes: u8 },
}

/// The whole program.
#[must_use]
pub fn run() -> ExitCode {
    match dispatch(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            steps::say(format_args!("testbed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: Args) -> Result<ExitCode> {
    let state = State::named(&args.name);
    if !matches!(args.command, Task::Build { .. } | Task::Scenarios | Task::Starbase(_))
        && let Some(reason) = up::unfit()
    {
        bail!("{reason}");
    }
    match args.command {
        Task::Build {
            fleet,
            tests,
            version_matrix,
        } => {
            let needed = match (fleet, tests, version_matrix) {
                (_, _, true) => Needed::Matrix,
                (_, true, false) => Needed::Scenarios,
                (true, false, false) => Needed::Fleet,
                (false, false, false) => Needed::Cluster,
            };
            build(needed)?;
        }
        Task::Up {
            metrics_server,
            kube_state_metrics,
        } => {
            let _turn = turn(&state)?;
            let versions = Versions {
                metrics_server,
                kube_state_metrics,
            };
            up::up(&state, &std::env::current_exe()?, &versions)?;
        }
        Task::Down => {
            let _turn = turn(&state)?;
            let ran = leftovers::down(&state)?;
            steps::say(if ran {
                "the cluster is down"
            } else {
                "no cluster was up"
            });
        }
        Task::Status => {
            let (text, up) = status::status(&state)?;
            print(&text)?;
            return Ok(if up { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Task::Exec { command } => inside::exec(&state, &command)?,
        Task::Break { scenario } => {
            let _turn = turn(&state)?;
            broken::break_(&state, scenario)?;
        }
        Task::Mend => {
            let _turn = turn(&state)?;
            broken::mend(&state)?;
        }
        Task::Scenarios => {
            for scenario in Scenario::all() {
                print(&format!("{}\n    {}\n", scenario.name(), scenario.story()))?;
            }
        }
        Task::Budgets { pods, rounds, peer } => {
            let _turn = turn(&state)?;
            print(&budgets::measure(&state, pods, rounds, peer)?)?;
        }
        Task::Starbase(arguments) => print(&starbase::run(arguments)?)?,
        Task::Stores(arguments) => stores::run(&state, &arguments)?,
        Task::Image { name, archive } => {
            let recipe = shuttle::Recipe {
                name: &name,
                authority: None,
            };
            shuttle::build(&recipe, &archive)?;
        }
        Task::PeakMemory { command } => print(&format!("{}\n", budgets::peak_of(&command)?))?,
        Task::Scale { pods } => {
            let _turn = turn(&state)?;
            scale::scale(&state, pods)?;
        }
        Task::Record { scenarios, scrapes } => {
            let _turn = turn(&state)?;
            if !scrapes {
                let chosen = if scenarios.is_empty() {
                    Scenario::all()
                } else {
                    &scenarios
                };
                record::evidence(&state, chosen)?;
            }
            if scenarios.is_empty() {
                record::scrapes(&state)?;
            }
        }
        Task::Keeper { nodes } => daemon::keep(&state, nodes)?,
        Task::Janitor => daemon::clean_after(&state)?,
        Task::ControlPlane { nodes } => control_plane::run(&state, nodes)?,
        Task::Node { node, nodes } => node::run(&state, node, nodes)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles the programs of clusters, and Shuttle's image beside them: neither keeps two cores busy by itself, for both link
/// for a while.
fn build(needed: Needed) -> Result<()> {
    thread::scope(|scope| {
        let image = (needed >= Needed::Fleet).then(|| scope.spawn(shuttle::prepare));
        go_binaries::build(needed)?;
        image.map_or(Ok(()), |image| {
            image.join().unwrap_or_else(|_| bail!("the image's thread panicked"))
        })
    })
}

fn print(text: &str) -> Result<()> {
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .context("standard output is closed")
}

/// One command at a time changes a cluster; a second one waits for its turn.
pub(crate) fn turn(state: &State) -> Result<File> {
    let clusters = state.dir.parent().context("a cluster's state has a folder")?;
    fs::create_dir_all(clusters).with_context(|| format!("{} cannot be created", clusters.display()))?;
    let file = File::create(clusters.join(format!("{}.turn", state.name)))?;
    file.lock().context("the turn cannot be taken")?;
    Ok(file)
}
