//! What was seen, and what is thought of it.

use starform_verify::collect;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::Evidence;
use starform_verify::report::Report;

/// What was seen, if it was this run that saw it, and the report of it.
pub(crate) struct Seen {
    pub(crate) evidence: Option<Evidence>,
    pub(crate) report: Report,
}

/// Judges evidence, and says where it is the tool that failed.
pub(crate) fn judge(contract: &Contract, evidence: &Evidence, selection: &Selection) -> Report {
    let mut report = evaluate(contract, evidence, selection);
    report.error = collect::tool_error(evidence);
    report
}
