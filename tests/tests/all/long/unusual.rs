//! The healthy and unusual cluster with the collectors on it.

use crate::collectors::Site;
use crate::unusual::{WARNINGS, ten_audits_find_nothing_wrong};

/// What the collectors' checks tell besides, and what an operator does about it.
const MORE: &[(&str, &str)] = &[(
    "SF402",
    "Fluent Bit is not ready on a node that goes away: nothing, the node is soon gone",
)];

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn ten_audits_in_a_row_find_nothing_wrong_with_its_collectors() {
    let site = Site::installed();
    ten_audits_find_nothing_wrong(&site.cluster, "1,3,4", &[WARNINGS, MORE].concat());
}
