//! The command line `starform-verify`: types that say what can be typed, a module for each command, what a report looks like,
//! and the audit of values files. What a cluster is judged by is the library's below it, [`starform_verify`].
//!
//! It is a library for the sake of tests, which render what they judge; nothing that is shipped imports it.

mod args;
mod audit;
mod contract;
mod demo;
mod explain;
mod failure;
mod file;
mod live;
mod log;
mod manifests;
mod output;
mod plan;
mod printer;
mod progress;
mod rbac;
mod recording;
pub mod render;
mod seen;
mod shell;
pub mod values_files;
mod wait;

use self::args::{Cli, Command};
use self::failure::Failure;
use self::printer::Printer;
use clap::builder::Styles;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use starform_verify::report::ExitCode;
use std::ffi::OsString;
use std::panic;

/// Runs what was typed; the first argument is the program's own name.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    starform_verify::collect::install_crypto_provider();
    let arguments = args::with_default_command(arguments);
    let cli = match parse(Cli::command(), &arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Once more without styles: in what is left, nothing but what was typed acts on a screen.
            let plain = parse(Cli::command().styles(Styles::plain()), &arguments).err();
            return failure::bad_usage(&error, plain.as_ref().unwrap_or(&error), &arguments);
        }
    };
    let Cli { global, command } = cli;
    let printer = Printer::new(global.color, global.quiet);
    log::install(global.verbose, printer);
    panic::set_hook(Box::new(move |panic| failure::tell_panic(panic, printer)));
    // A defect must not look like a verdict: without this a panic would end in a code that no reader knows.
    let ended = panic::catch_unwind(|| dispatch(command, printer));
    ended
        .unwrap_or_else(|_| Err(failure::defect(&arguments)))
        .unwrap_or_else(|failure: Failure| failure.tell(printer))
}

fn dispatch(command: Command, printer: Printer) -> Result<ExitCode, Failure> {
    match command {
        Command::Audit(args) => audit::audit(*args, printer),
        Command::Demo(args) => demo::demo(&args, printer),
        Command::Explain(args) => explain::explain(&args, printer),
        Command::Plan(args) => plan::plan(&args, printer),
        Command::Manifests(args) => manifests::manifests(&args, printer),
        Command::Rbac(args) => rbac::rbac(&args, printer),
        Command::Contract(args) => contract::contract(&args, printer),
        Command::Completions { shell } => shell::completions(shell, printer),
        Command::Man { command } => shell::manual(command.as_deref(), printer),
    }
}

fn parse(mut command: clap::Command, arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(arguments)?;
    if let Some(audit) = matches.subcommand_matches("audit")
        && let Some(problem) = audit::contradiction(audit)
    {
        let audit = command
            .find_subcommand_mut("audit")
            .map(std::mem::take)
            .unwrap_or(command);
        return Err(audit
            .bin_name("starform-verify audit")
            .error(ErrorKind::ArgumentConflict, problem));
    }
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}
