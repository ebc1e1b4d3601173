//! `manifests`: the audit of values files, before anything is installed.

use super::args::ManifestsArgs;
use super::failure::Failure;
use super::output;
use super::printer::Printer;
use crate::values_files::{self, evaluate_manifests};
use starform_verify::report::{ExitCode, exit_code};

/// Audits a directory.
pub(crate) fn manifests(args: &ManifestsArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let outputs = output::resolve(&args.report.output)?;
    let judge = || {
        let (contract, _) = args.contract.load()?;
        let read = values_files::read(&args.directory, &contract).map_err(|error| {
            Failure::usage(format!(
                "directory {} cannot be read: {error}",
                args.directory.display()
            ))
            .hint("name the directory with helmfile.yaml: manifests/helm")
        })?;
        Ok(evaluate_manifests(&contract, &read))
    };
    let report = judge().map_err(|failure: Failure| failure.instead_of(&outputs))?;
    output::write(&report, &outputs, printer)?;
    Ok(exit_code(&report, args.report.fail_on.into()))
}
