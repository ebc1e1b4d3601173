//! Bad usage: exit 2, and an error that says what to type instead.

use crate::run::{WILDCARD, filters, verify};
use insta::{assert_snapshot, with_settings};
use jiff::SignedDuration;
use rstest::rstest;
use starform_verify::contract::Contract;

#[test]
fn help() {
    assert_snapshot!("help", verify(["--help"]).stdout);
    assert_snapshot!("help_audit", verify(["audit", "--help"]).stdout);
    assert_snapshot!("help_rbac", verify(["rbac", "--help"]).stdout);
    assert_snapshot!("help_explain", verify(["explain", "--help"]).stdout);
}

#[test]
fn help_before_anything_is_installed() {
    assert_snapshot!("help_plan", verify(["plan", "--help"]).stdout);
    assert_snapshot!("help_manifests", verify(["manifests", "--help"]).stdout);
}

#[rstest]
#[case::unknown_flag("unknown_flag", &["--foo"])]
#[case::unknown_command("unknown_command", &["explian", "SF101"])]
#[case::unknown_step("unknown_step", &["--step", "7"])]
#[case::step_without_checks("step_without_checks", &["--step", "region"])]
#[case::misspelt_check("misspelt_check", &["-c", "SF3240"])]
#[case::misspelt_slug("misspelt_slug", &["-C", "metrics-api-availabel"])]
#[case::unknown_group("unknown_group", &["-g", "helmet"])]
#[case::nothing_left("nothing_left", &["-c", "SF101", "-C", "SF101"])]
#[case::no_unit("no_unit", &["--timeout", "30"])]
#[case::unknown_format("unknown_format", &["-o", "yaml"])]
#[case::two_on_stdout("two_on_stdout", &["-o", "short,text"])]
#[case::evidence_and_wait("evidence_and_wait", &["--evidence", WILDCARD, "--wait", "5m"])]
#[case::evidence_and_record("evidence_and_record", &["--evidence", WILDCARD, "--record", "x"])]
#[case::evidence_and_context("evidence_and_context", &["--evidence", WILDCARD, "--context", "x"])]
#[case::starbase_without_token("starbase_without_token", &["--starbase", "https://starbase.example"])]
#[case::token_without_starbase("token_without_starbase", &["--token-file", "x"])]
#[case::evidence_and_starbase("evidence_and_starbase",
    &["--evidence", WILDCARD, "--starbase", "https://starbase.example", "--token-file", "x"])]
#[case::token_in_the_clear("token_in_the_clear", &["--starbase", "http://starbase.example", "--token-file", "/dev/null"])]
#[case::no_token_file("no_token_file", &["--starbase", "https://starbase.example", "--token-file", "/nonexistent/token"])]
#[case::region_without_stores("region_without_stores", &["--step", "region"])]
#[case::evidence_and_stores("evidence_and_stores", &["--evidence", WILDCARD, "--stores", "x"])]
#[case::no_stores_file("no_stores_file", &["--step", "region", "--stores", "/nonexistent/stores.yaml"])]
#[case::nobody_to_grant("nobody_to_grant", &["rbac"])]
#[case::plan_for_nobody("plan_for_nobody", &["plan"])]
#[case::plan_for_a_wrong_id("plan_for_a_wrong_id", &["plan", "--cluster-id", "Shop.1", "--region", "fra1"])]
#[case::plan_for_a_wrong_region("plan_for_a_wrong_region", &["plan", "--cluster-id", "shop", "--region", "../x"])]
#[case::no_directory("no_directory", &["manifests", "/nonexistent"])]
#[case::a_check_of_files_in_an_audit("a_check_of_files_in_an_audit", &["-c", "SF806"])]
fn bad_usage(#[case] name: &str, #[case] arguments: &[&str]) {
    let run = verify(arguments);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    with_settings!({filters => filters()}, { assert_snapshot!(format!("usage_{name}"), run.stderr) });
}

/// What is doubtful is looked at for as long as a collector's own rhythm: an audit holds that, and what comes before and after.
#[test]
fn the_default_time_holds_the_longest_window_of_the_contract() {
    let help = verify(["audit", "--help"]).stdout;
    let (_, timeout) = help.split_once("--timeout <DURATION>").unwrap();
    let (_, default) = timeout.split_once("[default: ").unwrap();
    let default: SignedDuration = default.split(']').next().unwrap().parse().unwrap();
    let thresholds = Contract::embedded().unwrap().thresholds;
    let window = thresholds.flow_rhythm + thresholds.flow_window;
    // The lists that pods are found by, the first page and the last.
    assert!(default >= window + thresholds.scrape_timeout * 3, "{default} {window}");
}
