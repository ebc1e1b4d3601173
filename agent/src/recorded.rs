//! The recordings of real clusters, for tests. All but `whole-contract` hold steps 1 and 3 only; the gateway and the
//! collectors of steps 2 and 4 are added as the contract's values install them. Step 5 is left to the test: it is what the
//! agent says of itself.
//!
//! A test outside of the crate includes it with `#[path = "../src/recorded.rs"] mod recorded;`.

#![allow(
    clippy::unwrap_used,
    reason = "it is part of tests; clippy knows only those functions that are tests themselves"
)]

#[path = "../../verify/tests/telemetry/flowing.rs"]
mod flowing;
#[path = "../../verify/tests/gateway/installed.rs"]
mod gateway;
#[path = "../../verify/tests/telemetry/installed.rs"]
mod telemetry;

use jiff::SignedDuration;
use starform_verify::evidence::{Evidence, Observed};
use std::path::PathBuf;

/// Every recording's name.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A recording with steps 2 and 4 added, its nodes an hour older: the clusters lived for minutes, and of a young node nobody
/// asks yet that vmagent scrapes it.
pub(crate) fn with_steps_2_and_4(name: &str) -> Evidence {
    let mut evidence = as_recorded(name);
    if let Observed::Seen(nodes) = &mut evidence.nodes {
        for node in nodes {
            node.created = node.created.map(|created| created - SignedDuration::from_hours(1));
        }
    }
    gateway::install(&mut evidence);
    telemetry::install(&mut evidence);
    flowing::flow(&mut evidence);
    evidence
}

/// A recording as it was made: of all but `whole-contract` nothing was seen of steps 2 and 4.
pub(crate) fn as_recorded(name: &str) -> Evidence {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence")
}
