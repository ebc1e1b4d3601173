//! `manifests`: the audit of values files.

use super::args::ManifestsArgs;
use super::failure::Failure;
use super::printer::Printer;
use starform_verify::report::ExitCode;

/// Audits a directory.
pub(crate) fn manifests(_args: &ManifestsArgs, _printer: Printer) -> Result<ExitCode, Failure> {
    Err(Failure::tool("not there yet"))
}
