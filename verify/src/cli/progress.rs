//! What is being read, on a terminal only.

use super::printer::Printer;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// A spinner with the number of sources that were read.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Starts it, where somebody looks.
    pub(crate) fn start(printer: Printer, sources: usize) -> Self {
        if !printer.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(sources as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} sources read {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TURN);
        Self(bar)
    }

    /// One more was read.
    pub(crate) fn read(&self, source: &str) {
        self.0.set_message(source.to_owned());
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
