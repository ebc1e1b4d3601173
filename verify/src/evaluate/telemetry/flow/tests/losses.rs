//! Every counter of loss, raised alone.

use super::{judged, says};
use crate::flow::page_tests::file;
use crate::flow::{Program, Weight};
use crate::report::Verdict;
use rstest::rstest;

/// A page with one counter more, or another value of it.
fn with(page: &str, name: &str, labels: &str, value: u32) -> String {
    let others = page
        .lines()
        .filter(|line| !line.starts_with(&format!("{name}{{")) && !line.starts_with(&format!("{name} ")));
    let others: Vec<&str> = others.collect();
    format!("{}\n{name}{{{labels}}} {value}\n", others.join("\n"))
}

/// Every counter of loss, raised alone, changes what its check says: while it grows and when it has grown.
#[rstest]
#[case(Program::FluentBit, "SF414", "fluent-bit-5.1.1-flowing")]
#[case(Program::Vmagent, "SF436", "vmagent-1.150.0-accepted")]
#[case(Program::Vmagent, "SF436", "vmagent-1.130.0-accepted")]
#[case(Program::Alloy, "SF453", "alloy-1.18.1-metrics-flowing")]
#[case(Program::Alloy, "SF453", "alloy-1.18.1-singleton-flowing")]
fn every_counter_of_loss_changes_the_verdict(#[case] program: Program, #[case] code: &str, #[case] healthy: &str) {
    let page = file(healthy);
    let later = match program {
        Program::FluentBit => page.replace(
            "fluentbit_uptime{hostname=\"node-1\"} 20",
            "fluentbit_uptime{hostname=\"node-1\"} 90",
        ),
        _ => page.clone(),
    };
    says(&judged(program, code, &page, Some(&later), 70), Verdict::Pass, "1 pod");
    let losses = program.all_kept().iter().filter(|kept| kept.loss.is_some());
    let mut raised = 0;
    for kept in losses {
        // What a queue shows is of that queue.
        let own = |label: &str| match label {
            "name" => "vector".to_owned(),
            "url" => "1:secret-url".to_owned(),
            "path" => "/tmpData/persistent-queue/1_FB3CEE40F1B103CD".to_owned(),
            "component_id" if kept.name.starts_with("loki_write") => "loki.write.grafana_cloud_logs".to_owned(),
            "component_id" => "prometheus.remote_write.grafana_cloud_metrics".to_owned(),
            "remote_name" => "7e1e8f".to_owned(),
            "host" => "logs.grafana-cloud.example.com".to_owned(),
            other => format!("some {other}"),
        };
        let labels = kept.labels.iter().map(|label| format!("{label}=\"{}\"", own(label)));
        let only = kept
            .only
            .iter()
            .map(|(label, values)| format!("{label}=\"{}\"", values[0]));
        let labels = labels.chain(only).collect::<Vec<_>>().join(",");
        let grows = judged(program, code, &page, Some(&with(&later, kept.name, &labels, 7)), 70);
        let expected = match kept.loss {
            Some(Weight::Lost) => Verdict::Fail,
            _ => Verdict::Warn,
        };
        assert_eq!(grows.verdict, expected, "{} grows: {}", kept.name, grows.observed);
        assert!(
            grows.observed.contains(&format!("{} ", kept.name)),
            "{}",
            grows.observed
        );
        let (before, after) = (with(&page, kept.name, &labels, 7), with(&later, kept.name, &labels, 7));
        let past = judged(program, code, &before, Some(&after), 70);
        assert_eq!(past.verdict, Verdict::Warn, "{}: {}", kept.name, past.observed);
        raised += 1;
    }
    assert!(raised > 10, "{raised}");
}

#[test]
fn a_reason_that_is_meant_is_no_loss() {
    let page = file("alloy-1.18.1-metrics-flowing");
    let name = "prometheus_remote_storage_samples_dropped_total";
    let dropped = |reason: &str| {
        let labels = "component_id=\"prometheus.remote_write.grafana_cloud_metrics\",remote_name=\"7e1e8f\"";
        let later = with(&page, name, &format!("{labels},reason=\"{reason}\""), 7);
        judged(Program::Alloy, "SF453", &page, Some(&later), 70).verdict
    };
    assert_eq!(
        (dropped("dropped_series"), dropped("too_old")),
        (Verdict::Pass, Verdict::Fail)
    );
}

/// It is told, and changes nothing.
#[rstest]
#[case(
    Program::Vmagent,
    "SF436",
    "vmagent-1.150.0-accepted",
    "vmagent_remotewrite_future_lost_total"
)]
#[case(
    Program::Alloy,
    "SF453",
    "alloy-1.18.1-metrics-flowing",
    "alloy_future_rejected_total"
)]
fn a_counter_that_is_not_known_is_told(
    #[case] program: Program,
    #[case] code: &str,
    #[case] healthy: &str,
    #[case] name: &str,
) {
    let page = file(healthy);
    let told = judged(
        program,
        code,
        &page,
        Some(&with(&page, name, "url=\"https://store\"", 3)),
        70,
    );
    says(
        &told,
        Verdict::Pass,
        &format!("not known to be a loss, and growing: {name} by 3"),
    );
    let stands = with(&page, name, "", 3);
    let told = judged(program, code, &stands, Some(&stands), 70);
    assert!(!told.observed.contains("not known"), "{}", told.observed);
}

/// While the limit on series is reached, every new one is lost, whether it comes within seconds or not.
#[rstest]
#[case(
    "hourly",
    5_000,
    Verdict::Fail,
    "vmagent_hourly_series_limit_rows_dropped_total at 1840000, and the limit is reached"
)]
#[case(
    "daily",
    5_000,
    Verdict::Fail,
    "vmagent_daily_series_limit_rows_dropped_total at 1840000, and the limit is reached"
)]
#[case(
    "hourly",
    4_000,
    Verdict::Warn,
    "1840000 vmagent_hourly_series_limit_rows_dropped_total"
)]
fn a_limit_on_series_that_is_reached_loses(
    #[case] of: &str,
    #[case] current: u32,
    #[case] verdict: Verdict,
    #[case] words: &str,
) {
    let limit = |what: &str| format!("vmagent_{of}_series_limit_{what}");
    let page = with(
        &file("vmagent-1.150.0-accepted"),
        &limit("rows_dropped_total"),
        "",
        1_840_000,
    );
    let page = with(
        &with(&page, &limit("current_series"), "", current),
        &limit("max_series"),
        "",
        5_000,
    );
    says(
        &judged(Program::Vmagent, "SF436", &page, Some(&page), 70),
        verdict,
        words,
    );
}
