//! What can be typed.

mod audit;
mod default;
mod value;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

pub(crate) use self::audit::{
    AuditArgs, ClusterArgs, ContractArgs, NoContract, RegionArgs, ReportArgs, SelectionArgs, StarbaseArgs, TimeArgs,
};
pub(crate) use self::default::with_default_command;
pub(crate) use self::value::Output;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EPILOGUE: &str = "\
Without a command it audits the cluster of the current kubeconfig context.
`starform-verify audit --help` lists the options of an audit.

Most options are also environment variables: --fail-on is STARFORM_VERIFY_FAIL_ON.

Exit codes, the same in every output form:
  0  the cluster conforms
  1  the tool could not run: no API server answered, or it was interrupted
  2  bad usage, contract or evidence, or an empty selection
  3  at least one check failed
  4  warnings only, with --fail-on warning
  5  at least one check could not be seen, and none failed";

/// Audits a cluster against Starform's install contract: which step broke first, and what to type
#[derive(Debug, Parser)]
#[command(name = "starform-verify", bin_name = "starform-verify", version, styles = STYLES, after_help = EPILOGUE, max_term_width = 100)]
#[command(disable_help_subcommand = true, subcommand_required = true)]
#[command(override_usage = "starform-verify [COMMAND] [OPTIONS]")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// When to colour the output: auto, always, never; `auto` obeys NO_COLOR and TERM=dumb
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        env = "STARFORM_VERIFY_COLOR",
        hide_env = true
    )]
    pub(crate) color: Color,
    /// Tell on stderr what is done; twice for every request
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Audit a cluster; the default command, so that the word can be left out
    Audit(Box<AuditArgs>),
    /// Audit the recording of a real, broken cluster, to see what a report looks like
    Demo(Box<DemoArgs>),
    /// Print the install sequence for a cluster as a shell script, from the contract
    Plan(Box<PlanArgs>),
    /// Audit Helm values and helmfile.yaml before anything is installed
    Manifests(Box<ManifestsArgs>),
    /// Explain a check: what, why, an example, how to fix
    Explain(ExplainArgs),
    /// Print the least roles that an audit needs, for `kubectl apply -f -`
    Rbac(Box<RbacArgs>),
    /// Print the install contract in force
    Contract(ContractCommandArgs),
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man {
        /// The command, else the page of the whole
        command: Option<String>,
    },
}

/// `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// `plan`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct PlanArgs {
    /// The ID under which Starbase is to know the cluster
    #[arg(long, value_name = "ID", value_parser = value::cluster_id)]
    pub(crate) cluster_id: String,
    /// The region it stands in: which of manifests/helm/regions/ it takes
    #[arg(long, value_name = "REGION", value_parser = value::region)]
    pub(crate) region: String,
    /// Where the project's manifests are when the script runs
    #[arg(long, value_name = "DIR", default_value = "manifests", value_parser = value::directory)]
    pub(crate) manifests: String,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

/// `manifests`.
#[derive(Args, Debug)]
pub(crate) struct ManifestsArgs {
    /// The directory with helmfile.yaml and the values files: manifests/helm
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// `explain`.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ExplainArgs {
    /// The check, by code or slug: SF324, state-metrics-allowlist
    #[arg(value_name = "CODE|SLUG", value_parser = value::explained)]
    pub(crate) check: Option<String>,
    /// List every check
    #[arg(long)]
    pub(crate) list: bool,
    /// Print the pages of all checks as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Print the JSON Schema of what `-o json` prints
    #[arg(long)]
    pub(crate) schema: bool,
}

/// `rbac`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Roles")]
pub(crate) struct RbacArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// Grant in this namespace too, for a component that stands in it; may be repeated
    #[arg(long, value_name = "NAMESPACE", value_delimiter = ',')]
    pub(crate) namespace: Vec<String>,
    /// For a sharded kube-state-metrics: grant pods/proxy in its namespace, for each shard is read through its pod
    #[arg(long)]
    pub(crate) sharded: bool,
    /// Name of the roles and bindings
    #[arg(long, value_name = "NAME", default_value = "starform-verify", value_parser = value::object_name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

/// Who is granted the roles.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct SubjectArgs {
    /// Grant to this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Grant to this ServiceAccount
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = value::service_account)]
    pub(crate) service_account: Option<(String, String)>,
}

/// `contract`.
#[derive(Args, Debug)]
pub(crate) struct ContractCommandArgs {
    /// Print the JSON Schema of the contract instead
    #[arg(long)]
    pub(crate) schema: bool,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
