//! The install sequence as a script. What it does is tested in `sequence.rs`.

use crate::run::{filters, verify};
use insta::{assert_snapshot, with_settings};

#[test]
fn the_script() {
    let run = verify(["plan", "--cluster-id", "shop-fra1", "--region", "fra1"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    with_settings!({filters => filters()}, { assert_snapshot!("plan", run.stdout) });
}

#[test]
fn of_another_contract_is_another() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let contract = verify(["contract"])
        .stdout
        .replace("helmTimeout: 10m", "helmTimeout: 1m30s");
    let path = crate::run::file(&directory, "contract.yaml", &contract);
    let run = verify([
        "plan",
        "--cluster-id",
        "a",
        "--region",
        "b",
        "--contract",
        crate::run::text(&path),
    ]);
    assert_eq!(run.stdout.matches("--wait --timeout 1m30s").count(), 6);
}
