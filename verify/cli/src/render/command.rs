//! Commands, so that they can be copied and pasted as they stand.

use super::style::{BOLD, Styled};
use starform_verify::printable::printable_line;
use starform_verify::report::Fix;
use std::fmt::Write;

/// Writes the commands of a fix and what proves it, one a line, never cut, without a prompt sign. The end of a line within a command comes from
/// outside: what follows it would look like a line of the report.
pub(super) fn write(out: &mut String, fix: &Fix, indent: usize) {
    for command in fix.lines() {
        let _ = writeln!(out, "{:indent$}{}", "", Styled(BOLD, printable_line(command)));
    }
}
