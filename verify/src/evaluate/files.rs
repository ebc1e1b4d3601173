//! The report of files, which are judged before there is a cluster.

use super::summary;
use crate::checks::Selection;
use crate::contract::Contract;
use crate::evidence::Vantage;
use crate::report::{REPORT_VERSION, Report, StepReport, Subject, Times};

/// The report of what was judged of the files of a directory: as of a cluster, and its answer says that it is of files.
#[must_use]
pub fn report_of_files(contract: &Contract, directory: &str, steps: Vec<StepReport>, times: Times) -> Report {
    Report {
        api_version: REPORT_VERSION.to_owned(),
        kind: "Report".to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        contract: contract.digest.clone(),
        subject: Subject {
            manifests: Some(directory.to_owned()),
            context: None,
            uid: None,
            kubernetes: None,
            nodes: None,
            region: None,
            vantage: Vantage::Outside,
        },
        summary: summary::summary(&steps, &Selection::of_files()),
        steps,
        times,
        error: None,
    }
}
