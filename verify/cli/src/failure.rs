//! Errors of the tool itself: told on stderr, and as one JSON document where one was asked for.

use super::args::{Color, NoContract, Output};
use super::file;
use super::printer::Printer;
use crate::render::{Format, Shown, render_error};
use anstyle::{AnsiColor, Style};
use starform_verify::collect;
use starform_verify::evaluate::SelectionError;
use starform_verify::report::{ExitCode, ToolError};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::panic::PanicHookInfo;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Why there is no report.
#[derive(Debug)]
pub(crate) struct Failure {
    code: ExitCode,
    error: ToolError,
    outputs: Vec<Output>,
}

// === impl Failure ===

impl Failure {
    /// Something that was given is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// The tool could not run.
    pub(crate) fn tool(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Tool, message)
    }

    fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            code,
            error: ToolError::new(message, Vec::new()),
            outputs: Vec::new(),
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.error.hints.push(hint.into());
        self
    }

    /// Says where reports were to go: what says why there is none goes there.
    pub(crate) fn instead_of(mut self, outputs: &[Output]) -> Self {
        self.outputs = outputs.to_vec();
        self
    }

    /// Tells it, and gives the exit code.
    pub(crate) fn tell(self, printer: Printer) -> ExitCode {
        tell_error(&self.error, printer);
        for output in &self.outputs {
            let told = render_error(&self.error, output.format);
            let written = match &output.file {
                Some(path) => file::replace(path, told.as_bytes()),
                None if output.format.is_for_programs() => printer.print(&told),
                // Whoever reads it has read it on stderr.
                None => Ok(()),
            };
            if let Err(error) = written {
                tell_error(&unwritten(output, &error), printer);
            }
        }
        self.code
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self {
            code: ExitCode::Tool,
            error,
            outputs: Vec::new(),
        }
    }
}

impl From<NoContract> for Failure {
    fn from(error: NoContract) -> Self {
        Self::usage(error.to_string())
            .hint("`starform-verify contract` prints one that is valid, `--schema` its JSON Schema")
    }
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::tool(format!("stdout could not be written: {error}"))
    }
}

/// Tells an error on stderr.
pub(crate) fn tell_error(error: &ToolError, printer: Printer) {
    printer.tell(&Shown::labelled(ERROR, "error", &error.message));
    for (label, text) in error.beneath() {
        printer.tell(&Shown::labelled(HINT, label, text));
    }
}

/// What could not be written where.
pub(crate) fn unwritten(output: &Output, error: &io::Error) -> ToolError {
    let place = output
        .file
        .as_ref()
        .map_or("stdout".to_owned(), |file| file.display().to_string());
    ToolError::new(format!("{place} could not be written: {error}"), Vec::new())
}

/// Tells what the parser says: help on stdout, errors on stderr, and in JSON where the arguments ask for it. `plain` is the
/// same error without styles.
pub(crate) fn bad_usage(error: &clap::Error, plain: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let printer = Printer::new(Color::Auto, false);
    let text = error.render().ansi().to_string();
    if !error.use_stderr() {
        return printer
            .print(&Shown::own(text))
            .map_or(ExitCode::Tool, |()| ExitCode::Conforms);
    }
    let plain = plain.render().ansi().to_string();
    let shown = Shown::plain(plain.trim_end());
    // What was typed stands in it: where that acts on a screen, it is told without styles.
    let is_harmless = *shown == *plain.trim_end();
    printer.tell(&if is_harmless {
        Shown::own(text.trim_end().to_owned())
    } else {
        shown
    });
    if asks_for_json(arguments) {
        let mut paragraphs = plain
            .split("\n\n")
            .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
        let message = paragraphs.next().unwrap_or_default();
        let tips = paragraphs.filter_map(|text| text.strip_prefix("tip: ").map(str::to_owned));
        let error = ToolError::new(message.strip_prefix("error: ").unwrap_or(&message), tips.collect());
        let document = render_error(&error, Format::Json);
        // The exit code already says that it went wrong.
        let _ = printer.print(&document);
    }
    ExitCode::Usage
}

/// Tells a panic, which is a defect, on stderr.
pub(crate) fn tell_panic(panic: &PanicHookInfo<'_>, printer: Printer) {
    if collect::panic_is_told() {
        return;
    }
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    let mut text = format!("panicked at {place}: {message}");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = write!(text, "\n{backtrace}");
    }
    printer.tell(&Shown::plain(&text));
}

/// A panic, which is told above this on stderr.
pub(crate) fn defect(arguments: &[OsString]) -> Failure {
    let stdout = Output {
        format: Format::Json,
        file: None,
    };
    let outputs = if asks_for_json(arguments) {
        vec![stdout]
    } else {
        Vec::new()
    };
    Failure::tool("a defect in starform-verify ended it; nothing is known of the cluster")
        .hint("report it with what stands above this line")
        .instead_of(&outputs)
}

/// Whether arguments that cannot be parsed ask for JSON on stdout.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let mut asked: Vec<String> = std::env::var("STARFORM_VERIFY_OUTPUT").into_iter().collect();
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "-o" || argument == "--output" {
            asked.extend(arguments.next().map(String::from));
        } else if let Some(value) = argument
            .strip_prefix("--output=")
            .or_else(|| argument.strip_prefix("-o"))
        {
            asked.push(value.trim_start_matches('=').to_owned());
        }
    }
    asked
        .iter()
        .flat_map(|value| value.split(','))
        .any(|form| form == "json" || form == "json=-")
}
