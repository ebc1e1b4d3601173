//! `demo`: what a report looks like, without a cluster.

use super::args::DemoArgs;
use super::failure::Failure;
use super::printer::Printer;
use super::{audit, output, recording};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, SelectionRequest};
use starform_verify::report::{ExitCode, exit_code};

/// A real cluster whose kube-state-metrics 2.18.0 was given a wildcard, which only 2.20.0 understands.
const RECORDING: &str = include_str!("../../../testdata/evidence/kube-state-metrics-wildcard.json");

/// Judges the embedded recording.
pub(crate) fn demo(args: &DemoArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let outputs = output::resolve(&args.report.output)?;
    let judge = || {
        let contract = Contract::embedded().map_err(|error| Failure::tool(error.to_string()))?;
        let evidence = recording::parse(RECORDING, "(embedded)", &contract)?;
        // What the recording holds: it was made before Shuttle and Helm's releases were audited.
        let request = SelectionRequest {
            steps: vec![StepId::One, StepId::Three],
            ignored_groups: vec!["helm".to_owned()],
            ..SelectionRequest::default()
        };
        let selection = Selection::new(&request).map_err(|error| Failure::tool(error.to_string()))?;
        Ok(audit::judge(&contract, &evidence, &selection))
    };
    let report = judge().map_err(|failure: Failure| failure.instead_of(&outputs))?;
    output::write(&report, &outputs, printer)?;
    printer.note(
        "\nThis was the recording of a broken cluster, made on a test machine; your own was not looked at.\n\
         To audit the cluster of the current kubeconfig context: starform-verify",
    );
    Ok(exit_code(&report, args.report.fail_on.into()))
}
