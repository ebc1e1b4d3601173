use super::*;
use crate::admin::sample;
use prometheus_client::encoding::text::encode;

fn registered() -> (Metrics, Registry) {
    let metrics = Metrics::new(&Contract::embedded().unwrap());
    let mut registry = Registry::default();
    metrics.register(registry.sub_registry_with_prefix("shuttle"));
    (metrics, registry)
}

fn scrape(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.split(' ').next() == Some(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn before_the_first_verification_no_check_passes_and_no_time_is_told() {
    let (_, registry) = registered();
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_gate"), Some(0.0));
    for check in Selection::inside().checks() {
        let series = format!("shuttle_check_status{{check=\"{}\"}}", check.code);
        assert_eq!(value(&text, &series), Some(0.0), "{series}");
    }
    for absent in [
        "shuttle_last_verification_timestamp_seconds",
        "shuttle_canary_label_lag_seconds",
        "shuttle_canary_metrics_age_seconds",
    ] {
        assert!(!text.lines().any(|line| line.starts_with(absent)), "{text}");
    }
}

#[test]
fn they_show_the_last_verification() {
    let (metrics, registry) = registered();
    metrics.show(&sample::verification("kube-state-metrics-wildcard"));
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_check_status{check=\"SF323\"}"), Some(1.0));
    assert_eq!(value(&text, "shuttle_check_status{check=\"SF324\"}"), Some(0.0));
    // Behind a fail.
    assert_eq!(value(&text, "shuttle_check_status{check=\"SF325\"}"), Some(0.0));
    assert_eq!(value(&text, "shuttle_gate"), Some(0.0));
    assert_eq!(value(&text, "shuttle_join_complete"), Some(0.0));
    assert_eq!(value(&text, "shuttle_nodes_unproven"), Some(2.0));
    assert_eq!(value(&text, "shuttle_canary_label_lag_seconds"), None);
    metrics.show(&sample::verification("healthy"));
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_check_status{check=\"SF324\"}"), Some(1.0));
    assert_eq!(value(&text, "shuttle_gate"), Some(1.0));
    assert_eq!(value(&text, "shuttle_join_complete"), Some(1.0));
    assert_eq!(value(&text, "shuttle_nodes_proven"), Some(2.0));
    assert_eq!(value(&text, "shuttle_nodes_unproven"), Some(0.0));
    assert_eq!(value(&text, "shuttle_verifications_total{gate=\"passes\"}"), Some(1.0));
    assert_eq!(value(&text, "shuttle_canary_label_lag_seconds"), Some(1.24));
    assert_eq!(value(&text, "shuttle_canary_row"), Some(1.0));
    assert!(value(&text, "shuttle_last_verification_timestamp_seconds") > Some(1.7e9));
}
