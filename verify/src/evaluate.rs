//! Judges evidence against the contract. Pure: the same contract and evidence always give the same report.

mod check;
mod cluster;
mod fix;
mod kube_state_metrics;
mod metrics_server;
mod outcome;
mod select;

use crate::contract::Contract;
use crate::evidence::Evidence;
use crate::report::Report;

pub use self::check::{CHECKS, Check, CheckVantage, Subject, check};
pub use self::select::{Selection, SelectionError, SelectionRequest};

/// Judges.
#[must_use]
pub fn evaluate(_contract: &Contract, _evidence: &Evidence, _selection: &Selection) -> Report {
    todo!()
}
