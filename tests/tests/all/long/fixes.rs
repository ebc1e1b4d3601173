//! Every printed fix of `fixes`, with the Helm that the gate does not type it with.

use crate::fixes::{APPLIED, COMMAND, COMPONENTS, EDITED, Helm, PENDING, is_mended};

#[test]
#[ignore = "needs a cluster: .ci/long"]
fn the_other_helm_mends_it_too() {
    is_mended(&EDITED, Helm::Three);
    is_mended(&APPLIED, Helm::Four);
    is_mended(&COMPONENTS, Helm::Three);
    is_mended(&PENDING, Helm::Four);
    is_mended(&COMMAND, Helm::Four);
}
