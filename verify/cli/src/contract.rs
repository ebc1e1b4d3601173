//! `contract`: what a cluster is held to.

use super::args::ContractCommandArgs;
use super::failure::Failure;
use super::printer::Printer;
use crate::render::Shown;
use starform_verify::contract::Contract;
use starform_verify::report::ExitCode;

/// Prints the contract in force, or the schema of one.
pub(crate) fn contract(args: &ContractCommandArgs, printer: Printer) -> Result<ExitCode, Failure> {
    if args.schema {
        printer.print(&super::explain::pretty(&schemars::schema_for!(Contract))?)?;
    } else {
        // Read, so that what is printed is also valid.
        let (_, text) = args.contract.load()?;
        printer.print(&Shown::document(&text))?;
    }
    Ok(ExitCode::Conforms)
}
