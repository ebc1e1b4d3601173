//! The flags of a workload, as far as their values are known.

use super::fix::object;
use super::outcome::Outcome;
use crate::evidence::{TelemetryWorkload, UnreadArgument, Workload};
use crate::report::ObjectReference;
use std::collections::BTreeMap;

/// A workload that has flags.
pub(super) trait Flagged {
    fn flags(&self) -> &BTreeMap<String, Vec<String>>;

    fn unread_arguments(&self) -> &[UnreadArgument];

    fn reference(&self) -> ObjectReference;

    /// The last value of a flag as it is written, which is the one that counts. `None` where it is not given. Whoever judges
    /// by it asks [`unread`] first.
    fn last_value(&self, flag: &str) -> Option<&str> {
        self.flags().get(flag)?.last().map(String::as_str)
    }

    /// Why the value of a flag is not known, where it is not: also where an argument may be any flag.
    fn why_unread(&self, flag: &str) -> Option<&str> {
        let mut unread = self.unread_arguments().iter();
        let argument = unread.find(|argument| argument.flag.as_deref().is_none_or(|named| named == flag))?;
        Some(&argument.why)
    }
}

/// What a judgement comes to that needs one of these flags where its value is not known.
pub(super) fn unread(workload: &impl Flagged, flags: &[&str]) -> Option<Outcome> {
    let mut flags = flags.iter();
    let (flag, why) = flags.find_map(|flag| Some((flag, workload.why_unread(flag)?)))?;
    Some(
        Outcome::undetermined(told(workload, flag, why))
            .objects([workload.reference()])
            .lasting(),
    )
}

/// In words, which flag is not known, and why.
pub(super) fn told(workload: &impl Flagged, flag: &str, why: &str) -> String {
    let workload = workload.reference();
    format!("{flag} of {} {} is not known: {why}", workload.kind, workload.name)
}

impl Flagged for Workload {
    fn flags(&self) -> &BTreeMap<String, Vec<String>> {
        &self.flags
    }

    fn unread_arguments(&self) -> &[UnreadArgument] {
        &self.unread_arguments
    }

    fn reference(&self) -> ObjectReference {
        object(&self.kind.to_string(), &self.namespace, &self.name)
    }
}

impl Flagged for TelemetryWorkload {
    fn flags(&self) -> &BTreeMap<String, Vec<String>> {
        &self.flags
    }

    fn unread_arguments(&self) -> &[UnreadArgument] {
        &self.unread_arguments
    }

    fn reference(&self) -> ObjectReference {
        object(&self.kind.to_string(), &self.namespace, &self.name)
    }
}
