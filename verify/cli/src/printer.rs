//! Hands out the two streams. The report goes to stdout, and nothing else; everything else goes to stderr. Both take what is
//! [`Shown`] and nothing else, so that no text from outside acts on a screen.

use super::args::Color;
use crate::render::{Screen, Shown};
use anstream::{AutoStream, ColorChoice};
use std::io::{self, IsTerminal, StderrLock, StdoutLock, Write};

/// Where stdout is no terminal, lines are as long as in a wide window.
const WIDTH: usize = 100;

/// Writes to stdout and stderr.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    color: Color,
    quiet: bool,
}

// === impl Printer ===

impl Printer {
    pub(crate) fn new(color: Color, quiet: bool) -> Self {
        Self { color, quiet }
    }

    /// stdout, for the report.
    fn stdout(self) -> AutoStream<StdoutLock<'static>> {
        let stdout = io::stdout();
        let choice = self.choice(|| AutoStream::choice(&stdout));
        AutoStream::new(stdout.lock(), choice)
    }

    /// stderr, for everything else.
    fn stderr(self) -> AutoStream<StderrLock<'static>> {
        let stderr = io::stderr();
        let choice = self.choice(|| AutoStream::choice(&stderr));
        AutoStream::new(stderr.lock(), choice)
    }

    /// Writes to stdout. A reader that has gone away wants no more, and that is no error.
    pub(crate) fn print(self, text: &Shown) -> io::Result<()> {
        let mut stdout = self.stdout();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Tells something on stderr, unless asked to be quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.tell(&Shown::plain(text));
        }
    }

    /// Tells something on stderr. Where that cannot be written either, nobody is left to tell.
    pub(crate) fn tell(self, text: &Shown) {
        let _ = writeln!(self.stderr(), "{text}");
    }

    /// Whether progress is shown: only to somebody who looks.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// What stdout can show.
    pub(crate) fn screen() -> Screen {
        let stdout = io::stdout();
        let width = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        Screen {
            width: width
                .filter(|width| stdout.is_terminal() && *width > 0)
                .unwrap_or(WIDTH),
            unicode: locale_is_unicode(),
        }
    }

    /// What a file can show.
    pub(crate) fn page() -> Screen {
        Screen {
            width: WIDTH,
            unicode: locale_is_unicode(),
        }
    }

    fn choice(self, auto: impl FnOnce() -> ColorChoice) -> ColorChoice {
        match self.color {
            Color::Auto => auto(),
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// Whether the locale's characters are Unicode: the first of these variables that is set decides, as POSIX has it.
fn locale_is_unicode() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|locale| !locale.is_empty())
        .is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}
