use super::*;
use crate::admin::sample;
use crate::liveness::Liveness;
use prometheus_client::encoding::text::encode;

fn registered() -> (Metrics, Registry) {
    let metrics = Metrics::default();
    let mut registry = Registry::default();
    metrics.register(&mut registry);
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
fn before_anything_is_known_no_time_is_told() {
    let (_, registry) = registered();
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_phase{phase=\"starting\"}"), Some(1.0));
    assert_eq!(value(&text, "shuttle_registered"), Some(0.0));
    let time = "shuttle_last_heartbeat_timestamp_seconds";
    assert!(!text.lines().any(|line| line.starts_with(time)), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn they_show_the_snapshot() {
    let (metrics, registry) = registered();
    metrics.snapshot(&sample::view(Phase::Active, "").snapshot);
    let text = scrape(&registry);
    for phase in Phase::ALL {
        let series = format!("shuttle_phase{{phase=\"{phase}\"}}");
        assert_eq!(
            value(&text, &series),
            Some(f64::from(u8::from(phase == Phase::Active))),
            "{series}"
        );
    }
    for one in ["shuttle_registered", "shuttle_leader", "shuttle_ready"] {
        assert_eq!(value(&text, one), Some(1.0), "{one}");
    }
    assert_eq!(value(&text, "shuttle_registration_generation"), Some(7.0));
    let heartbeat = value(&text, "shuttle_last_heartbeat_timestamp_seconds").unwrap();
    assert!((heartbeat - 1_795_366_788.0).abs() < 1.0, "{heartbeat}");
    // A registration that ended takes its times along.
    metrics.snapshot(&sample::view(Phase::Rejected, "").snapshot);
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_registered"), Some(0.0));
    assert_eq!(value(&text, "shuttle_last_heartbeat_timestamp_seconds"), None);
}

#[test]
fn every_metric_says_what_it_is_and_its_name_stands_once() {
    let (metrics, registry) = registered();
    metrics.transition(Phase::Active, Phase::Degraded);
    let text = scrape(&registry);
    assert_eq!(
        value(&text, "shuttle_transitions_total{from=\"active\",to=\"degraded\"}"),
        Some(1.0)
    );
    let names: Vec<&str> = (text.lines().filter_map(|line| line.strip_prefix("# TYPE ")))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len());
    for name in names {
        assert!(name.starts_with("shuttle_"), "{name}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn they_follow_the_lifecycle() {
    let (metrics, registry) = registered();
    let (snapshot, snapshots) = watch::channel(sample::view(Phase::Verifying, "").snapshot);
    let liveness = Liveness::default();
    let pulse = liveness.watch("metrics", Metrics::TURNS_WITHIN);
    let following = tokio::spawn(metrics.follow(snapshots, pulse));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(liveness.stuck(), []);
    snapshot.send_replace(sample::view(Phase::Active, "").snapshot);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text = scrape(&registry);
    assert_eq!(value(&text, "shuttle_phase{phase=\"active\"}"), Some(1.0));
    drop(snapshot);
    following.await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(liveness.stuck(), []);
}
