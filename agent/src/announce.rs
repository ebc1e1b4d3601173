//! Tells the cluster where the lifecycle stands: log lines and Events, one each a transition, and the ConfigMap
//! `shuttle-status`, which the standby and the auditor read.

mod event;
#[cfg(test)]
mod fake;
mod publisher;
mod reader;
mod status;
mod transitions;
mod verdict;

use std::time::Duration;

pub use self::event::Events;
pub use self::publisher::Publisher;
pub use self::reader::read;
pub use self::status::{Facts, status};
pub use self::transitions::{Announcements, announce};
pub(crate) use self::verdict::{answer, find, step_name};

/// One request to the API server. Not the round 5 s, so that it is told from others' in a log.
const REQUEST_WITHIN: Duration = Duration::from_millis(4_500);

/// What an API server's error says, without the Debug form of its `Status` that kube prints.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}: {}", status.code, status.reason, status.message),
        other => other.to_string(),
    }
}
