//! What a shell needs: completions and the manual page.

use super::args::Cli;
use super::failure::Failure;
use super::printer::Printer;
use clap::CommandFactory;
use clap_complete::Shell;
use starform_verify::report::ExitCode;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell, printer: Printer) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "starform-verify", &mut script);
    printer.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Conforms)
}

/// Prints the manual page.
pub(crate) fn manual(printer: Printer) -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    printer.print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::Conforms)
}
