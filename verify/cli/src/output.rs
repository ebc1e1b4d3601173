//! Writes reports where they were asked for.

use super::args::Output;
use super::failure::{Failure, unwritten};
use super::file;
use super::printer::Printer;
use crate::render::{Format, render};
use starform_verify::report::Report;

/// The outputs that were asked for, and text on stdout where nothing else was.
pub(crate) fn resolve(asked: &[Output]) -> Result<Vec<Output>, Failure> {
    let mut outputs = asked.to_vec();
    match outputs.iter().filter(|output| output.file.is_none()).count() {
        0 => outputs.insert(
            0,
            Output {
                format: Format::Text,
                file: None,
            },
        ),
        1 => {}
        _ => {
            return Err(Failure::usage("several output forms are asked for on stdout")
                .hint("give all but one a file: -o text,json=report.json")
                .instead_of(asked));
        }
    }
    Ok(outputs)
}

/// Writes a report to every output, the files first: whoever reads stdout to its end finds them complete.
pub(crate) fn write(report: &Report, outputs: &[Output], printer: Printer) -> Result<(), Failure> {
    let (files, streams): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.file.is_some());
    let mut failed = None;
    for output in files {
        if let Some(path) = &output.file {
            let text = render(report, output.format, Printer::page());
            if let Err(error) = file::replace(path, text.without_styles().as_bytes()) {
                failed = Some(unwritten(output, &error).message);
            }
        }
    }
    for output in streams {
        printer.print(&render(report, output.format, Printer::screen()))?;
    }
    failed.map_or(Ok(()), |message| Err(Failure::tool(message)))
}
