//! The flags of a workload, as far as their values are known.

use super::outcome::Outcome;
use super::workload::workload_object;
use crate::evidence::Workload;

/// What a judgement comes to that needs one of these flags where its value is not known.
pub(super) fn unread(workload: &Workload, flags: &[&str]) -> Option<Outcome> {
    let mut flags = flags.iter();
    let (flag, why) = flags.find_map(|flag| Some((flag, workload.why_unread(flag)?)))?;
    Some(
        Outcome::undetermined(told(workload, flag, why))
            .objects([workload_object(workload)])
            .lasting(),
    )
}

/// In words, which flag is not known, and why.
pub(super) fn told(workload: &Workload, flag: &str, why: &str) -> String {
    format!("{flag} of {} {} is not known: {why}", workload.kind, workload.name)
}
