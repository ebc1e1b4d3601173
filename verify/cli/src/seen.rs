//! What was seen, and what is thought of it.

use starform_verify::evidence::Evidence;
use starform_verify::report::Report;

/// What was seen, if it was this run that saw it, and the report of it.
pub(crate) struct Seen {
    pub(crate) evidence: Option<Evidence>,
    pub(crate) report: Report,
}
