//! What `-v` tells.

use super::printer::Printer;
use crate::render::Shown;
use anstyle::{AnsiColor, Style};
use std::io;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Installs a subscriber that writes to stderr, if asked to.
pub(crate) fn install(verbose: u8, printer: Printer) {
    let filter = match verbose {
        0 => return,
        1 => "starform_verify=debug",
        2 => "starform_verify=debug,kube_client=debug",
        _ => "starform_verify=trace,kube_client=trace,hyper_util=debug",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(Stderr(printer))
        // Styles are put around what was made printable, or it could not be told from what came from outside.
        .with_ansi(false)
        .with_target(verbose > 1)
        .finish();
    // It fails only where one is installed already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Gives the subscriber a writer for each line.
struct Stderr(Printer);

/// Tells one line, which the subscriber hands over whole.
struct Line {
    printer: Printer,
    style: Style,
}

// === impl Stderr ===

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            printer: self.0,
            style: Style::new().dimmed(),
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        let style = match *meta.level() {
            Level::ERROR => AnsiColor::Red.on_default(),
            Level::WARN => AnsiColor::Yellow.on_default(),
            _ => Style::new().dimmed(),
        };
        Line {
            style,
            ..self.make_writer()
        }
    }
}

// === impl Line ===

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.printer.tell(&Shown::line(self.style, text.trim_end()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
