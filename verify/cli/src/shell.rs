//! What a shell needs: completions and the manual page.

use super::args::Cli;
use super::failure::Failure;
use super::printer::Printer;
use crate::render::Shown;
use clap::CommandFactory;
use clap_complete::Shell;
use starform_verify::report::ExitCode;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell, printer: Printer) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "starform-verify", &mut script);
    printer.print(&Shown::own(String::from_utf8_lossy(&script).into_owned()))?;
    Ok(ExitCode::Conforms)
}

/// Prints the manual page, of the whole or of one command.
pub(crate) fn manual(command: Option<&str>, printer: Printer) -> Result<ExitCode, Failure> {
    let mut whole = Cli::command();
    whole.build();
    let described = match command {
        None => Some(&whole),
        Some(name) => whole.find_subcommand(name),
    };
    let described =
        described.ok_or_else(|| Failure::usage(format!("there is no command {:?}", command.unwrap_or_default())))?;
    let mut page = Vec::new();
    clap_mangen::Man::new(described.clone()).render(&mut page)?;
    printer.print(&Shown::own(String::from_utf8_lossy(&page).into_owned()))?;
    Ok(ExitCode::Conforms)
}
