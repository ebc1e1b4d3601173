//! `rbac`: the least roles that an audit needs.

use super::args::RbacArgs;
use super::failure::Failure;
use super::printer::Printer;
use starform_verify::report::ExitCode;

/// Prints the roles and their bindings.
pub(crate) fn rbac(_args: &RbacArgs, _printer: Printer) -> Result<ExitCode, Failure> {
    todo!()
}
