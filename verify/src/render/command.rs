//! Commands, so that they can be copied and pasted as they stand.

use super::style::{BOLD, Styled};
use crate::report::Fix;
use std::fmt::Write;

/// Writes the commands of a fix, one a line, never cut, without a prompt sign.
pub(super) fn write(out: &mut String, fix: &Fix, indent: usize) {
    for command in &fix.commands {
        // A here-document ends at a line that starts with its word: indented, it would never end.
        let indent = if command.contains('\n') { 0 } else { indent };
        for line in command.lines() {
            let _ = writeln!(out, "{:indent$}{}", "", Styled(BOLD, line));
        }
    }
}
