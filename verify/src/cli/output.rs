//! Writes reports where they were asked for.

use super::args::Output;
use super::failure::{Failure, unwritten};
use super::printer::Printer;
use starform_verify::render::{Format, render};
use starform_verify::report::Report;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

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
        if let Some(file) = &output.file {
            let text = render(report, output.format, Printer::page());
            if let Err(error) = replace(file, text.without_styles().as_bytes()) {
                failed = Some(unwritten(output, &error).message);
            }
        }
    }
    for output in streams {
        printer.print(&render(report, output.format, Printer::screen()))?;
    }
    failed.map_or(Ok(()), |message| Err(Failure::tool(message)))
}

/// Replaces a file's content as a whole: a reader sees the old one or the new one, never a part.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        // A pipe or a device cannot be replaced.
        return File::options().write(true).open(path)?.write_all(content);
    }
    // Through a link, what it points at is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = create(&temporary, content).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
