//! Pages as the programs write them, and as they must not be.

use super::*;
use crate::evidence::Metrics;
use crate::flow::{Doubt, alloy};
use rstest::rstest;
use starform_exposition::{Limits, Reader, Selection};

pub(crate) fn file(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/exposition");
    std::fs::read_to_string(format!("{directory}/{name}.txt")).unwrap()
}

pub(crate) fn parse(program: Program, body: &str, format: Format) -> Result<Vec<MetricsSample>, (Reason, String)> {
    let mut reader = Reader::new(format, Selection::All, Limits::default());
    let mut page = Page::new(program);
    for chunk in body.as_bytes().chunks(1_000) {
        reader.push(chunk, &mut |row| page.push(&row));
    }
    assert!(!page.too_much);
    page.finish(format, &reader.finish())
}

#[rstest]
#[case(Program::Vmagent, "vmagent-1.130.0-accepted")]
#[case(Program::Vmagent, "vmagent-1.150.0-accepted")]
#[case(Program::FluentBit, "fluent-bit-5.1.1-flowing")]
#[case(Program::Alloy, "alloy-1.18.1-metrics-flowing")]
#[case(Program::Alloy, "alloy-1.18.1-singleton-flowing")]
fn a_healthy_page_leaves_no_question(#[case] program: Program, #[case] name: &str) {
    let samples = parse(program, &file(name), Format::Text).unwrap();
    let metrics = Metrics { read_ms: 0, samples };
    let doubt = Doubt::of(program, &metrics, true);
    assert_eq!(doubt, Doubt::default(), "{:#?}", program.queues(&metrics));
    let queues = program.queues(&metrics).unwrap();
    assert_eq!(queues.len(), 1, "{queues:?}");
    assert!(queues[0].delivered > 0.0 && queues[0].taken_in > 0.0, "{queues:?}");
    // A page of 60 KB comes to some hundred bytes of evidence a counter, and to no address.
    assert!(metrics.samples.len() < 40, "{}", metrics.samples.len());
    let evidence = serde_json::to_string(&metrics).unwrap();
    for word in ["://", "secret", "example.com", "tmpData", "node:"] {
        assert!(!evidence.contains(word), "{word} in {evidence}");
    }
}

#[rstest]
#[case::another_program("alloy-1.18.1-metrics-flowing", "it has no vm_app_uptime_seconds")]
#[case::not_even_one("kubelet-cadvisor-1.35.4", "it has no vm_app_uptime_seconds")]
fn another_program_s_page_is_none(#[case] name: &str, #[case] says: &str) {
    let (reason, message) = parse(Program::Vmagent, &file(name), Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Malformed);
    assert!(message.contains(says), "{message}");
}

#[test]
fn a_page_that_is_cut_is_truncated() {
    let page = file("vmagent-1.150.0-accepted");
    let cut = &page[..page.len() - 3];
    let (reason, _) = parse(Program::Vmagent, cut, Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Truncated);
    let (reason, _) = parse(Program::Vmagent, &page, Format::OpenMetrics).unwrap_err();
    assert_eq!(reason, Reason::Truncated);
    // Cut where a line ends, nothing tells it but what is missing.
    for end in page.match_indices('\n').map(|(end, _)| end + 1) {
        let Ok(samples) = parse(Program::Vmagent, &page[..end], Format::Text) else {
            continue;
        };
        let metrics = Metrics { read_ms: 0, samples };
        let whole = parse(Program::Vmagent, &page, Format::Text).unwrap();
        let told = Program::Vmagent.queues(&metrics);
        let all = Program::Vmagent.queues(&Metrics {
            read_ms: 0,
            samples: whole,
        });
        assert!(told.is_err() || told == all, "{end}: {told:?}");
    }
}

#[test]
fn a_counter_that_cannot_be_read_is_not_one_that_is_0() {
    let page = file("vmagent-1.150.0-accepted");
    let dropped = "vmagent_remotewrite_packets_dropped_total{url=\"1:secret-url\"} ";
    assert!(page.contains(dropped));
    let broken = page.replace(dropped, &format!("{dropped}many"));
    let (reason, _) = parse(Program::Vmagent, &broken, Format::Text).unwrap_err();
    assert_eq!(reason, Reason::Malformed);
    // What is wrong elsewhere is nothing to the checks.
    let other = page.replace("go_goroutines ", "go_goroutines many");
    assert!(other != page && parse(Program::Vmagent, &other, Format::Text).is_ok());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    let name = "vm_promscrape_scrape_pool_targets";
    let job = |job| format!("{name}{{scrape_job=\"{job}\",status=\"up\"}} 1\n");
    let jobs: Vec<String> = (0..=SAMPLE_BOUND).map(job).collect();
    let jobs = jobs.concat();
    reader.push(jobs.as_bytes(), &mut |row| page.push(&row));
    assert!(page.too_much);
    assert_eq!(page.samples.len(), SAMPLE_BOUND);
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    let long = "j".repeat(VALUE_BOUND + 1);
    let line = format!("{name}{{scrape_job=\"{long}\",status=\"up\"}} 1\n");
    reader.push(line.as_bytes(), &mut |row| page.push(&row));
    assert!(page.too_much && page.samples.is_empty());
}

#[test]
fn a_url_in_clear_is_reduced_to_its_number() {
    let line = "vmagent_remotewrite_errors_total{url=\"2:https://u:p@store/api/v1/write\"} 0\n\
        vm_persistentqueue_blocks_dropped_total{path=\"/data/queue/2_5FC965F7A29EDB1D\"} 0\n\
        vmagent_remotewrite_errors_total{url=\"https\"} 0\n";
    let mut page = Page::new(Program::Vmagent);
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    reader.push(line.as_bytes(), &mut |row| page.push(&row));
    let labels: Vec<_> = (page.samples.iter())
        .flat_map(|sample| sample.labels.values().map(String::as_str))
        .collect();
    assert_eq!(labels, ["2", "2", ""]);
}

#[test]
fn an_address_is_reduced_to_its_number() {
    let sent = |component: &str, host: &str, value: u32| {
        format!(
            "loki_write_sent_entries_total{{component_id=\"loki.write.{component}\",host=\"{host}\",tenant=\"\"}} {value}\n"
        )
    };
    let lines = [
        sent("a", "one.example.com", 1),
        sent("a", "two.example.com", 2),
        sent("b", "one.example.com", 3),
    ];
    let mut page = Page::new(Program::Alloy);
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    reader.push(lines.concat().as_bytes(), &mut |row| page.push(&row));
    let numbers: Vec<&str> = page.samples.iter().map(|sample| sample.label("host")).collect();
    assert_eq!(numbers, ["1", "2", "1"]);
}

#[test]
fn the_real_alloy_says_how_often_it_scrapes() {
    let interval = |name: &str| {
        let samples = parse(Program::Alloy, &file(name), Format::Text).unwrap();
        alloy::scrape_interval(&Metrics { read_ms: 0, samples })
    };
    assert_eq!(interval("alloy-1.18.1-metrics-flowing"), Some(60_000));
    assert_eq!(interval("alloy-1.18.1-singleton-flowing"), None);
}

#[test]
fn a_counter_that_is_not_known_is_kept_by_its_name_alone() {
    let page = file("fluent-bit-5.1.1-flowing");
    let line = "fluentbit_output_magic_lost_total{name=\"https://u:p@store\"} 3\n";
    let samples = parse(Program::FluentBit, &format!("{page}{line}{line}"), Format::Text).unwrap();
    let lost = samples.iter().find(|sample| sample.name.contains("magic")).unwrap();
    assert_eq!((lost.value, lost.labels.len()), (6.0, 0));
    let metrics = Metrics { read_ms: 0, samples };
    assert!(Doubt::of(Program::FluentBit, &metrics, true).rumour);
    // A hundred of them are no flood.
    let many: Vec<String> = (0..100).map(|n| format!("some_{n}_dropped_total 1\n")).collect();
    let many = many.concat();
    let samples = parse(Program::FluentBit, &format!("{page}{many}"), Format::Text).unwrap();
    assert_eq!(
        samples.iter().filter(|sample| sample.name.starts_with("some_")).count(),
        64
    );
}
