//! `demo`: what a report looks like, without a cluster.

use super::args::DemoArgs;
use super::failure::Failure;
use super::printer::Printer;
use super::{output, recording};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::report::{ExitCode, Report, exit_code};
use std::fmt::Write;

/// A real cluster with the whole contract, registered with a Starbase, that then lost the allow-list of its kube-state-metrics.
/// `tests/tests/all/shuttle.rs` makes it again, see CONTRIBUTING.
const RECORDING: &str = include_str!("../../../testdata/evidence/demo.json");

/// Judges the embedded recording.
pub(crate) fn demo(args: &DemoArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let outputs = output::resolve(&args.report.output)?;
    let judge = || {
        let contract = Contract::embedded().map_err(|error| Failure::tool(error.to_string()))?;
        let evidence = recording::parse(RECORDING, "(embedded)", &contract)?;
        let selection = Selection::of_recording(evidence.selection.as_ref(), &SelectionRequest::default())
            .map_err(|error| Failure::tool(error.to_string()))?;
        let report = evaluate(&contract, &evidence, &selection);
        Ok((how_to_type(&contract, &report), report))
    };
    let (note, report) = judge().map_err(|failure: Failure| failure.instead_of(&outputs))?;
    output::write(&report, &outputs, printer)?;
    printer.note(&note);
    Ok(exit_code(&report, args.report.fail_on.into()))
}

/// What this was, and where the fix is typed that the report begins with.
fn how_to_type(contract: &Contract, report: &Report) -> String {
    let mut note = String::from(
        "\nThis was the recording of a broken cluster, made on a test machine; your own was not looked at.\n\
         The fix is typed in the root of a clone of the repository. Once before, for Helm to know where the chart is:\n",
    );
    let fix = report.first_broken().and_then(|(_, check)| check.fix.as_ref());
    let commands = fix.map(|fix| &fix.commands);
    for (alias, url) in contract.repositories() {
        let chart = format!(" {alias}/");
        if commands.is_some_and(|commands| commands.iter().any(|command| command.contains(&chart))) {
            let _ = writeln!(note, "    {}", shell_words::join(["helm", "repo", "add", alias, url]));
        }
    }
    note.push_str("To audit the cluster of the current kubeconfig context: starform-verify");
    note
}
