//! `audit`: evidence, judgement, report.

use super::args::AuditArgs;
use super::failure::{Failure, tell_error};
use super::live::Live;
use super::printer::Printer;
use super::seen::Seen;
use super::{output, recording, wait};
use clap::ArgMatches;
use clap::parser::ValueSource;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::report::{ExitCode, Report, exit_code};
use std::path::Path;

/// Audits what the arguments name.
pub(crate) fn audit(args: AuditArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let outputs = output::resolve(&args.report.output)?;
    let fail_on = args.report.fail_on.into();
    let record = args.recording.record.clone();
    let Seen { evidence, report } = look(args, printer).map_err(|failure| failure.instead_of(&outputs))?;
    let recorded = match (&record, &evidence) {
        (Some(file), Some(evidence)) => recording::write(file, evidence),
        _ => Ok(()),
    };
    // A report is worth more than its recording: it is told first.
    output::write(&report, &outputs, printer)?;
    recorded?;
    if let Some(error) = &report.error
        && outputs
            .iter()
            .all(|output| output.file.is_some() || !output.format.tells_errors())
    {
        tell_error(error, printer);
    }
    Ok(exit_code(&report, fail_on))
}

fn look(args: AuditArgs, printer: Printer) -> Result<Seen, Failure> {
    let AuditArgs {
        cluster,
        recording,
        selection,
        contract,
        report,
        time,
        starbase,
        region,
    } = args;
    let contract_args = contract;
    let (contract, _) = contract_args.load()?;
    let request = selection.request();
    if let Some(file) = &recording.evidence {
        return Ok(Seen {
            evidence: None,
            report: replayed(file, &contract, &request, printer)?,
        });
    }
    let live = Live {
        contract: &contract,
        contract_args: &contract_args,
        request: &request,
        selection: &Selection::new(&request)?,
        cluster: &cluster,
        time: &time,
        starbase: &starbase,
        region: &region,
        printer,
    };
    wait::audit(&live, report.fail_on.into())
}

/// The report of a recording: of all that it was recorded with, or of what of that is selected.
fn replayed(file: &Path, contract: &Contract, request: &SelectionRequest, printer: Printer) -> Result<Report, Failure> {
    // What is typed wrong is told before a file is read.
    Selection::new(request)?;
    let evidence = recording::read(file, contract)?;
    let selection = Selection::of_recording(evidence.selection.as_ref(), request)?;
    if evidence.contract != contract.digest {
        printer.note(&format!(
            "note: the evidence was collected under contract {}; it is judged under {}",
            evidence.contract, contract.digest
        ));
    }
    Ok(evaluate(contract, &evidence, &selection))
}

/// Flags that contradict each other. What stands in the environment yields to what was typed and is no contradiction.
pub(crate) fn contradiction(matches: &ArgMatches) -> Option<String> {
    const LIVE: [(&str, &str); 9] = [
        ("record", "--record FILE"),
        ("wait", "--wait DURATION"),
        ("context", "--context CONTEXT"),
        ("kubeconfig", "--kubeconfig FILE"),
        ("as_user", "--as USER"),
        ("as_group", "--as-group GROUP"),
        ("url", "--starbase URL"),
        ("stores", "--stores FILE"),
        ("terraform", "--terraform FILE"),
    ];
    let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if !typed("evidence") {
        return None;
    }
    let (_, flag) = LIVE.iter().find(|(id, _)| typed(id))?;
    Some(format!(
        "--evidence FILE judges a file, so {flag}, which is for a cluster, cannot be used with it"
    ))
}
