//! The audit of values files: the project's own keep the contract, and each defect trips its own check.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

use rstest::rstest;
use starform_verify::contract::{Contract, StepId};
use starform_verify::report::{ExitCode, FailOn, Report, Verdict, exit_code};
use starform_verify_cli::render::{Format, Screen, pages, render};
use starform_verify_cli::values_files::{MANIFEST_CHECKS, evaluate_manifests, manifest_check, read};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A copy of the project's own.
fn copy() -> TempDir {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/helm");
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("regions")).unwrap();
    for (from, to) in [
        (own.clone(), directory.path().to_owned()),
        (own.join("regions"), directory.path().join("regions")),
    ] {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
    directory
}

fn judge(directory: &Path) -> Report {
    let contract = Contract::embedded().unwrap();
    evaluate_manifests(&contract, &read(directory, &contract).unwrap())
}

/// Writes something else into a file.
fn replace(directory: &TempDir, file: &str, what: &str, with: &str) {
    let path = directory.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(what), "{what:?} is not in {file}");
    fs::write(path, text.replacen(what, with, 1)).unwrap();
}

fn append(directory: &TempDir, file: &str, text: &str) {
    let path = directory.path().join(file);
    let old = fs::read_to_string(&path).unwrap();
    fs::write(path, old + text).unwrap();
}

/// Gives a key of the region's file another value.
fn set_region(directory: &TempDir, key: &str, value: &str) {
    let text = fs::read_to_string(directory.path().join("regions/fra1.yaml")).unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    replace(directory, "regions/fra1.yaml", line, &format!("{key}{value}"));
}

/// Step and code of what fails.
fn failing(report: &Report) -> Vec<(StepId, &str)> {
    let of_step = report
        .steps
        .iter()
        .flat_map(|step| step.checks.iter().map(move |check| (step.id, check)));
    of_step
        .filter(|(_, check)| check.verdict == Verdict::Fail)
        .map(|(step, check)| (step, check.code.as_str()))
        .collect()
}

fn observed<'r>(report: &'r Report, step: StepId, code: &str) -> &'r str {
    let step = report.steps.iter().find(|other| other.id == step).unwrap();
    &step.checks.iter().find(|check| check.code == code).unwrap().observed
}

#[test]
fn the_project_s_own_keep_the_contract() {
    let report = judge(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/helm"));
    assert_eq!(
        failing(&report),
        [],
        "{}",
        render(
            &report,
            Format::Short,
            Screen {
                width: 100,
                unicode: true
            }
        )
    );
    assert!(report.summary.conforms);
    assert_eq!(exit_code(&report, FailOn::Warning), ExitCode::Conforms);
    let audited: Vec<StepId> = report
        .steps
        .iter()
        .filter(|step| !step.checks.is_empty())
        .map(|step| step.id)
        .collect();
    assert_eq!(audited, [StepId::Two, StepId::Three, StepId::Four]);
}

#[test]
fn all_is_counted() {
    let report = judge(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/helm"));
    let keys = observed(&report, StepId::Four, "SF805").strip_suffix(" keys").unwrap();
    assert!(keys.parse::<u32>().unwrap() > 100, "{keys}");
    let contract = Contract::embedded().unwrap();
    let step = contract.steps.iter().find(|step| step.id == StepId::Four).unwrap();
    let terms: usize = step.releases.iter().map(|release| release.value_terms.len()).sum();
    assert_eq!(observed(&report, StepId::Four, "SF806"), format!("{terms} terms"));
}

#[test]
fn a_key_that_no_chart_reads_is_looked_up_in_the_charts_values_once() {
    let directory = copy();
    append(
        &directory,
        "vmagent.values.yaml",
        "\npersistence: {}\nstorage: {}\nregion: fra1\n",
    );
    let report = judge(directory.path());
    let step = report.steps.iter().find(|step| step.id == StepId::Four).unwrap();
    let check = step.checks.iter().find(|check| check.code == "SF805").unwrap();
    let contract = Contract::embedded().unwrap();
    let chart = contract.release("vmagent").unwrap().chart_by_address().join(" ");
    assert_eq!(
        check.fix.as_ref().unwrap().commands,
        [format!("helm show values {chart}")]
    );
    assert!(
        check.observed.contains(" persistence, ") && check.observed.ends_with(" storage"),
        "{}",
        check.observed
    );
    assert!(check.lasting);
    let passed = step.checks.iter().find(|check| check.verdict == Verdict::Pass).unwrap();
    assert!(!passed.lasting);
}

#[test]
fn a_check_of_files_is_found_by_code_and_by_slug() {
    for check in MANIFEST_CHECKS {
        for name in [check.code, check.slug, &check.code.to_lowercase()] {
            assert_eq!(manifest_check(name).map(|found| found.code), Some(check.code), "{name}");
        }
    }
    assert!(manifest_check("SF101").is_none());
}

/// Makes a defect in a copy.
type Defect = fn(&TempDir);

/// The defect that the page of each check shows.
const SHOWN: [(&str, StepId, &str, Defect); 8] = [
    ("SF801", StepId::Four, "no yaml", no_yaml),
    ("SF802", StepId::Four, "no need", no_need),
    ("SF803", StepId::Two, "another version", another_version),
    ("SF804", StepId::Four, "no cluster", no_cluster),
    ("SF805", StepId::Four, "misspelt below a key", misspelt_below_a_key),
    ("SF806", StepId::Four, "no persistence", no_persistence),
    ("SF807", StepId::Three, "a password", a_password),
    ("SF808", StepId::Four, "no store", no_store),
];

#[test]
fn the_examples_on_the_pages_of_the_book_are_what_reports_of_files_say() {
    let of_checks: Vec<&str> = MANIFEST_CHECKS.iter().map(|check| check.code).collect();
    assert_eq!(SHOWN.map(|(code, ..)| code).as_slice(), of_checks);
    for (code, step, name, change) in SHOWN {
        let directory = copy();
        change(&directory);
        let report = judge(directory.path());
        let of_step = report.steps.iter().find(|other| other.id == step).unwrap();
        let mut told = of_step.checks.iter().find(|check| check.code == code).unwrap().clone();
        let copied = directory.path().to_str().unwrap();
        for object in &mut told.objects {
            object.name = object.name.replace(copied, "manifests/helm");
        }
        let page = manifest_check(code).unwrap().page;
        let marker = format!("<!-- example: {name} -->\n```\n");
        let (head, block) = page.split_once(&marker).expect("the page names its example");
        let (_, tail) = block.split_once("```\n").unwrap();
        let page = format!("{head}{marker}{}```\n{tail}", pages::example(&told));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../checks/{code}.md"));
        let committed = fs::read_to_string(&path).unwrap();
        if committed != page && std::env::var_os("UPDATE_CHECKS").is_some() {
            fs::write(path, &page).unwrap();
            continue;
        }
        assert!(
            committed == page,
            "{code} is not current: run this test with UPDATE_CHECKS=1"
        );
    }
}

fn no_yaml(directory: &TempDir) {
    fs::write(directory.path().join("vmagent.values.yaml"), "a: [hush\nb: c\n").unwrap();
}

fn no_need(directory: &TempDir) {
    replace(
        directory,
        "helmfile.yaml",
        "needs: [telemetry/fluent-bit]",
        "needs: [kube-system/metrics-server]",
    );
}

fn another_version(directory: &TempDir) {
    replace(directory, "helmfile.yaml", "version: v1.9.0", "version: v1.8.3");
}

fn no_cluster(directory: &TempDir) {
    replace(directory, "helmfile.yaml", "    valuesTemplate: *cluster\n", "");
}

fn misspelt_below_a_key(directory: &TempDir) {
    replace(
        directory,
        "vmagent.values.yaml",
        "  enabled: true\n  size: 10Gi",
        "  enabled: true\n  sise: 10Gi",
    );
}

fn no_persistence(directory: &TempDir) {
    replace(
        directory,
        "vmagent.values.yaml",
        "  enabled: true\n  size: 10Gi",
        "  enabled: false\n  size: 10Gi",
    );
}

fn a_password(directory: &TempDir) {
    append(directory, "metrics-server.values.yaml", "\nargs: [--x, token=hush]\n");
}

fn no_store(directory: &TempDir) {
    replace(directory, "regions/fra1.yaml", "\"host\"", "\"hosts\"");
}

#[rstest]
#[case::missing(StepId::Four, "SF801", "alloy.values.yaml is not there",
    |d: &TempDir| fs::remove_file(d.path().join("alloy.values.yaml")).unwrap())]
#[case::no_yaml(StepId::Four, "SF801", "vmagent.values.yaml is no YAML at line 2, column 2", no_yaml)]
#[case::twice(StepId::Three, "SF801", "ksm.values.yaml is no YAML at line 2", |d: &TempDir| fs::write(d.path().join("ksm.values.yaml"), "a: 1\na: 2\n").unwrap())]
#[case::no_map(StepId::Two, "SF801", "envoy-gateway.values.yaml is no map", |d: &TempDir| fs::write(d.path().join("envoy-gateway.values.yaml"), "").unwrap())]
#[case::no_need(StepId::Four, "SF802", "vmagent does not need telemetry/fluent-bit", no_need)]
#[case::no_gate(StepId::Three, "SF802", "no hook runs `starform-verify --step 3 --wait`",
    |d: &TempDir| replace(d, "helmfile.yaml", "args: [--step, \"3\", --wait, 10m]", "args: [--version]"))]
#[case::a_gate_that_does_not_wait(StepId::Three, "SF802", "no hook runs `starform-verify --step 3 --wait`",
    |d: &TempDir| replace(d, "helmfile.yaml", "args: [--step, \"3\", --wait, 10m]", "args: [--step, \"3\"]"))]
#[case::another_namespace(StepId::Three, "SF802", "kube-state-metrics is not installed into kube-system", |d: &TempDir| {
    replace(d, "helmfile.yaml", "  - name: kube-state-metrics\n    namespace: kube-system", "  - name: kube-state-metrics\n    namespace: default");
    replace(d, "helmfile.yaml", "needs: [kube-system/kube-state-metrics]", "needs: [kube-system/metrics-server]");
})]
#[case::another_version(StepId::Two, "SF803", "envoy-gateway is of version v1.8.3", another_version)]
#[case::another_repository(StepId::Four, "SF803", "repository fluent is not https://fluent.github.io/helm-charts",
    |d: &TempDir| replace(d, "helmfile.yaml", "https://fluent.github.io/helm-charts", "https://charts.example"))]
#[case::another_chart(StepId::Three, "SF803", "metrics-server is of chart bitnami/metrics-server",
    |d: &TempDir| replace(d, "helmfile.yaml", "chart: metrics-server/metrics-server", "chart: bitnami/metrics-server"))]
#[case::no_region(StepId::Four, "SF804", "fluent-bit takes no file of regions/",
    |d: &TempDir| replace(d, "helmfile.yaml", "      - regions/{{ requiredEnv \"STARFORM_REGION\" }}.yaml\n", ""))]
#[case::no_cluster(StepId::Four, "SF804", "vmagent is not told cluster.name as a string", no_cluster)]
#[case::a_region_where_none_belongs(StepId::Three, "SF804", "kube-state-metrics takes a region",
    |d: &TempDir| replace(d, "helmfile.yaml", "      - ksm.values.yaml\n", "      - ksm.values.yaml\n      - regions/fra1.yaml\n"))]
#[case::another_file(StepId::Three, "SF804", "kube-state-metrics does not take ksm.values.yaml first",
    |d: &TempDir| replace(d, "helmfile.yaml", "      - ksm.values.yaml\n", "      - other.yaml\n"))]
#[case::misspelt(StepId::Four, "SF805", "vmagent.values.yaml:", |d: &TempDir| append(d, "vmagent.values.yaml", "\npersistence: {enabled: true}\n"))]
#[case::misspelt_below_a_key(StepId::Four, "SF805", " persistentVolume.sise", misspelt_below_a_key)]
#[case::keys_of_version_3(StepId::Four, "SF805", "alloy-metrics", |d: &TempDir| append(d, "alloy.values.yaml", "\nalloy-metrics:\n  enabled: true\n"))]
#[case::a_parameter_of_step_4_only(StepId::Three, "SF805", "ksm.values.yaml:", |d: &TempDir| append(d, "ksm.values.yaml", "\nregion: fra1\n"))]
#[case::no_persistence(StepId::Four, "SF806", "persistentVolume.enabled is false", no_persistence)]
#[case::no_position_database(StepId::Four, "SF806", "config.inputs does not have DB ",
    |d: &TempDir| {
        let path = d.path().join("fluent-bit.values.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let without: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("DB")).collect();
        fs::write(path, without.join("\n")).unwrap();
    })]
#[case::a_second_kube_state_metrics(StepId::Four, "SF806", "telemetryServices.kube-state-metrics.deploy is true",
    |d: &TempDir| replace(d, "alloy.values.yaml", "kube-state-metrics: {deploy: false}", "kube-state-metrics: {deploy: true}"))]
#[case::a_password(StepId::Three, "SF807", "metrics-server.values.yaml:", a_password)]
#[case::a_password_in_an_address(StepId::Two, "SF807", "regions/fra1.yaml:",
    |d: &TempDir| replace(d, "regions/fra1.yaml", "https://clickhouse", "https://me:hush@clickhouse"))]
#[case::no_store(StepId::Four, "SF808", "regions/fra1.yaml:4 lacks stores.logs.host", no_store)]
#[case::a_region_of_another_name(StepId::Four, "SF808", "regions/nyc3.yaml:1 says it is of region fra1",
    |d: &TempDir| fs::rename(d.path().join("regions/fra1.yaml"), d.path().join("regions/nyc3.yaml")).unwrap())]
#[case::no_region_at_all(StepId::Four, "SF808", "there is no file in regions/", |d: &TempDir| fs::remove_dir_all(d.path().join("regions")).unwrap())]
#[case::a_region_with_an_empty_host(StepId::Four, "SF808", "lacks stores.logs.host",
    |d: &TempDir| set_region(d, "    \"host\": ", "\"\""))]
#[case::a_region_with_a_number_for_a_host(StepId::Four, "SF808", "lacks stores.logs.host",
    |d: &TempDir| set_region(d, "    \"host\": ", "8080"))]
#[case::a_region_with_a_text_for_a_port(StepId::Four, "SF808", "lacks stores.logs.port",
    |d: &TempDir| set_region(d, "    \"port\": ", "\"8080\""))]
#[case::a_region_with_a_port_of_zero(StepId::Four, "SF808", "lacks stores.logs.port",
    |d: &TempDir| set_region(d, "    \"port\": ", "0"))]
#[case::a_region_without_tls(StepId::Four, "SF808", "has no https:// at stores.metrics.write_url",
    |d: &TempDir| replace(d, "regions/fra1.yaml", "\"write_url\": \"https", "\"write_url\": \"http"))]
fn a_defect_trips_its_own_check(#[case] step: StepId, #[case] code: &str, #[case] words: &str, #[case] change: Defect) {
    let directory = copy();
    change(&directory);
    let report = judge(directory.path());
    assert_eq!(failing(&report), [(step, code)]);
    let told = observed(&report, step, code);
    assert!(told.contains(words), "{told}");
    assert_eq!(exit_code(&report, FailOn::Fail), ExitCode::Fail);
    for format in Format::ALL {
        let text = render(
            &report,
            format,
            Screen {
                width: 100,
                unicode: true,
            },
        );
        assert!(!text.contains("hush"), "{text}");
    }
}

#[test]
fn a_wildcard_needs_a_chart_that_understands_it() {
    let directory = copy();
    let own =
        "pods=[starform.io/cluster-id,starform.io/region,starform.io/project,starform.io/app,starform.io/deployment]";
    replace(&directory, "ksm.values.yaml", own, "pods=[starform.io/*]");
    assert_eq!(failing(&judge(directory.path())), []);
    replace(&directory, "helmfile.yaml", "version: 8.4.0", "version: 8.3.0");
    let report = judge(directory.path());
    assert_eq!(failing(&report), [(StepId::Three, "SF803"), (StepId::Three, "SF806")]);
    assert!(observed(&report, StepId::Three, "SF806").contains("has a pattern, which matches nothing before"));
}

#[test]
fn the_wrong_order_is_told() {
    let directory = copy();
    let path = directory.path().join("helmfile.yaml");
    let text = fs::read_to_string(&path).unwrap();
    // vmagent to the front, with what it needs.
    let begin = text.find("  - name: vmagent").unwrap();
    let end = text.find("  - name: k8s-monitoring").unwrap();
    let block = text[begin..end].replace(
        "    valuesTemplate: *cluster\n",
        "    valuesTemplate: [{cluster: {name: \"x\"}}]\n",
    );
    let text = format!("{}{}", &text[..begin], &text[end..]);
    fs::write(&path, text.replace("  # Step 3\n", &format!("{block}  # Step 3\n"))).unwrap();
    let report = judge(directory.path());
    assert_eq!(failing(&report), [(StepId::Four, "SF802")]);
    let told = observed(&report, StepId::Four, "SF802");
    assert!(told.contains("vmagent stands before metrics-server"), "{told}");
}

#[test]
fn without_helmfile_nothing_of_it_is_judged() {
    let directory = copy();
    fs::remove_file(directory.path().join("helmfile.yaml")).unwrap();
    let report = judge(directory.path());
    let all: Vec<Verdict> = report.checks().map(|check| check.verdict).collect();
    assert_eq!(all.len(), 3 * MANIFEST_CHECKS.len());
    assert_eq!(report.summary.counts.fail, 3);
    assert_eq!(report.summary.counts.blocked, 3 * (MANIFEST_CHECKS.len() - 1));
    // Another form of it is no sequence either.
    fs::write(directory.path().join("helmfile.yaml"), "releases: 7\n").unwrap();
    let report = judge(directory.path());
    assert!(failing(&report).contains(&(StepId::Two, "SF802")));
}

#[test]
fn a_directory_that_is_not_there_is_bad_usage() {
    assert!(read(Path::new("/nonexistent"), &Contract::embedded().unwrap()).is_err());
}
