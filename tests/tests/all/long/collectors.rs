//! Step 4 in a bad hour: stores that are away, and what somebody changed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::collectors::{NAMESPACE, Scribe, Site, assert_none, now, total, until};

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn while_the_stores_are_away_everything_stays_ready_and_nothing_is_lost() {
    let site = Site::installed();
    let scribe = Scribe::start(&site.cluster);
    until("records of the pod", 60, || match scribe.numbers(site.sink)? {
        numbers if numbers.len() > 10 => Ok(()),
        numbers => Err(format!("{} of them", numbers.len())),
    });
    site.series("up{job=\"kubelet\"}");
    let away = now();
    site.sink.pause();
    // The store of logs forgets, and what was written until now it may have had.
    let before = scribe.written();
    // Twice the interval of scrapes, and longer than any probe's patience.
    while now() < away + 75 {
        std::thread::sleep(Duration::from_secs(5));
        site.all_ready().unwrap();
    }
    let pages = site.fluent_bit();
    let sum = |metric: &str| -> f64 { pages.iter().map(|page| total(page, metric)).sum() };
    assert!(sum("fluentbit_output_retries_total") > 0.0, "{pages:#?}");
    assert!(sum("fluentbit_storage_fs_chunks") > 0.0, "{pages:#?}");
    let waiting = total(&site.vmagent("/metrics"), "vmagent_remotewrite_pending_data_bytes");
    assert!(waiting > 0.0, "vmagent has nothing in its queue");
    site.sink.resume().unwrap();
    let back = now();
    // A line that was written a while after it came back: all before it have to be there.
    let last = until("what was written meanwhile, and after", 120, || {
        let numbers = scribe.numbers(site.sink)?;
        let newest = numbers.last().copied().unwrap_or_default();
        let missing: Vec<_> = (before + 1..=newest).filter(|one| !numbers.contains(one)).collect();
        if newest > before + 400 && missing.is_empty() {
            Ok(newest)
        } else {
            Err(format!(
                "newest {newest}, {} missing after {before}: {missing:?}",
                missing.len()
            ))
        }
    });
    eprintln!(
        "lines {before} to {last} arrived, none is missing, {} s after the stores were back",
        now() - back
    );
    // Every scrape of that time is there: of 75 s at 30 s at least two, of each node.
    let query = format!("count_over_time(up{{job=\"kubelet\"}}[75s] @ {back})");
    until("the samples of that time", 90, || {
        let found = site.sink.query(&query).map_err(|error| format!("{error:#}"))?;
        let count = |one: &Value| one["value"][1].as_str()?.parse::<u32>().ok();
        let counts: Vec<_> = found.iter().filter_map(count).collect();
        if counts.len() == 2 && counts.iter().all(|count| *count >= 2) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    });
    for page in site.fluent_bit() {
        for metric in ["dropped_records", "retries_failed", "errors"] {
            assert_none(&page, &format!("fluentbit_output_{metric}_total"));
        }
    }
    let page = site.vmagent("/metrics");
    assert_none(&page, "vmagent_remotewrite_packets_dropped_total");
    assert_none(&page, "vm_persistentqueue_bytes_dropped_total");
}

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn the_operator_follows_an_alloy_resource_and_mending_restores_what_was_changed() {
    let site = Site::installed();
    let kubectl = |words: &[&str]| {
        let words = [&["kubectl", "--namespace", NAMESPACE], words].concat();
        site.cluster.run(&words).unwrap()
    };
    let selector = "app.kubernetes.io/instance=k8s-monitoring-alloy-metrics";
    let page = || site.pages(selector, 12345, "/metrics").remove(0);
    until("Alloy's page counts what it delivered", 30, || {
        let page = page();
        if total(&page, "prometheus_remote_storage_samples_total") > 0.0 {
            Ok(())
        } else {
            Err(page)
        }
    });
    // The stand-in's switch, through the resource as the operator reads it.
    let switch = json!([{ "op": "add", "path": "/spec/alloy/extraEnv/-",
        "value": { "name": "TESTBED_DELIVERY", "value": "failing" } }]);
    kubectl(&[
        "patch",
        "alloy",
        "k8s-monitoring-alloy-metrics",
        "--type=json",
        "--patch",
        &switch.to_string(),
    ]);
    until("its page says that every sample fails", 120, || {
        let raw = format!("/api/v1/namespaces/{NAMESPACE}/pods/k8s-monitoring-alloy-metrics-0:12345/proxy/metrics");
        let page = site
            .cluster
            .run(&["kubectl", "get", "--raw", &raw])
            .map_err(|error| error.to_string())?;
        if total(&page, "prometheus_remote_storage_samples_failed_total") > 0.0 {
            Ok(())
        } else {
            Err("it does not yet".to_owned())
        }
    });
    // An upgrade by Helm would leave what nobody's chart has set.
    let nowhere = r#"{"spec":{"template":{"spec":{"nodeSelector":{"testbed/nowhere":"true"}}}}}"#;
    kubectl(&["patch", "daemonset", "fluent-bit", "--patch", nowhere]);
    kubectl(&["delete", "configmap", "vmagent-config"]);
    site.cluster.mend().unwrap();
    site.all_ready().unwrap();
    assert_eq!(site.get("daemonsets")[0]["status"]["numberReady"], 2);
    kubectl(&["get", "configmap", "vmagent-config"]);
    let alloys = site.get("alloys");
    assert!(!json!(alloys).to_string().contains("TESTBED_DELIVERY"), "{alloys:#?}");
}
