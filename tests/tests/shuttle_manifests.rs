//! Shuttle's manifests are what they claim to be: applied as they are, the same for every cluster, no wider than needed.

use std::path::{Path, PathBuf};

use testbed::shuttle;

fn manifests(inner: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests").join(inner)
}

/// The file as it must be, or an instruction how to make it so.
fn assert_made(file: &str, expected: &str) {
    let path = manifests(file);
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "manifests/{file} is not what the declared permissions make: run \
         `UPDATE_MANIFESTS=1 cargo test -p testbed --test shuttle_manifests` and read the difference"
    );
}

#[test]
fn the_roles_are_what_collectors_and_agent_declare() {
    assert_made("shuttle/30-roles.yaml", &shuttle::roles().unwrap());
    assert_made("shuttle-overlays/startup-taint/roles.yaml", &shuttle::startup_taint_roles());
}
