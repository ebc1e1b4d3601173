//! One look at a live cluster.

use super::args::{ClusterArgs, ContractArgs, RegionArgs, StarbaseArgs, TimeArgs};
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use super::seen::Seen;
use starform_verify::collect::{self, ConnectError, ConnectOptions, Connection, Plan, Targets};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::{Named, RecordedSelection};
use starform_verify::report::ToolError;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What every look has in common.
pub(crate) struct Live<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) contract_args: &'a ContractArgs,
    pub(crate) request: &'a SelectionRequest,
    pub(crate) selection: &'a Selection,
    pub(crate) cluster: &'a ClusterArgs,
    pub(crate) time: &'a TimeArgs,
    pub(crate) starbase: &'a StarbaseArgs,
    pub(crate) region: &'a RegionArgs,
    pub(crate) printer: Printer,
}

/// The signals that ask the process to end.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Live<'_> {
    /// Connects as the arguments say.
    pub(crate) async fn connect(&self) -> Result<Targets, Failure> {
        let options = ConnectOptions {
            context: self.cluster.context.clone(),
            kubeconfig: self.cluster.kubeconfig.clone(),
            user: self.cluster.as_user.clone(),
            groups: self.cluster.as_group.clone(),
            request_timeout: self.time.request_timeout,
        };
        let failed = |error| Failure::from(ToolError::from(error));
        // Files first: what is typed wrong is told before anything is asked.
        let timeout = self.time.request_timeout;
        let starbase = self.starbase.connect(timeout).map_err(usage)?;
        let stores = self.region.stores(timeout).map_err(usage)?;
        let terraform = self.region.terraform().map_err(usage)?;
        let is_region_alone = self.selection.judged().iter().all(|check| check.step == StepId::Region);
        if is_region_alone && stores.is_none() && terraform.is_none() {
            return Err(Failure::usage(
                "the region is audited by its stores and by what Terraform says of it: neither is given",
            )
            .hint("--stores FILE names the stores; `starform-verify explain SF701` shows one")
            .hint("--terraform FILE is what `terraform show -json` prints of a plan or a state"));
        }
        let names_cluster = stores.as_ref().is_none_or(|stores| stores.cluster().is_some());
        let cluster = if is_region_alone && names_cluster {
            None
        } else {
            Some(Connection::from_kubeconfig(&options).await.map_err(failed)?)
        };
        Ok(Targets {
            cluster,
            starbase,
            stores,
            terraform,
        })
    }

    /// Collects and judges.
    pub(crate) async fn look(&self, targets: &Targets, stop: CancellationToken) -> Seen {
        let selection = self.selection.clone().seen_from(targets.target().vantage);
        let mut sources = selection.collected();
        // Without a cluster its sources are not collected: progress is not to count them.
        sources.retain(|source| targets.cluster.is_some() || source.is_of_region());
        let plan = Plan {
            stop,
            sources,
            releases: selection.releases(),
            timeout: self.time.timeout,
            earlier: None,
            request_timeout: self.time.request_timeout,
        };
        let progress = Progress::start(self.printer, plan.sources.len());
        let mut evidence = collect::collect(targets, self.contract, &plan, |step| progress.tell(step)).await;
        evidence.selection = Some(RecordedSelection {
            request: self.request.clone(),
            starbase: targets.starbase.is_some(),
            stores: targets.stores.is_some(),
            terraform: targets.terraform.is_some(),
            named: self.named(),
        });
        let report = evaluate(self.contract, &evidence, self.selection);
        Seen {
            evidence: Some(evidence),
            report,
        }
    }
}

/// A file that was named on the command line is wrong.
impl Live<'_> {
    /// What the command line named beside the cluster.
    fn named(&self) -> Named {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let starbase = self.starbase.url.as_ref().map(ToString::to_string);
        Named {
            contract: path(&self.contract_args.file),
            // An address that is to hold a password is refused before anything is asked; should it not be, it is not repeated.
            starbase: starbase.filter(|address| !address.contains('@')),
            token_file: path(&self.starbase.token_file),
            starbase_ca: path(&self.starbase.starbase_ca),
            stores: path(&self.region.stores),
            terraform: path(&self.region.terraform),
        }
    }
}

fn usage(error: ConnectError) -> Failure {
    let told = ToolError::from(error);
    told.hints.into_iter().fold(Failure::usage(told.message), Failure::hint)
}

impl Interrupts {
    /// From here on these signals are waited for, and no longer end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let deaf = |error: std::io::Error| Failure::tool(format!("signals cannot be waited for: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(deaf)?,
            terminate: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    /// Waits for one, and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    /// Pauses, unless one comes first.
    pub(crate) async fn pause(&mut self, duration: Duration) -> Option<&'static str> {
        tokio::select! {
            signal = self.next() => Some(signal),
            () = tokio::time::sleep(duration) => None,
        }
    }
}
