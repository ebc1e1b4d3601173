//! What an audit takes.

use super::value;
use clap::{Args, ValueEnum};
use http::Uri;
use starform_verify::collect::{ConnectError, Starbase, StarbaseOptions, Stores, TerraformDocument};
use starform_verify::contract::{Contract, ContractError, StepId};
use starform_verify::evaluate::{Selection, SelectionError, SelectionRequest};
use starform_verify::report::FailOn;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// `audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) recording: RecordingArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) starbase: StarbaseArgs,
    #[command(flatten)]
    pub(crate) region: RegionArgs,
}

/// The region's stores.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Region")]
pub(crate) struct RegionArgs {
    /// Ask the stores of the region that this file names, with the credential files that it names; `explain SF701` shows one
    #[arg(long, value_name = "FILE", env = "STARFORM_VERIFY_STORES", hide_env = true)]
    pub(crate) stores: Option<PathBuf>,
    /// Audit what Terraform says of the region: what `terraform show -json` prints of a plan or a state
    #[arg(long, value_name = "FILE", env = "STARFORM_VERIFY_TERRAFORM", hide_env = true)]
    pub(crate) terraform: Option<PathBuf>,
}

/// The control plane.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Control plane")]
pub(crate) struct StarbaseArgs {
    /// Ask Starbase at this address too whether the cluster is registered
    #[arg(long = "starbase", value_name = "URL", requires = "token_file")]
    pub(crate) url: Option<Uri>,
    /// The file with the cluster's token for Starbase; it is neither printed nor recorded
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) token_file: Option<PathBuf>,
    /// The file with the authorities that sign Starbase's certificate, as PEM, instead of this machine's
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) starbase_ca: Option<PathBuf>,
}

/// Which cluster, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// The kubeconfig context to audit instead of the current one
    #[arg(long, env = "STARFORM_VERIFY_CONTEXT", hide_env = true)]
    pub(crate) context: Option<String>,
    /// The kubeconfig file instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE", env = "STARFORM_VERIFY_KUBECONFIG", hide_env = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Act as this user: `system:serviceaccount:NAMESPACE:NAME` for a ServiceAccount
    #[arg(long = "as", value_name = "USER", env = "STARFORM_VERIFY_AS", hide_env = true)]
    pub(crate) as_user: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "as_user")]
    pub(crate) as_group: Vec<String>,
}

/// Evidence in a file.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct RecordingArgs {
    /// Judge the evidence in a file instead of a cluster; `-` reads stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// Write what was seen to a file, to be judged again with --evidence; it holds no Secret and no token
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// Which checks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArgs {
    /// Only these steps: 1 to 6, region; what a check stands behind is always audited too
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = value::step, env = "STARFORM_VERIFY_STEP", hide_env = true)]
    pub(crate) step: Vec<StepId>,
    /// Only these checks, by code or slug
    #[arg(short, long, value_name = "CODE", value_delimiter = ',', value_parser = value::check, env = "STARFORM_VERIFY_CHECK", hide_env = true)]
    pub(crate) check: Vec<String>,
    /// Not these checks; the report names them
    #[arg(short = 'C', long, value_name = "CODE", value_delimiter = ',', value_parser = value::check, env = "STARFORM_VERIFY_IGNORE_CHECK", hide_env = true)]
    pub(crate) ignore_check: Vec<String>,
    /// Only the checks of these groups
    #[arg(short, long, value_name = "GROUP", value_delimiter = ',', value_parser = value::group, env = "STARFORM_VERIFY_GROUP", hide_env = true)]
    pub(crate) group: Vec<String>,
    /// Not the checks of these groups
    #[arg(short = 'G', long, value_name = "GROUP", value_delimiter = ',', value_parser = value::group, env = "STARFORM_VERIFY_IGNORE_GROUP", hide_env = true)]
    pub(crate) ignore_group: Vec<String>,
}

/// Which contract.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Contract")]
pub(crate) struct ContractArgs {
    /// The install contract instead of the one that is compiled in
    #[arg(
        long = "contract",
        value_name = "FILE",
        env = "STARFORM_VERIFY_CONTRACT",
        hide_env = true
    )]
    pub(crate) file: Option<PathBuf>,
}

/// What to tell.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Report")]
pub(crate) struct ReportArgs {
    /// Form of the report: text, short, json, junit; FORM=FILE writes a file, and stdout still gets text; may be repeated
    #[arg(
        short,
        long,
        value_name = "FORM[=FILE]",
        value_delimiter = ',',
        env = "STARFORM_VERIFY_OUTPUT",
        hide_env = true
    )]
    pub(crate) output: Vec<value::Output>,
    /// The least verdict that the exit code tells of: fail, or warning, which exits 4
    #[arg(
        long,
        value_name = "VERDICT",
        default_value = "fail",
        hide_possible_values = true,
        env = "STARFORM_VERIFY_FAIL_ON",
        hide_env = true
    )]
    pub(crate) fail_on: FailOnArg,
}

/// How long.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
pub(crate) struct TimeArgs {
    /// Audit again until the cluster conforms, for at most this long; ends at once on what waiting cannot mend
    #[arg(long, value_name = "DURATION", value_parser = value::duration, env = "STARFORM_VERIFY_WAIT", hide_env = true)]
    pub(crate) wait: Option<Duration>,
    /// How long to pause between two audits
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = value::duration, env = "STARFORM_VERIFY_POLL_INTERVAL", hide_env = true)]
    pub(crate) poll_interval: Duration,
    /// How long one audit may take; what was not seen by then is unknown
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = value::duration, env = "STARFORM_VERIFY_TIMEOUT", hide_env = true)]
    pub(crate) timeout: Duration,
    /// How long one request may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = value::duration, env = "STARFORM_VERIFY_REQUEST_TIMEOUT", hide_env = true)]
    pub(crate) request_timeout: Duration,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOnArg {
    Fail,
    Warning,
}

// === impl StarbaseArgs ===

impl StarbaseArgs {
    /// The connection to Starbase, where one is asked for. Has to be called within a Tokio runtime.
    pub(crate) fn connect(&self, request_timeout: Duration) -> Result<Option<Starbase>, ConnectError> {
        let (Some(url), Some(token_file)) = (&self.url, &self.token_file) else {
            return Ok(None);
        };
        let options = StarbaseOptions {
            url: url.clone(),
            token_file: token_file.clone(),
            authority_file: self.starbase_ca.clone(),
            request_timeout,
        };
        Starbase::connect(&options).map(Some)
    }
}

// === impl RegionArgs ===

impl RegionArgs {
    /// The stores, where they are to be asked. Has to be called within a Tokio runtime.
    pub(crate) fn stores(&self, request_timeout: Duration) -> Result<Option<Stores>, ConnectError> {
        let stores = self.stores.as_deref();
        stores.map(|path| Stores::read(path, request_timeout)).transpose()
    }

    /// Terraform's document, where there is one.
    pub(crate) fn terraform(&self) -> Result<Option<TerraformDocument>, ConnectError> {
        self.terraform.as_deref().map(TerraformDocument::read).transpose()
    }
}

// === impl ContractArgs ===

/// Why there is no contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoContract {
    #[error("contract {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Refused(#[from] ContractError),
}

impl ContractArgs {
    /// The contract in force and its text.
    pub(crate) fn load(&self) -> Result<(Contract, String), NoContract> {
        let Some(path) = &self.file else {
            return Ok((Contract::embedded()?, Contract::embedded_text().to_owned()));
        };
        let text = fs::read_to_string(path).map_err(|source| NoContract::Read {
            path: path.clone(),
            source,
        })?;
        Ok((Contract::parse(&text, &path.display().to_string())?, text))
    }
}

// === impl SelectionArgs ===

impl SelectionArgs {
    /// What is selected.
    pub(crate) fn request(&self) -> SelectionRequest {
        SelectionRequest {
            steps: self.step.clone(),
            checks: self.check.clone(),
            ignored_checks: self.ignore_check.clone(),
            groups: self.group.clone(),
            ignored_groups: self.ignore_group.clone(),
        }
    }

    /// The checks that are selected.
    pub(crate) fn select(&self) -> Result<Selection, SelectionError> {
        Selection::new(&self.request())
    }
}

// === impl FailOnArg ===

impl From<FailOnArg> for FailOn {
    fn from(argument: FailOnArg) -> Self {
        match argument {
            FailOnArg::Fail => Self::Fail,
            FailOnArg::Warning => Self::Warning,
        }
    }
}
