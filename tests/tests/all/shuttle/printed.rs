//! What the demo prints, and typing it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testbed::Cluster;

/// What somebody who knows nothing yet types, as json.
pub(crate) fn demo() -> Value {
    let output = Command::new(testbed::auditor().unwrap())
        .args(["demo", "--output", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a report begins with: the answer, and the fix of the first check that is broken.
pub(crate) fn beginning(report: &Value) -> (Value, Value) {
    let steps = report["steps"].as_array().unwrap().iter();
    let mut checks = steps.flat_map(|step| step["checks"].as_array().unwrap());
    let first = checks.find(|check| check["code"] == report["summary"]["firstBroken"]);
    (report["summary"]["answer"].clone(), first.unwrap()["fix"].clone())
}

/// Types the commands of a fix where a newcomer is: in the root of a clone that holds nothing but what is committed.
pub(crate) fn type_in_a_fresh_clone(cluster: &Cluster, folder: &Path, fix: &Value) {
    let clone = clone(folder);
    let commands = fix["commands"].as_array().unwrap();
    assert!(!commands.is_empty(), "{fix}");
    for command in commands {
        let script = format!("cd '{}' && {}", clone.display(), command.as_str().unwrap());
        let output = cluster.exec(&["sh", "-c", &script]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
    }
}

fn clone(folder: &Path) -> PathBuf {
    let clone = folder.join("clone");
    let output = Command::new("git")
        .args(["clone", "--quiet", concat!(env!("CARGO_MANIFEST_DIR"), "/..")])
        .arg(&clone)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    clone
}
