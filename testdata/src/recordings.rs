//! The recordings of real clusters. All but `whole-contract` and `demo` hold steps 1 and 3 only; what was not in the cluster
//! then can be added, as the contract's values install it.

use crate::install;
use jiff::SignedDuration;
use starform_verify::evidence::{Evidence, Observed};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The name of every recording of steps 1 and 3, and the code of the check that tells it.
pub const RECORDINGS: [(&str, Option<&str>); 12] = [
    ("healthy", None),
    ("metrics-server-absent", Some("SF301")),
    ("metrics-server-scaled-to-zero", Some("SF303")),
    ("apiservice-points-at-nothing", Some("SF302")),
    ("kubelet-certificate-refused", Some("SF306")),
    ("metrics-server-node-metrics-only", Some("SF308")),
    ("kube-state-metrics-absent", Some("SF320")),
    ("kube-state-metrics-wildcard", Some("SF324")),
    ("allowlist-missing", Some("SF324")),
    ("allowlist-lacks-one-key", Some("SF324")),
    ("shard-down", Some("SF321")),
    ("kube-state-metrics-hangs", Some("SF323")),
];

/// Every recording, read once.
static ALL: LazyLock<BTreeMap<String, Evidence>> = LazyLock::new(|| {
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let evidence = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (name, evidence)
    };
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let recordings = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    recordings.map(read).collect()
});

/// Where the recordings are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence")
}

/// The file of a recording.
#[must_use]
pub fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.json"))
}

/// Every recording's name, in order.
///
/// # Panics
/// Where one cannot be read.
#[must_use]
pub fn names() -> Vec<String> {
    ALL.keys().cloned().collect()
}

/// A recording as it was made: of all but `whole-contract` and `demo` nothing was seen but steps 1 and 3.
///
/// # Panics
/// Where there is none of that name, or one cannot be read.
#[must_use]
pub fn as_recorded(name: &str) -> Evidence {
    let found = ALL.get(name);
    found
        .unwrap_or_else(|| panic!("no recording is called {name:?}"))
        .clone()
}

/// A recording with everything else that the contract asks for.
///
/// # Panics
/// Where there is none of that name, or one cannot be read.
#[must_use]
pub fn whole(name: &str) -> Evidence {
    let mut evidence = as_recorded(name);
    install::everything(&mut evidence);
    evidence
}

/// A recording with steps 2 and 4 added, its nodes an hour older: the clusters lived for minutes, and of a young node nobody
/// asks yet that vmagent scrapes it. Step 5 is left to the test: it is what the agent says of itself.
///
/// # Panics
/// Where there is none of that name, or one cannot be read.
#[must_use]
pub fn with_steps_2_and_4(name: &str) -> Evidence {
    let mut evidence = as_recorded(name);
    age_nodes(&mut evidence);
    install::gateway::install(&mut evidence);
    install::telemetry::install(&mut evidence);
    install::flow::flow(&mut evidence);
    evidence
}

/// Makes the nodes an hour older: what is young is judged by other rules.
pub fn age_nodes(evidence: &mut Evidence) {
    if let Observed::Seen(nodes) = &mut evidence.nodes {
        for node in nodes {
            node.created = node.created.map(|created| created - SignedDuration::from_hours(1));
        }
    }
}
