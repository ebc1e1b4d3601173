//! `demo`: what a report looks like, without a cluster.

use super::args::DemoArgs;
use super::failure::Failure;
use super::printer::Printer;
use super::{output, recording};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::report::{ExitCode, exit_code};

/// A real cluster with the whole contract, registered with a Starbase, that then lost the allow-list of its kube-state-metrics.
/// `tests/tests/all/shuttle.rs` makes it again, see CONTRIBUTING.
const RECORDING: &str = include_str!("../../../testdata/evidence/demo.json");

/// What this was, and how one's own cluster is audited.
const HOW_TO_GO_ON: &str = "\nThis was the recording of a broken cluster, made on a test machine; your own was not looked at.\n\
                            To audit the cluster of the current kubeconfig context: starform-verify";

/// Judges the embedded recording.
pub(crate) fn demo(args: &DemoArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let outputs = output::resolve(&args.report.output)?;
    let judge = || {
        let contract = Contract::embedded().map_err(|error| Failure::tool(error.to_string()))?;
        let evidence = recording::parse(RECORDING, "(embedded)", &contract)?;
        let selection = Selection::of_recording(evidence.selection.as_ref(), &SelectionRequest::default())
            .map_err(|error| Failure::tool(error.to_string()))?;
        let report = evaluate(&contract, &evidence, &selection);
        Ok(report)
    };
    let report = judge().map_err(|failure: Failure| failure.instead_of(&outputs))?;
    output::write(&report, &outputs, printer)?;
    printer.note(HOW_TO_GO_ON);
    Ok(exit_code(&report, args.report.fail_on.into()))
}
