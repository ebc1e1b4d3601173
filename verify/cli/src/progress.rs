//! What is being read, on a terminal only. It names sources, whose names are this program's own.

use super::printer::Printer;
use indicatif::{ProgressBar, ProgressStyle};
use starform_verify::collect;
use starform_verify::evidence::Source;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// A spinner, how many sources were read, and which are still being read.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What is being read, and for how long it may be waited for where it is read again.
    open: Mutex<BTreeMap<Source, Option<Duration>>>,
}

impl Progress {
    /// Starts it, where somebody looks.
    pub(crate) fn start(printer: Printer, sources: usize) -> Self {
        let bar = if printer.shows_progress() {
            ProgressBar::new(sources as u64)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} sources read; {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TURN);
        Self {
            bar,
            open: Mutex::default(),
        }
    }

    /// Tells what a collector does.
    pub(crate) fn tell(&self, step: collect::Progress) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            collect::Progress::Started(source) => {
                open.insert(source, None);
            }
            collect::Progress::Waiting(source, within) => {
                // Of several pods the longest.
                let longest = open.get(&source).copied().flatten().unwrap_or_default().max(within);
                open.insert(source, Some(longest));
            }
            collect::Progress::Finished(source, _) => {
                open.remove(&source);
                self.bar.inc(1);
            }
        }
        let names: Vec<String> = open.iter().map(|(source, within)| told(*source, *within)).collect();
        self.bar.set_message(names.join(", "));
    }
}

/// `vmagent metrics`, or what is waited for.
fn told(source: Source, within: Option<Duration>) -> String {
    match within {
        None => source.to_string(),
        Some(within) => format!(
            "{source} (one reading leaves it open whether it flows: read again within {}s)",
            within.as_secs()
        ),
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
