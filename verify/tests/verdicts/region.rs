//! How the region's checks stand together, and that the contract's terms are those of the manifests.

use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{CHECKS, Selection, SelectionRequest, evaluate};
use starform_verify::evidence::{Asked, Evidence, Observed};
use starform_verify::report::{ExitCode, FailOn, Report, exit_code};
use std::collections::BTreeSet;
use testdata::{install, recordings};

fn healthy() -> Evidence {
    let mut evidence = recordings::as_recorded("healthy");
    recordings::age_nodes(&mut evidence);
    install::shuttle::install(&mut evidence);
    install::region::install(&mut evidence);
    evidence
}

fn judge(evidence: &Evidence) -> Report {
    let request = SelectionRequest {
        steps: vec![StepId::Region],
        ..SelectionRequest::default()
    };
    evaluate(
        &Contract::embedded().unwrap(),
        evidence,
        &Selection::new(&request).unwrap(),
    )
}

#[test]
fn a_healthy_region_conforms() {
    let report = judge(&healthy());
    let of_region = CHECKS.iter().filter(|check| check.step == StepId::Region).count();
    assert_eq!(report.summary.counts.pass, of_region, "{:#?}", report.summary);
    assert_eq!(exit_code(&report, FailOn::Warning), ExitCode::Conforms);
    // A round through a file changes nothing.
    let text = serde_json::to_string(&healthy()).unwrap();
    let read: Evidence = serde_json::from_str(&text).unwrap();
    assert_eq!(judge(&read), report);
}

#[test]
fn a_region_that_nobody_asked_about_does_not_conform() {
    let mut evidence = healthy();
    evidence.region.metrics_store = Observed::Seen(Asked::NotAsked);
    evidence.region.log_store = Observed::Seen(Asked::NotAsked);
    evidence.region.log_aggregator = Observed::Seen(Asked::NotAsked);
    evidence.region.terraform = Observed::Seen(Asked::NotAsked);
    let report = judge(&evidence);
    assert!(!report.summary.conforms);
    assert_eq!(report.summary.counts.pass, 0);
    assert_eq!(exit_code(&report, FailOn::Fail), ExitCode::Unknown);
}

#[test]
fn the_contract_s_tables_are_those_of_the_schema() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/region/clickhouse/schema.sql");
    let schema = std::fs::read_to_string(file).unwrap();
    let tables = Contract::embedded().unwrap().components.region.tables;
    for table in ["kubernetes", "dead_letters"] {
        let (_, body) = schema.split_once(&format!("logs.{table}\n(\n")).unwrap();
        let (body, _) = body.split_once("\n)\n").unwrap();
        let columns = body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with("INDEX"));
        let columns: BTreeSet<(String, String)> = columns
            .map(|line| {
                let line = line.trim_end_matches(',');
                let (name, rest) = line.split_once(char::is_whitespace).unwrap();
                let end = [" CODEC", " MATERIALIZED"]
                    .iter()
                    .filter_map(|word| rest.find(word))
                    .min();
                (name.to_owned(), rest[..end.unwrap_or(rest.len())].trim().to_owned())
            })
            .collect();
        let contract: BTreeSet<(String, String)> = tables[table].clone().into_iter().collect();
        assert_eq!(columns, contract, "{table}");
    }
    // What the view makes of them the engine alone can tell: tests/region asks it.
    for column in tables["clusters"].keys() {
        assert!(schema.contains(column.as_str()), "{column}");
    }
}

#[test]
fn the_contract_s_recorded_series_and_jobs_are_those_of_the_manifests() {
    let read = |file: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/region/");
        std::fs::read_to_string(format!("{root}{file}")).unwrap()
    };
    let terms = Contract::embedded().unwrap().components.region;
    let rules = read("victoriametrics/rules.yaml");
    let recorded: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "))
        .collect();
    assert_eq!(recorded, terms.recorded);
    for label in &terms.recorded_labels {
        assert!(rules.contains(&label.column()), "{label}");
    }
    let alerts = read("victoriametrics/alerts.yaml");
    for job in &terms.jobs {
        let series = format!("job_name=\"{}\", droplet=\"{}\"", job.name, job.droplet);
        assert!(alerts.contains(&series), "{series}");
    }
    for droplet in &terms.droplets {
        let file = read(&format!("{}.tf", droplet.resource));
        assert!(file.contains(&format!("resource \"digitalocean_droplet\" \"{}\"", droplet.resource)));
        assert!(
            file.contains(&format!("size              = \"{}\"", droplet.size)),
            "{}",
            droplet.size
        );
        assert!(
            file.contains(&format!("\"{}-${{var.region}}\"", droplet.name)),
            "{}",
            droplet.name
        );
    }
}
