//! What a second look said of pods that only the list had, and of rows that only the scrapes had.
//!
//! Pods and rows are read at two moments. What is made or goes in between is in one of them and not in the other, and of a
//! cluster that makes a hundred pods a second that is hundreds. So these, and no others, are looked up again: in a list that
//! is begun when both had been read; where that leaves doubt, in scrapes that are begun when kube-state-metrics has had its time
//! to follow; and what these still lack once more in a list.

use super::{Evidence, Observed};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What the second look said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecondLook {
    /// Pods that the first list had and no scrape a row of, sorted by UID. Those that were being deleted, or had just been
    /// made, are none of them.
    pub pods: Vec<PodAgain>,
    /// Rows of pods that the first list had not, sorted by UID.
    pub rows: Vec<RowAgain>,
}

/// A pod that had no row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodAgain {
    /// UID.
    pub uid: Box<str>,
    /// Whether the second list has it, and does not say that it is being deleted.
    pub listed: bool,
    /// Whether the second scrape has a row of it; `None` where there was no more need of that scrape, or no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<bool>,
    /// Whether the list after that scrape has it, and does not say that it is being deleted; `None` where there was no more
    /// need of that list, or no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_last: Option<bool>,
}

/// A row whose pod was not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowAgain {
    /// The pod's UID.
    pub uid: Box<str>,
    /// Whether the second list has the pod: it was made in between.
    pub listed: bool,
    /// Whether the second scrape has the row still; `None` where there was no more need of that scrape, or no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<bool>,
}

/// The UIDs of which pods and rows differ for no other reason than that they were read at two moments.
#[derive(Clone, Debug, Default)]
pub struct Passing<'a> {
    pods: HashSet<&'a str>,
    rows: HashSet<&'a str>,
}

// === impl PodAgain ===

impl PodAgain {
    /// Whether it has gone, or has its row by now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.listed || self.row == Some(true) || self.listed_last == Some(false)
    }

    /// Whether there was no time to look for what would settle it.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        !self.is_settled() && self.listed_last.is_none()
    }
}

// === impl RowAgain ===

impl RowAgain {
    /// Whether its pod is there, or it has gone itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.listed || self.row == Some(false)
    }

    /// Whether there was no time to look for what would settle it.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        !self.is_settled() && self.row.is_none()
    }
}

// === impl Passing ===

impl Passing<'_> {
    /// Whether the pod of that UID lacks its row for no fault of kube-state-metrics: it came or went in between.
    #[must_use]
    pub fn has_pod(&self, uid: &str) -> bool {
        self.pods.contains(uid)
    }

    /// Whether the row with that UID lacks its pod for no fault of kube-state-metrics: it came or went in between.
    #[must_use]
    pub fn has_row(&self, uid: &str) -> bool {
        self.rows.contains(uid)
    }
}

// === impl Evidence ===

impl Evidence {
    /// What came and went while pods and rows were read, as far as that was looked up.
    #[must_use]
    pub fn passing(&self) -> Passing<'_> {
        let Some(Observed::Seen(look)) = &self.second_look else {
            return Passing::default();
        };
        let pods = look.pods.iter().filter(|pod| pod.is_settled());
        let rows = look.rows.iter().filter(|row| row.is_settled());
        Passing {
            pods: pods.map(|pod| &*pod.uid).collect(),
            rows: rows.map(|row| &*row.uid).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::gone_before_the_second_list(false, None, None, true)]
    #[case::nobody_looked_further(true, None, None, false)]
    #[case::its_row_came_late(true, Some(true), None, true)]
    #[case::gone_before_the_last_list(true, Some(false), Some(false), true)]
    #[case::it_stays_and_has_no_row(true, Some(false), Some(true), false)]
    #[case::the_last_list_was_not_read(true, Some(false), None, false)]
    fn a_pod_without_a_row_is_settled(
        #[case] listed: bool,
        #[case] row: Option<bool>,
        #[case] listed_last: Option<bool>,
        #[case] settled: bool,
    ) {
        let uid = "u".into();
        let pod = PodAgain {
            uid,
            listed,
            row,
            listed_last,
        };
        assert_eq!(pod.is_settled(), settled);
    }

    #[rstest]
    #[case::made_in_between(true, None, true)]
    #[case::nobody_looked_further(false, None, false)]
    #[case::followed_late(false, Some(false), true)]
    #[case::it_stays_and_has_no_pod(false, Some(true), false)]
    fn a_row_without_a_pod_is_settled(#[case] listed: bool, #[case] row: Option<bool>, #[case] settled: bool) {
        let uid = "u".into();
        assert_eq!(RowAgain { uid, listed, row }.is_settled(), settled);
    }
}
